import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { GrowingTable } from "../growing-table.js";
import { SpanLists } from "./span-lists.js";

const PAGE = 4096;
/** kArenaSize: 64 GiB of addresses. */
const RESERVED = 0x1000000000;
/** kMinArenaExpansion, 16 MiB: how far the arena grows at a time. */
const EXPANSION = 4096;
/** Largest alignment of a block. */
const MAX_ALIGNMENT = 1 << 20;
/** Bytes of the arena's index for each page: the MiniHeap it belongs to. */
const INDEX_ENTRY = 4;
/** Spans are sorted as start * LENGTHS + length. */
const LENGTHS = 33554432;

/**
 * The pages of a Mesh heap (meshable_arena.cc): one range that grows, whose free spans are dirty (they still have their
 * frames) or clean. Virtual pages whose memory was meshed away show another span's frames until `scavenge` resets them.
 */
export class PageArena {
  readonly base: Address;
  /** Pages mapped so far, and pages below the highest that was ever handed out. */
  end = 0;
  used = 0;
  /** Virtual pages that show frames of another span. */
  meshed = 0;
  private readonly space: AddressSpace;
  private readonly dirtyLimit: number;
  private readonly index: GrowingTable;
  private readonly dirty = new SpanLists();
  private readonly clean = new SpanLists();
  /** The lists that the last span found came from. */
  private source = this.clean;
  /** Spans of freed MiniHeaps that still show frames of another: start and pages, alternating. */
  private toReset: number[] = [];

  constructor(space: AddressSpace, dirtyLimit: number, index: GrowingTable) {
    this.space = space;
    this.dirtyLimit = dirtyLimit;
    this.index = index;
    this.base = space.reserve(RESERVED, MAX_ALIGNMENT);
  }

  /** Room for this many pages is in the address range; an index of them takes as many entries. */
  static createIndex(space: AddressSpace): GrowingTable {
    return new GrowingTable(space, INDEX_ENTRY, RESERVED / PAGE);
  }

  /** The first of `pages` free pages at a multiple of `alignment` pages, or -1 where there is no memory. */
  take(pages: number, alignment = 1): number {
    const start = this.find(pages);
    if (start < 0 || start % alignment === 0) {
      if (start >= 0) this.hold(start + pages);
      return start;
    }
    // Once more, with enough to spare that an aligned span lies in it; the rest is as free as before.
    this.source.push(start, pages);
    const wide = this.find(pages + 2 * alignment);
    if (wide < 0) return -1;
    const aligned = Math.ceil(wide / alignment) * alignment;
    this.source.push(wide, aligned - wide);
    this.source.push(aligned + pages, wide + 2 * alignment - aligned);
    this.hold(aligned + pages);
    return aligned;
  }

  /** Gives a span back that shows its own frames: it keeps them until there are too many such pages. */
  give(start: number, pages: number): void {
    this.dirty.push(start, pages);
    if (this.dirty.pages <= this.dirtyLimit) return;
    this.dirty.drain((at, length) => {
      this.discard(at, length);
      this.clean.push(at, length);
    });
  }

  /** Gives a span back that shows frames of another. Its own pages come back with the next `scavenge`. */
  giveMeshed(start: number, pages: number): void {
    this.toReset.push(start, pages);
  }

  /** The pages of `remove` show those of `keep` from now on; their own frames are given back. */
  mesh(keep: number, remove: number, pages: number): void {
    this.discard(remove, pages);
    this.show(keep, remove, pages);
    this.meshed += pages;
  }

  /** Pages that showed other frames already show those of `keep` from now on. */
  show(keep: number, remove: number, pages: number): void {
    this.space.alias(this.addressOf(keep), this.addressOf(remove), pages * PAGE);
    // The span is read-only while its objects are copied: mprotect.
    this.space.costs[Cost.osCalls] += 1;
  }

  /** Gives the frames of all free pages back, gives meshed pages of freed spans their own again, and joins free spans. */
  scavenge(): void {
    const spans: number[] = [];
    const collect = (start: number, pages: number): void => {
      spans.push(start * LENGTHS + pages);
    };
    for (let i = 0; i < this.toReset.length; i += 2) {
      this.reset(this.toReset[i], this.toReset[i + 1]);
      collect(this.toReset[i], this.toReset[i + 1]);
    }
    this.toReset = [];
    this.dirty.drain((start, pages) => {
      this.discard(start, pages);
      collect(start, pages);
    });
    this.clean.drain(collect);
    let start = 0;
    let end = 0;
    for (const span of Float64Array.from(spans).sort()) {
      const at = Math.floor(span / LENGTHS);
      if (at !== end) {
        this.clean.push(start, end - start);
        start = at;
      }
      end = at + (span % LENGTHS);
    }
    this.clean.push(start, end - start);
  }

  addressOf(page: number): Address {
    return this.base + page * PAGE;
  }

  private find(pages: number): number {
    this.source = this.dirty;
    const reused = this.dirty.take(pages);
    if (reused >= 0) return reused;
    this.source = this.clean;
    const fresh = this.clean.take(pages);
    return fresh >= 0 || !this.grow(pages) ? fresh : this.clean.take(pages);
  }

  /** Near the limit of memory the arena grows by less, down to what is needed. */
  private grow(pages: number): boolean {
    for (let step = Math.max(pages, EXPANSION); ; step = Math.max(pages, Math.floor(step / 2))) {
      if (this.expand(step)) return true;
      if (step === pages) return false;
    }
  }

  private expand(pages: number): boolean {
    const { end, space } = this;
    if ((end + pages) * PAGE > RESERVED || !space.commit(this.addressOf(end), pages * PAGE, Use.heap)) return false;
    if (!this.index.ensure(end + pages)) {
      space.unmap(this.addressOf(end), pages * PAGE);
      return false;
    }
    this.clean.push(end, pages);
    this.end = end + pages;
    return true;
  }

  private hold(end: number): void {
    if (end > this.used) this.used = end;
  }

  private discard(start: number, pages: number): void {
    this.space.discard(this.addressOf(start), pages * PAGE);
  }

  /** One mmap over the old mapping, which here takes two steps. */
  private reset(start: number, pages: number): void {
    const { space } = this;
    space.unmap(this.addressOf(start), pages * PAGE);
    space.commit(this.addressOf(start), pages * PAGE, Use.heap);
    space.costs[Cost.osCalls] -= 1;
    this.meshed -= pages;
  }
}
