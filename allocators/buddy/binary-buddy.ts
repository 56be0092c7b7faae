import type { Address, AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import type { Allocator, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { bytesBeside, Chunks } from "./chunks.js";
import { FreeBitmaps } from "./free-bitmaps.js";
import type { FreeBlocks } from "./free-blocks.js";
import { FreeLists } from "./free-lists.js";
import type { BuddyOptions } from "./options.js";
import { Runs } from "./runs.js";

const ALIGNMENT = 16;
/** Bytes of a header in band: order and state, and a pad that keeps the program's bytes aligned. */
const HEADER = 16;
/** Bytes of the two links of a free list. */
const LINKS = 16;

/** State of a unit: 0 inside a block; at the first unit of a block LIVE or FREE, with the block's order. */
const LIVE = 128;
const FREE = 64;
const ORDER = 63;

/** Bytes of a page, as a power of two. */
const PAGE_SHIFT = 12;
const PAGE = 1 << PAGE_SHIFT;

/**
 * The binary buddy system with eager coalescing. A block of order k has 2^k units of 2^minOrder bytes and lies at a
 * multiple of its size. Orders end with the chunk, by which the heap grows; a larger request gets a run of its own.
 *
 * **Header.** `out`: a bit for each pair of buddies beside the heap says whether their block is split, which gives the
 * order of a live block, so that 2^k bytes take a block of 2^k. `in`: a block starts with a header of 16 bytes, order and
 * state, so that they take 2^(k+1). Which blocks are free is in bitmaps beside the heap for `lowest`; for `lifo` the
 * lists run through the free blocks, and `out` has one more bit for each pair, as in Linux before its page flags. That is
 * what `Use.meta` is charged: 2.4 % of the heap for `lowest`, 1.6 % for `lifo`, at units of 16 bytes. The simulator itself
 * keeps a byte for each unit.
 *
 * **Alignment** beyond 16 bytes is natural with `out`: the block is at least as large. With `in` the program's bytes
 * start at a multiple inside a larger block, with the way back to its start in 16 bytes below them; what lies between is
 * padding. At most 1 GiB.
 *
 * **Touched** are header and program's bytes when a block is handed out, and header and links when a free block comes
 * into being by mapping or splitting. So they are resident when two free blocks merge.
 */
export class BinaryBuddy implements Allocator {
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly base: Address;
  private readonly runsBase: Address;
  private readonly minOrder: number;
  private readonly unit: number;
  private readonly perUnit: number;
  /** Units of a page, as a power of two. */
  private readonly pageShift: number;
  private readonly chunk: number;
  private readonly chunkOrder: number;
  private readonly header: number;
  /** Bytes that are written at the start of a free block. */
  private readonly tag: number;
  private readonly release: BuddyOptions["release"];
  private readonly chunks: Chunks;
  private readonly runs: Runs;
  private readonly blocks: FreeBlocks;
  private state: Uint8Array;
  /** For each chunk the end of the highest block handed out since it was mapped. */
  private used: Int32Array;

  constructor(space: AddressSpace, given: BuddyOptions) {
    const inBand = given.header === "in";
    const lowest = given.policy === "lowest";
    this.space = space;
    this.costs = space.costs;
    this.minOrder = inBand ? Math.max(given.minOrder, 5) : given.minOrder;
    this.unit = 1 << this.minOrder;
    this.perUnit = 1 / this.unit;
    this.pageShift = PAGE_SHIFT - this.minOrder;
    this.chunk = given.chunk;
    this.chunkOrder = 31 - Math.clz32(given.chunk) - this.minOrder;
    this.header = inBand ? HEADER : 0;
    this.tag = this.header + (lowest ? 0 : LINKS);
    this.release = given.release;
    const beside = bytesBeside(1 << this.chunkOrder, lowest, inBand);
    this.chunks = new Chunks(space, given.chunk, this.unit, beside);
    this.runs = new Runs(space, given.chunk, this.header);
    this.base = this.chunks.base;
    this.runsBase = this.runs.base;
    this.blocks = lowest ? new FreeBitmaps(this.chunkOrder + 1) : new FreeLists(this.chunkOrder + 1);
    this.state = new Uint8Array(1 << this.chunkOrder);
    this.used = new Int32Array(1);
  }

  allocate(size: number, alignment = ALIGNMENT): Ref {
    if (alignment > ALIGNMENT) return this.allocateAligned(size, alignment);
    const bytes = size + this.header;
    if (bytes > this.chunk) return this.runs.allocate(size, alignment, this.header) as Ref;
    const at = this.take(this.orderFor(bytes));
    if (at < 0) return none;
    this.touchBlock(at, bytes);
    return (this.base + at * this.unit + this.header) as Ref;
  }

  free(ref: Ref): void {
    if (ref >= this.runsBase) {
      this.runs.free(ref);
      return;
    }
    const state = this.state;
    const inside = this.unitOf(ref);
    const order = state[inside] & ORDER;
    const at = inside & -(1 << order);
    if (inside !== at) state[inside] = 0;
    state[at] = FREE | order;
    // Most blocks find no buddy to merge with. A whole chunk has none, and what lies at its place is of no interest.
    if (order === this.chunkOrder || state[at ^ (1 << order)] === (FREE | order)) this.coalesce(at, order);
    else this.blocks.add(order, at);
  }

  reallocate(ref: Ref, size: number): Ref {
    if (ref >= this.runsBase) return this.reallocateRun(ref, size);
    const inside = this.unitOf(ref);
    const before = this.state[inside] & ORDER;
    const at = inside & -(1 << before);
    const bytes = ref - this.base - at * this.unit + Math.max(size, 1);
    if (bytes > this.chunk) return this.relocate(ref, size);
    const order = this.orderFor(bytes);
    if (order > before && !this.extend(at, before, order)) return this.relocate(ref, size);
    if (order < before) this.split(at, before, order);
    this.state[at] = LIVE | order;
    this.state[inside] = LIVE | order;
    this.space.touch(ref, size);
    return ref;
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    if (ref >= this.runsBase) return this.runs.capacityOf(ref);
    const inside = this.unitOf(ref);
    const order = this.state[inside] & ORDER;
    const end = (inside & -(1 << order)) + (1 << order);
    return this.base + end * this.unit - ref;
  }

  walk(map: HeapMap): void {
    for (let place = 0; place < this.chunks.places; place++) {
      if (this.chunks.isMapped(place)) this.walkChunk(map, place);
    }
    this.chunks.walkTable(map);
    this.runs.walk(map);
  }

  private walkChunk(map: HeapMap, place: number): void {
    const end = (place + 1) << this.chunkOrder;
    for (let at = place << this.chunkOrder; at < end; ) {
      const state = this.state[at];
      const next = at + (1 << (state & ORDER));
      if ((state & LIVE) !== 0) {
        this.walkLive(map, at, next);
      } else {
        const fresh = Math.min(Math.max(this.used[place], at), next);
        map.add(this.base + at * this.unit, (fresh - at) * this.unit, Kind.free);
        map.add(this.base + fresh * this.unit, (next - fresh) * this.unit, Kind.fresh);
      }
      at = next;
    }
  }

  private walkLive(map: HeapMap, at: number, next: number): void {
    const start = this.base + at * this.unit;
    const address = start + (this.header === 0 ? 0 : this.leadOf(at));
    map.add(start, this.header, Kind.header);
    map.add(start + this.header, address - start - this.header, Kind.padding);
    map.add(address, this.base + next * this.unit - address, Kind.live, address);
  }

  /** Bytes before the program's in the live block at `at`: a unit inside is marked where they are a unit or more. */
  private leadOf(at: number): number {
    const state = this.state[at];
    for (let k = 0; k < (state & ORDER); k++) {
      if (this.state[at + (1 << k)] === state) return (1 << k) * this.unit;
    }
    return this.header;
  }

  private unitOf(ref: Ref): number {
    return ((ref - this.base) * this.perUnit) | 0;
  }

  /** The first `bytes` bytes of a block at `at` are written. A block of a page or less lies in one page. */
  private touchBlock(at: number, bytes: number): void {
    if (bytes > PAGE || this.chunks.resident[at >> this.pageShift] === 0) this.chunks.touch(at * this.unit, bytes);
  }

  /** Order of the smallest block of at least `bytes`, which is at most a chunk. */
  private orderFor(bytes: number): number {
    const last = bytes === 0 ? 0 : bytes - 1;
    return 32 - Math.clz32(last >>> this.minOrder);
  }

  private allocateAligned(size: number, alignment: number): Ref {
    const lead = this.header === 0 ? 0 : Math.max(alignment, this.unit);
    const bytes = Math.max(lead + Math.max(size, 1), alignment);
    if (bytes > this.chunk) return this.runs.allocate(size, alignment, lead) as Ref;
    const order = this.orderFor(bytes);
    const at = this.take(order);
    if (at < 0) return none;
    this.state[at + lead * this.perUnit] = LIVE | order;
    const start = this.base + at * this.unit;
    if (lead > 0) this.space.touch(start, this.header);
    this.space.touch(start + lead - this.header, this.header + size);
    return (start + lead) as Ref;
  }

  /** A block of an order, marked live; -1 where there is no memory. */
  private take(order: number): number {
    let from = this.blocks.smallest(order);
    if (from < 0) {
      if (!this.addChunk()) return -1;
      from = this.chunkOrder;
    }
    const at = this.blocks.take(from);
    if (from > order) this.split(at, from, order);
    this.state[at] = LIVE | order;
    const end = at + (1 << order);
    const place = at >>> this.chunkOrder;
    if (end > this.used[place]) this.used[place] = end;
    return at;
  }

  /** Halves the block at `at` down to an order, and adds the upper halves to the free blocks. */
  private split(at: number, from: number, order: number): void {
    this.costs[Cost.splits] += from - order;
    for (let k = from - 1; k >= order; k--) this.addFree(at + (1 << k), k);
  }

  private addFree(at: number, order: number): void {
    this.state[at] = FREE | order;
    this.blocks.add(order, at);
    if (this.tag > 0) this.touchBlock(at, this.tag);
  }

  /** Adds a block to the free ones, merging it with its buddy as long as that is free and whole. */
  private coalesce(block: number, blockOrder: number): void {
    const state = this.state;
    let at = block;
    let order = blockOrder;
    for (; order < this.chunkOrder; order++) {
      const buddy = at ^ (1 << order);
      if (state[buddy] !== (FREE | order)) break;
      this.blocks.remove(order, buddy);
      state[at | buddy] = 0;
      at &= buddy;
    }
    this.costs[Cost.coalesces] += order - blockOrder;
    if (order === this.chunkOrder && this.releases()) {
      state[at] = 0;
      this.chunks.unmap(at >>> this.chunkOrder);
      return;
    }
    state[at] = FREE | order;
    this.blocks.add(order, at);
  }

  /** Whether a chunk that has become free as a whole goes back to the system. */
  private releases(): boolean {
    if (this.release === "never") return false;
    return this.release === "always" || this.blocks.smallest(this.chunkOrder) >= 0;
  }

  /** Extends a block upwards, where it is the lower half each time and the upper one is free and whole. */
  private extend(at: number, before: number, order: number): boolean {
    for (let k = before; k < order; k++) {
      const buddy = at + (1 << k);
      if ((at & (1 << k)) !== 0 || this.state[buddy] !== (FREE | k)) return false;
    }
    for (let k = before; k < order; k++) {
      const buddy = at + (1 << k);
      this.blocks.remove(k, buddy);
      this.state[buddy] = 0;
    }
    this.costs[Cost.coalesces] += order - before;
    const place = at >>> this.chunkOrder;
    this.used[place] = Math.max(this.used[place], at + (1 << order));
    return true;
  }

  /** A run stays one as long as its bytes do not fit a chunk. */
  private reallocateRun(ref: Ref, size: number): Ref {
    const fits = size <= this.runs.capacityOf(ref);
    if (!fits) return this.relocate(ref, size);
    if (size + this.header <= this.chunk) {
      const moved = this.relocate(ref, size);
      if (moved !== none) return moved;
    }
    this.costs[Cost.splits] += this.runs.shorten(ref, size);
    this.space.touch(ref, size);
    return ref;
  }

  private relocate(ref: Ref, size: number): Ref {
    return relocate(this, this.costs, ref, this.capacityOf(ref), size);
  }

  private addChunk(): boolean {
    const place = this.chunks.map();
    if (place < 0) return false;
    const at = place << this.chunkOrder;
    if (at + (1 << this.chunkOrder) > this.state.length) this.growColumns();
    this.used[place] = at;
    this.addFree(at, this.chunkOrder);
    return true;
  }

  private growColumns(): void {
    this.state = grown(this.state, this.state.length * 2);
    this.used = grown(this.used, this.used.length * 2);
  }
}
