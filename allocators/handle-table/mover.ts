import type { AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import { type BackingHeap, unitsFor } from "./backing-heap.js";
import type { HandleEntries } from "./handle-entries.js";
import { UNIT as BYTES_PER_UNIT } from "./heap-pages.js";
import type { Pins } from "./pins.js";

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const UNIT = BYTES_PER_UNIT;
const MOVES = Cost.moves;
const BYTES_MOVED = Cost.bytesMoved;

/** Moves one block at a time, and pays for it: what all compactors share. */
export class Mover {
  readonly heap: BackingHeap;
  readonly entries: HandleEntries;
  readonly costs: Costs;
  /** Of the last `moveInto`: units in front of the block that stay free, and units that it took. */
  lead = 0;
  placed = 0;
  private readonly pins: Pins;
  /** Whether a block loses its slack when it moves. */
  private readonly trim: boolean;

  constructor(space: AddressSpace, heap: BackingHeap, entries: HandleEntries, pins: Pins, trim: boolean) {
    this.heap = heap;
    this.entries = entries;
    this.costs = space.costs;
    this.pins = pins;
    this.trim = trim;
    heap.track(entries);
  }

  isPinned(block: number): boolean {
    return this.holds(this.heap.blocks.ownerAt(block));
  }

  /** Whether the object of a live entry must stay where it is. */
  holds(owner: number): boolean {
    return this.pins.hold(owner);
  }

  /** As `holds`, of one that the program has not pinned. */
  holdsUnpinned(owner: number): boolean {
    return this.pins.model?.holds(owner) ?? false;
  }

  /** Alignment code of a used block. */
  codeAt(block: number): number {
    return this.entries.codeOf(this.heap.blocks.ownerAt(block));
  }

  /** Units of a block that a move copies. */
  unitsToMove(block: number): number {
    const owner = this.heap.blocks.ownerAt(block);
    return this.trimmed(owner, this.entries.unitsOf(owner));
  }

  /** Units that a move copies of the block of an entry that has `had`. */
  trimmed(owner: number, had: number): number {
    return this.trim ? unitsFor(this.entries.askedOf(owner)) : had;
  }

  /**
   * Moves a used block into the free block that starts at `start` and has room for `copied` units at the block's alignment; the
   * old place is free then. Returns the bytes moved; `lead` and `placed` tell where in the free block it went.
   */
  moveInto(block: number, start: number, copied: number, log: MoveLog): number {
    const { heap } = this;
    const { blocks } = heap;
    const had = blocks.sizeAt(block);
    this.lead = heap.leadAt(start, this.codeAt(block));
    const target = start + this.lead;
    this.placed = heap.carveAt(blocks.freeAt(start), target, copied);
    const moved = this.move(block, target, this.placed, copied, log);
    blocks.vacate(block, had);
    return moved;
  }

  /**
   * Copies `copied` units of a used block to `target`, where it has a place of `units`, and points its entry there. The
   * compactor disposes of the old place, whose marks may be overwritten. Returns the bytes moved, header included.
   */
  move(block: number, target: number, units: number, copied: number, log: MoveLog): number {
    const owner = this.heap.blocks.ownerAt(block);
    const had = this.entries.unitsOf(owner);
    if (units !== had) this.fit(owner, had, units);
    this.carry(owner, block, target, units, log, copied);
    this.count(1, copied * UNIT);
    return copied * UNIT;
  }

  /** The block of an entry is about to move to a place of `units` from one of `had`. */
  fit(owner: number, had: number, units: number): void {
    this.heap.liveUnits += units - had;
    this.entries.setSize(owner, units, this.entries.askedOf(owner));
  }

  /** As `move`, of the block of an entry to a place of the units that the entry says; `count` tells what it costs. */
  carry(owner: number, block: number, target: number, units: number, log: MoveLog, copied = units): void {
    const { entries } = this;
    const { blocks, pages } = this.heap;
    blocks.own(target, units, owner);
    pages.touch(target, copied * UNIT);
    entries.point(owner, target);
    log.move(entries.refOf(owner), pages.addressAt(block + 1), pages.addressAt(target + 1), (copied - 1) * UNIT);
  }

  /** Blocks were carried, `bytes` of them. */
  count(moves: number, bytes: number): void {
    this.costs[MOVES] += moves;
    this.costs[BYTES_MOVED] += bytes;
  }
}
