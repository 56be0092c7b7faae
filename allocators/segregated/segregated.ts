import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import type { Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import { AlignedBlocks } from "../aligned-blocks.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { ResidentPages } from "../resident-pages.js";
import { PageClasses } from "./page-classes.js";

const GRANULE = 16;
const PER_GRANULE = 1 / GRANULE;
const PAGE_GRANULES = 4096 / GRANULE;
/** In band: the class, and a pad that keeps the program's bytes aligned. */
const HEADER = 16;
/** Bytes of a free block's link. */
const LINK = 8;
/** 32 GiB of addresses. */
const RESERVED = 0x800000000;
/** Classes 2k and 2k - 1: blocks of 2^k and 3 * 2^(k-2) granules. */
const CLASSES = 62;
/** In `links`: the block is in use, or free with no other behind it. Else the next free block. */
const LIVE = -2;
const LAST = -1;

/** Options of `segregated`. */
export interface SegregatedOptions {
  classes: "powers" | "thirds";
  header: "out" | "in";
}

const options: OptionTable<SegregatedOptions> = {
  classes: {
    kind: "choice",
    values: ["powers", "thirds"],
    default: "powers",
    help: "sizes of blocks: 2^k, or 2^k and 3 * 2^k, from 16 bytes",
  },
  header: {
    kind: "choice",
    values: ["out", "in"],
    default: "out",
    help: "the class in a byte for each page beside the heap, or in a 16-byte header, so that 2^k bytes take 2^(k+1)",
  },
};

/**
 * Simple segregated storage: one list of free blocks for each class, the one freed last first. Where it is empty a run of
 * pages at the end of the heap is cut up for the class: a page for blocks of up to a page, three for those of 3 * 2^k
 * bytes up to 12 KiB, else as many as the block has. Blocks are never split, merged or given back, and a page is of one
 * class for good.
 *
 * A run is cut as its blocks are asked for. **Touched** are header and program's bytes of a block handed out, and the link
 * of a free one. A block is reallocated in place while its class stays. **Alignment** that blocks of the class do not
 * have by nature takes a larger block, with the program's bytes inside.
 */
class Segregated implements Allocator {
  private readonly costs: Costs;
  private readonly space: AddressSpace;
  private readonly base: Address;
  private readonly thirds: boolean;
  private readonly header: number;
  private readonly pages: ResidentPages;
  private readonly kinds: PageClasses;
  private readonly aligned = new AlignedBlocks();
  /** Granules mapped. */
  private end = 0;
  /** At the first granule of a block. */
  private links = new Int32Array(4096);
  /** First free block of each class, or LAST. */
  private readonly heads = new Int32Array(CLASSES).fill(LAST);
  /** The uncut part of each class's newest run. */
  private readonly uncut = new Int32Array(CLASSES);
  private readonly uncutEnd = new Int32Array(CLASSES);

  constructor(space: AddressSpace, given: SegregatedOptions) {
    this.costs = space.costs;
    this.space = space;
    this.base = space.reserve(RESERVED, 1 << 20);
    this.thirds = given.classes === "thirds";
    this.header = given.header === "in" ? HEADER : 0;
    this.pages = new ResidentPages(space, this.base);
    this.kinds = new PageClasses(space, given.header === "out");
  }

  allocate(size: number, alignment = GRANULE): Ref {
    if (size > RESERVED / 4) return none;
    if (alignment > GRANULE) return this.allocateAligned(size, alignment);
    const at = this.take(this.classFor(size + this.header));
    if (at < 0) return none;
    const offset = at * GRANULE;
    this.pages.touch(offset, this.header + size);
    return (this.base + offset + this.header) as Ref;
  }

  free(ref: Ref): void {
    const at = (this.aligned.remove(ref - this.header) - this.base) * PER_GRANULE;
    const kind = this.kinds.of(at / PAGE_GRANULES);
    this.links[at] = this.heads[kind];
    this.heads[kind] = at;
    this.pages.touch(at * GRANULE, LINK);
  }

  reallocate(ref: Ref, size: number): Ref {
    if (size > RESERVED / 4) return none;
    const start = this.aligned.startOf(ref - this.header);
    const kind = this.kinds.of((start - this.base) / 4096);
    const capacity = this.capacityOf(ref);
    if (this.classFor(ref - start + size) !== kind) {
      const moved = relocate(this, this.costs, ref, capacity, size);
      if (moved !== none || size > capacity) return moved;
    }
    this.pages.touch(ref - this.base, size);
    return ref;
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    const start = this.aligned.startOf(ref - this.header);
    return start + granulesOf(this.kinds.of((start - this.base) / 4096)) * GRANULE - ref;
  }

  walk(map: HeapMap): void {
    for (let at = 0; at < this.end; ) {
      const kind = this.kinds.of(at / PAGE_GRANULES);
      const end = at + runOf(kind);
      const uncut = this.uncutEnd[kind] === end ? this.uncut[kind] : end;
      for (; at < uncut; at += granulesOf(kind)) this.walkBlock(map, at, granulesOf(kind) * GRANULE);
      map.add(this.base + at * GRANULE, (end - at) * GRANULE, Kind.fresh);
      at = end;
    }
    this.kinds.walk(map);
  }

  private walkBlock(map: HeapMap, at: number, bytes: number): void {
    const start = this.base + at * GRANULE;
    if (this.links[at] !== LIVE) {
      map.add(start, bytes, Kind.free);
      return;
    }
    const address = this.aligned.addressIn(start) + this.header;
    map.add(start, this.header, Kind.header);
    map.add(start + this.header, address - start - this.header, Kind.padding);
    map.add(address, start + bytes - address, Kind.live, address);
  }

  private classFor(bytes: number): number {
    const granules = bytes <= GRANULE ? 1 : Math.ceil(bytes * PER_GRANULE);
    const power = 32 - Math.clz32(granules - 1);
    return this.thirds && power > 1 && granules <= 3 << (power - 2) ? power * 2 - 1 : power * 2;
  }

  /** A block of a class, live now; -1 where there is no memory. */
  private take(kind: number): number {
    let at = this.heads[kind];
    if (at >= 0) {
      this.heads[kind] = this.links[at];
    } else {
      if (this.uncut[kind] === this.uncutEnd[kind] && !this.addRun(kind)) return -1;
      at = this.uncut[kind];
      this.uncut[kind] = at + granulesOf(kind);
    }
    this.links[at] = LIVE;
    return at;
  }

  private addRun(kind: number): boolean {
    const granules = runOf(kind);
    const start = this.end;
    const end = start + granules;
    if (end * GRANULE > RESERVED || !this.kinds.add(start / PAGE_GRANULES, granules / PAGE_GRANULES, kind))
      return false;
    if (!this.space.commit(this.base + start * GRANULE, granules * GRANULE, Use.heap)) {
      this.kinds.drop(start / PAGE_GRANULES);
      return false;
    }
    this.end = end;
    this.uncut[kind] = start;
    this.uncutEnd[kind] = end;
    this.pages.reach(end * GRANULE);
    if (end > this.links.length) {
      this.links = grown(this.links, Math.max(end, this.links.length * 2));
    }
    return true;
  }

  /** Blocks of 2^k bytes up to a page lie at multiples of their size. */
  private allocateAligned(size: number, alignment: number): Ref {
    const natural = this.header === 0 && alignment <= 4096;
    const bytes = natural ? Math.max(size, alignment) : size + this.header + alignment - GRANULE;
    let kind = this.classFor(bytes);
    if (natural && kind % 2 !== 0) kind += 1;
    const at = this.take(kind);
    if (at < 0) return none;
    const start = this.base + at * GRANULE;
    const address = Math.ceil((start + this.header) / alignment) * alignment;
    this.aligned.add(address - this.header, start);
    this.pages.touch(at * GRANULE, this.header);
    this.pages.touch(address - this.header - this.base, this.header + size);
    return address as Ref;
  }
}

/** Granules of a block of a class: 2^k for 2k, 3 * 2^(k-2) for 2k - 1. */
function granulesOf(kind: number): number {
  return (kind & 1) === 0 ? 1 << (kind >> 1) : 3 << ((kind - 3) >> 1);
}

/** Granules of a run of a class, in whole pages: no part of it is left over. */
function runOf(kind: number): number {
  return Math.max(granulesOf(kind), (kind & 1) === 0 ? PAGE_GRANULES : 3 * PAGE_GRANULES);
}

/** Simple segregated storage, the worst of Johnstone & Wilson's policies. */
export const segregated: AllocatorSpec<SegregatedOptions> = {
  name: "segregated",
  title: "Simple segregated storage, no splitting or merging",
  source:
    "Kingsley 1982, 4.2BSD malloc.c: malloc, morecore, free; Johnstone & Wilson 1998, section 3: simple segregated 2^N, 2^N & 3*2^N",
  indirect: false,
  alignment: GRANULE,
  options,
  defaults: defaultsOf(options),
  variants: [{ classes: "thirds" }, { header: "in" }, { classes: "thirds", header: "in" }],
  create: (space, given) => new Segregated(space, resolveOptions("segregated", options, given)),
};
