import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { none as noRef, type Ref, type StaleAware, type StaleUse } from "../allocator.js";
import { BackingHeap, type BackingOptions, unitsFor } from "./backing-heap.js";
import * as entryState from "./entry-state.js";
import { END } from "./free-blocks.js";
import { HandleEntries } from "./handle-entries.js";
import type { HandleHeap } from "./handle-heap.js";
import { UNIT as BYTES_PER_UNIT } from "./heap-pages.js";
import type { TableOptions } from "./table-options.js";

/** Larger requests have no handle. */
const MAX_OBJECT = 0x80000000;

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const UNIT = BYTES_PER_UNIT;
const NIL = END;
const none = noRef;
const TABLE_LOADS = Cost.tableLoads;
const { unitsIn, askedIn } = entryState;

export interface HandleOptions extends BackingOptions, TableOptions {}

/**
 * A handle table over a heap in which nothing moves: every operation goes from ref to entry to block. Operations on
 * a stale ref are counted and have no effect.
 */
export class Handles implements HandleHeap, StaleAware {
  readonly entries: HandleEntries;
  readonly heap: BackingHeap;
  private readonly costs: Costs;

  constructor(space: AddressSpace, options: HandleOptions) {
    this.costs = space.costs;
    this.heap = new BackingHeap(space, options);
    this.entries = new HandleEntries(space, options);
    // Blocks that are dead but not free can only be told from used ones by their owners.
    if (!this.heap.reuses) this.heap.track(this.entries);
  }

  // A ref above 2^31 is boxed when it crosses a call that is not inlined, so the methods that take or return one are
  // short and leave the work to others that speak of entries.
  allocate(size: number, alignment = UNIT): Ref {
    const index = alignment <= UNIT ? this.create(size) : this.createRare(size, 27 - Math.clz32(alignment));
    return index === NIL ? none : this.entries.refOf(index);
  }

  free(ref: Ref): void {
    const { entries } = this;
    const block = entries.giveNarrow(ref);
    if (block < 0) {
      this.freeRare(ref);
      return;
    }
    const state = entries.given;
    this.heap.release(block, unitsIn(state), askedIn(state));
  }

  /** Keeps the handle, also of a pinned block: the program itself asks for another place. */
  reallocate(ref: Ref, size: number): Ref {
    const { entries, heap } = this;
    const index = entries.find(ref);
    if (index < 0 || size > MAX_OBJECT) return none;
    const block = entries.blockOf(index);
    const asked = entries.askedOf(index);
    const units = entries.unitsOf(index);
    if (!heap.resize(block, units, asked, size)) {
      const code = entries.codeOf(index);
      const moved = code === 0 ? heap.place(size) : heap.placeAligned(size, code);
      if (moved === NIL) return none;
      this.costs[Cost.bytesCopied] += Math.min((units - 1) * UNIT, size);
      heap.release(block, units, asked);
      entries.point(index, moved);
    }
    entries.setSize(index, heap.granted, size);
    heap.blocks.own(entries.blockOf(index), heap.granted, index);
    return ref;
  }

  addressOf(ref: Ref): Address {
    this.costs[TABLE_LOADS] += 1;
    const index = this.entries.find(ref);
    return index < 0 ? 0 : this.heap.addressOf(this.entries.blockOf(index));
  }

  capacityOf(ref: Ref): number {
    const index = this.entries.find(ref);
    return index < 0 ? 0 : (this.entries.unitsOf(index) - 1) * UNIT;
  }

  get firstStale(): StaleUse | undefined {
    return this.entries.stale.first;
  }

  get tellsAll(): boolean {
    return this.entries.retires;
  }

  walk(map: HeapMap): void {
    const { blocks } = this.heap;
    const { isTracked } = blocks;
    // Where nothing moves, only a walk asks who owns a block.
    if (!isTracked) blocks.track(this.entries);
    walkBlocks(map, this.heap, this.entries);
    if (!isTracked) blocks.untrack();
    this.entries.walk(map);
  }

