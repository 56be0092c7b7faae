import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { AllocatorSpec, Ref, Timed } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { Pages, PageWord, RECORD_BITS } from "./pages.js";
import { Segments, SLICE } from "./segments.js";
import { binOf, binSizes, goodSize, LARGEST_MEDIUM } from "./size-bins.js";

/** Options of `mimalloc`, in milliseconds of virtual time. */
export interface MimallocOptions {
  purgeDelay: number;
  purgeExtendDelay: number;
}

const options: OptionTable<MimallocOptions> = {
  purgeDelay: {
    kind: "number",
    min: 0,
    max: Number.POSITIVE_INFINITY,
    default: 0.04,
    help: "free slices are given back after so many milliseconds (purge_delay), whole segments after ten times as many",
  },
  purgeExtendDelay: {
    kind: "number",
    min: 0,
    max: 1e6,
    default: 0.004,
    help: "each further free slice of a segment puts that off by so many milliseconds (purge_extend_delay)",
  },
};

const SEGMENT = 33554432;
/** Largest block in a segment with others (MI_LARGE_OBJ_SIZE_MAX). */
const LARGEST_SHARED = SEGMENT / 2;
/** Requests beyond this find no addresses. */
const LARGEST = 0x700000000;
/** What every block is aligned to, but those of 8 bytes. */
const ALIGNED = 16;
/** Blocks up to this size start at a multiple of it, and requests up to the next look for an aligned block first. */
const NATURAL = 128;
const MEDIUM = LARGEST_MEDIUM;
const RECORD = RECORD_BITS;
const LINK_BYTES = 8;

/**
 * One heap of mimalloc 2: blocks in pages of one size class, pages in segments. Requests for more than 16 MiB have a
 * segment of their own. The C library's two tables for the heap itself, some three kilobytes, are not charged.
 */
class Mimalloc implements Timed {
  private readonly space: AddressSpace;
  private readonly segments: Segments;
  private readonly pages: Pages;
  private readonly base: Address;
  private readonly end: Address;
  /** Bin of requests of n bytes, at (n + 7) >> 3. */
  private readonly bins: Uint8Array;
  /** Blocks that the program sees later than they start, for alignment: the start, and what the program sees. */
  private readonly shifted = new Map<Address, Ref>();
  /** By address of a huge block: its mapping, and bytes of the block. */
  private readonly huge = new Map<Address, { at: Address; mapped: number; bytes: number }>();

  constructor(space: AddressSpace, given: MimallocOptions) {
    this.space = space;
    this.segments = new Segments(space, given.purgeDelay, given.purgeExtendDelay);
    this.pages = new Pages(space, this.segments);
    this.base = this.segments.base;
    this.end = this.base + 0x800000000;
    this.bins = Uint8Array.from({ length: MEDIUM / 8 + 1 }, (_, i) => binOf(8 * i));
  }

  allocate(size: number, alignment = ALIGNED): Ref {
    if (size > LARGEST) return none;
    if (alignment > ALIGNED) return this.allocateAligned(size, alignment);
    return this.take(size, size);
  }

  free(ref: Ref): void {
    if (ref < this.base || ref >= this.end) {
      this.freeHuge(ref);
      return;
    }
    const page = this.pageOf(ref);
    const block = this.blockOf(page, ref);
    if (this.shifted.size > 0) this.shifted.delete(this.addressAt(page, block));
    this.pages.give(page, block);
  }