  extent(): number {
    return this.heap.blocks.top * UNIT;
  }

  liveBytes(): number {
    this.heap.track(this.entries);
    return this.heap.liveUnits * UNIT;
  }

  asked(): number {
    this.heap.track(this.entries);
    return this.heap.asked;
  }

  releasePages(): void {
    this.heap.releasePages();
  }

  /** The entry of a new object; `END` without memory. */
  private create(size: number): number {
    const { entries, heap } = this;
    // What is rare leaves here and does not come back: V8 would look again at all that it knew before such a call.
    if (size > MAX_OBJECT || entries.isReady() !== true || heap.reuses !== true) return this.createRare(size, 0);
    const units = size <= UNIT ? 2 : (1 + ((size + UNIT - 1) >>> 4)) | 0;
    const { lists } = heap.blocks;
    const block = lists.place(units);
    if (block === NIL) return this.createAtTop(size);
    const index = entries.take(block, lists.granted, size, 0);
    if (heap.isAdmitted(block) !== true) this.admit(block, index, size);
    return index;
  }

  /** The rest of `create` where the heap keeps accounts or pages must be touched. */
  private admit(block: number, index: number, size: number): void {
    const { heap } = this;
    heap.admitInside(block, size);
    heap.blocks.own(block, heap.granted, index);
  }

  /** As `create`, of any alignment and where anything may be out of the ordinary. */
  private createRare(size: number, code: number): number {
    const { entries, heap } = this;
    if (size > MAX_OBJECT || !entries.ready()) return NIL;
    const block = code === 0 ? heap.place(size) : heap.placeAligned(size, code);
    return block === NIL ? this.refuse() : this.name(block, size, code);
  }

  /** The rest of `create` where no free block will do. */
  private createAtTop(size: number): number {
    const block = this.heap.placeAtTop(0, unitsFor(size), size);
    return block === NIL ? this.refuse() : this.name(block, size, 0);
  }

  /** Gives the block that the heap gave last an entry. */
  private name(block: number, size: number, code: number): number {
    const { granted, blocks } = this.heap;
    const index = this.entries.take(block, granted, size, code);
    blocks.own(block, granted, index);
    return index;
  }

  /** `free` of what `giveNarrow` leaves alone: large or pinned objects, worn entries, stale refs. */
  private freeRare(ref: Ref): void {
    const index = this.entries.find(ref);
    if (index >= 0) this.freeEntry(index);
  }

  /** There is no block for the entry that is ready. */
  private refuse(): number {
    this.entries.unready();
    return NIL;
  }

  /** Ends a live object; while it is pinned, only its name. */
  freeEntry(index: number): void {
    const { entries } = this;
    if (entries.isPinned(index)) {
      entries.doom(index);
      return;
    }
    this.heap.release(entries.blockOf(index), entries.unitsOf(index), entries.askedOf(index));
    entries.give(index);
  }
}

/** Adds a heap of blocks to `map`. An object freed while pinned shows as padding: nobody's, and not to be handed out. */
export function walkBlocks(map: HeapMap, heap: BackingHeap, entries: HandleEntries): void {
  const { blocks, pages } = heap;
  for (let block = 0; block < blocks.top; ) {
    const units = blocks.sizeAt(block);
    const at = pages.addressAt(block);
    if (units < 0) {
      map.add(at, -units * UNIT, Kind.free);
      block -= units;
      continue;
    }
    const owner = blocks.ownerAt(block);
    map.add(at, UNIT, Kind.header);
    if (entries.isDoomed(owner)) map.add(at + UNIT, (units - 1) * UNIT, Kind.padding);
    else map.add(at + UNIT, (units - 1) * UNIT, Kind.live, entries.refOf(owner));
    block += units;
  }
  pages.walk(map, blocks.top);
}