  /** In place while the block is large enough and at least half of it is used (mi_heap_realloc_zero). */
  reallocate(ref: Ref, size: number): Ref {
    if (size > LARGEST) return none;
    const before = this.capacityOf(ref);
    if (size > 0 && size <= before && size >= Math.floor(before / 2)) {
      this.space.touch(ref, size);
      return ref;
    }
    return relocate(this, this.space.costs, ref, before, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    const huge = this.huge.get(ref);
    if (huge !== undefined) return huge.bytes;
    const page = this.pageOf(ref);
    const start = this.addressAt(page, this.blockOf(page, ref));
    return this.pages.records[(page << RECORD) + PageWord.size] - (ref - start);
  }

  tick(now: number): void {
    this.segments.tick(now);
  }

  walk(map: HeapMap): void {
    const isFree = new Uint8Array(SLICE / 8);
    this.segments.walk(map, (slice, slices) => this.walkPage(map, slice, slices, isFree));
    for (const [address, { at, mapped, bytes }] of this.huge) {
      map.add(at, SLICE, Kind.header);
      map.add(at + SLICE, address - at - SLICE, Kind.padding);
      map.add(address, bytes, Kind.live, address);
      map.add(address + bytes, at + mapped - address - bytes, Kind.padding);
    }
  }

  private pageOf(ref: Address): number {
    return this.segments.first[Math.floor((ref - this.base) / SLICE)];
  }

  private blockOf(page: number, ref: Address): number {
    const at = page << RECORD;
    const { records } = this.pages;
    return ((ref - this.base - page * SLICE - records[at + PageWord.start]) / records[at + PageWord.size]) | 0;
  }

  private addressAt(page: number, block: number): Address {
    const at = page << RECORD;
    const { records } = this.pages;
    return this.base + page * SLICE + records[at + PageWord.start] + block * records[at + PageWord.size];
  }

  /** A block for `size` bytes, of which the program writes `written`. */
  private take(size: number, written: number): Ref {
    if (size > MEDIUM) return this.takeLarge(size, written);
    const bin = this.bins[(size + 7) >> 3];
    const block = this.pages.take(bin);
    if (block === 0) return none;
    const address = this.addressAt(this.pages.firstOf(bin), block - 1);
    this.space.touch(address, written);
    return address as Ref;
  }

  private takeLarge(size: number, written: number): Ref {
    if (size > LARGEST_SHARED) return this.takeHuge(size, written, 1);
    const page = this.pages.takeLarge(goodSize(size));
    if (page < 0) return none;
    const address = this.base + page * SLICE;
    this.space.touch(address, written);
    return address as Ref;
  }

  private takeHuge(size: number, written: number, alignment: number): Ref {
    const bytes = goodSize(size);
    const mapped = SLICE + bytes + (alignment > SLICE ? alignment : 0);
    const at = this.space.map(mapped, SEGMENT, Use.heap);
    if (at === 0) return none;
    const address = Math.ceil((at + SLICE) / alignment) * alignment;
    this.huge.set(address, { at, mapped, bytes });
    this.space.touch(at, 1);
    this.space.touch(address, written);
    return address as Ref;
  }

  private freeHuge(ref: Ref): void {
    const huge = this.huge.get(ref);
    if (huge === undefined) return;
    this.huge.delete(ref);
    this.space.unmap(huge.at, huge.mapped);
  }

  /**
   * A block that is aligned as it is where that is sure, or where the next one happens to be; else one that is larger by
   * the alignment, with the program's bytes inside (mi_heap_malloc_zero_aligned_at).
   */
  private allocateAligned(size: number, alignment: number): Ref {
    const bin = size <= MEDIUM ? this.bins[(size + 7) >> 3] : 0;
    const natural = bin > 0 && binSizes[bin] <= NATURAL && binSizes[bin] % alignment === 0;
    if (natural || (bin > 0 && this.nextOf(bin) % alignment === 0)) return this.take(size, size);
    const padded = size + alignment - 1;
    if (padded > LARGEST_SHARED) return this.takeHuge(size, size, alignment);
    const block = this.take(padded, 0);
    if (block === none) return none;
    const address = (Math.ceil(block / alignment) * alignment) as Ref;
    if (address !== block) this.shifted.set(block, address);
    this.space.touch(address, size);
    return address;
  }

  /** Address of the block that the first page of a bin would hand out; 1 where it has none. */
  private nextOf(bin: number): Address {
    const page = this.pages.firstOf(bin);
    const block = page < 0 ? 0 : this.pages.records[(page << RECORD) + PageWord.free];
    return block === 0 ? 1 : this.addressAt(page, block - 1);
  }

  /** `isFree` is scratch, all zero between calls. */
  private walkPage(map: HeapMap, page: number, slices: number, isFree: Uint8Array): void {
    const { records, link } = this.pages;
    const at = page << RECORD;
    const size = records[at + PageWord.size];
    const from = this.base + page * SLICE;
    map.add(from, records[at + PageWord.start], Kind.padding);
    for (const head of [PageWord.free, PageWord.freed]) {
      for (let block = records[at + head]; block !== 0; block = link[page * (SLICE / LINK_BYTES) + block - 1])
        isFree[block - 1] = 1;
    }
    const handedOut = records[at + PageWord.handedOut];
    const reserved = records[at + PageWord.reserved];
    for (let block = 0; block < reserved; block++) {
      const address = this.addressAt(page, block);
      const live = block < records[at + PageWord.capacity] && isFree[block] === 0;
      if (live) {
        const ref = this.shifted.get(address) ?? (address as Ref);
        map.add(address, ref - address, Kind.padding);
        map.add(ref, size - (ref - address), Kind.live, ref);
      } else map.add(address, size, block < handedOut ? Kind.free : Kind.fresh);
      isFree[block] = 0;
    }
    const end = this.addressAt(page, reserved);
    map.add(end, from + slices * SLICE - end, Kind.tail);
  }
}

/** mimalloc's size classes, pages and segments, with free slices given back as virtual time passes. */
export const mimalloc: AllocatorSpec<MimallocOptions> = {
  name: "mimalloc",
  title: "mimalloc 2 pages and segments",
  source: "mimalloc 2.2: page.c, page-queue.c, segment.c, alloc-aligned.c; one heap",
  indirect: false,
  alignment: 8,
  options,
  defaults: defaultsOf(options),
  variants: [{ purgeDelay: 0, purgeExtendDelay: 0 }, { purgeDelay: Number.POSITIVE_INFINITY }, { purgeDelay: 10 }],
  create: (space, given) => new Mimalloc(space, resolveOptions("mimalloc", options, given)),
};
