import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import { AlignedBlocks } from "../aligned-blocks.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { ResidentPages } from "../resident-pages.js";
import { Nodes } from "./nodes.js";

/** The unit that offsets and sizes are in: the program's choice, here what keeps blocks aligned. */
const GRANULE = 16;
const PER_GRANULE = 1 / GRANULE;
const LARGEST_RANGE = 0x400000000;
/** Bytes of a node and of its place in the stack of free ones. */
const NODE = 28 + 4;
/** sizeof(Allocator): five counters, 32 bytes of leaf bits, 256 bins, two pointers. */
const ALLOCATOR = 5 * 4 + 32 + 256 * 4 + 4 + 2 * 8;

/** Options of `offset-allocator`. */
export interface OffsetAllocatorOptions {
  range: number;
  maxAllocs: number;
  growth: number;
}

const options: OptionTable<OffsetAllocatorOptions> = {
  range: {
    kind: "bytes",
    min: 65536,
    max: LARGEST_RANGE,
    default: 0x40000000,
    help: "bytes that offsets are given out of",
  },
  maxAllocs: {
    kind: "integer",
    min: 0,
    max: 1 << 26,
    default: 0,
    help: "nodes set aside at once, 131072 in the original, or 0: a table that grows page by page with the nodes in use",
  },
  growth: {
    kind: "bytes",
    min: 4096,
    max: 1 << 30,
    default: 65536,
    help: "the range is mapped from below in such steps",
  },
};

/**
 * Sebastian Aaltonen's OffsetAllocator, which hands out offsets into memory that it never looks at, a GPU heap for
 * instance: free ranges in 256 bins, the first range of the lowest bin that surely fits, any remainder a range again,
 * neighbours merged at once. Nothing is written into the heap; nodes are beside it, 32 bytes each under `Use.meta`.
 *
 * The range is fixed, and a request beyond it finds no memory. Its pages are mapped up to the highest block handed out
 * and never given back. A block is reallocated in place where it has room, as the original has no reallocation. For
 * alignment beyond 16 bytes it has no means either: the program asks for that much more and starts inside.
 */
class OffsetAllocator implements Allocator {
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly base: Address;
  private readonly table: Address;
  private readonly range: number;
  private readonly growth: number;
  private readonly maxAllocs: number;
  private readonly nodes: Nodes;
  private readonly pages: ResidentPages;
  private readonly aligned = new AlignedBlocks();
  /** Node of the block that starts at a granule: the original's caller keeps it. */
  private nodeAt = new Int32Array(4096);
  /** Bytes mapped of the range and of the table, and the end of the highest block handed out. */
  private mapped = 0;
  private tableMapped = 0;
  private used = 0;

  constructor(space: AddressSpace, given: OffsetAllocatorOptions) {
    this.space = space;
    this.costs = space.costs;
    this.range = Math.floor(given.range / space.pageSize) * space.pageSize;
    this.growth = Math.ceil(given.growth / space.pageSize) * space.pageSize;
    this.maxAllocs = given.maxAllocs;
    this.base = space.reserve(this.range, 1 << 20);
    const most = given.maxAllocs > 0 ? given.maxAllocs : this.range * PER_GRANULE + 1;
    this.table = space.reserve(ALLOCATOR + most * NODE, space.pageSize);
    this.nodes = new Nodes(this.range * PER_GRANULE, given.maxAllocs, space.costs);
    this.pages = new ResidentPages(space, this.base);
  }

  allocate(size: number, alignment = GRANULE): Ref {
    // An object of no bytes has one, or its aligned address could be that of the next block.
    const bytes = alignment > GRANULE ? Math.max(1, size) + alignment - GRANULE : size;
    if (bytes > this.range) return none;
    const node = this.take(bytes === 0 ? 1 : Math.ceil(bytes * PER_GRANULE));
    if (node < 0) return none;
    const start = this.base + this.nodes.offsetOf(node) * GRANULE;
    if (alignment === GRANULE) {
      this.pages.touch(start - this.base, size);
      return start as Ref;
    }
    const address = Math.ceil(start / alignment) * alignment;
    this.aligned.add(address, start);
    this.pages.touch(address - this.base, size);
    return address as Ref;
  }

  free(ref: Ref): void {
    const start = this.aligned.remove(ref);
    this.nodes.free(this.nodeAt[(start - this.base) * PER_GRANULE]);
  }

  reallocate(ref: Ref, size: number): Ref {
    const capacity = this.capacityOf(ref);
    if (size <= capacity) {
      this.pages.touch(ref - this.base, size);
      return ref;
    }
    return relocate(this, this.costs, ref, capacity, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    const start = this.aligned.startOf(ref);
    return start + this.nodes.sizeOf(this.nodeAt[(start - this.base) * PER_GRANULE]) * GRANULE - ref;
  }

  walk(map: HeapMap): void {
    const { nodes, base } = this;
    for (let node = nodes.first; node >= 0; node = nodes.next(node)) {
      const start = nodes.offsetOf(node) * GRANULE;
      const end = Math.min(start + nodes.sizeOf(node) * GRANULE, this.mapped);
      if (nodes.isUsed(node)) {
        const address = this.aligned.addressIn(base + start);
        map.add(base + start, address - base - start, Kind.padding);
        map.add(address, base + end - address, Kind.live, address);
      } else if (start < end) {
        const fresh = Math.min(Math.max(start, this.used), end);
        map.add(base + start, fresh - start, Kind.free);
        map.add(base + fresh, end - fresh, Kind.fresh);
      }
    }
    map.add(this.table, this.tableMapped, Kind.meta);
  }

  /** A range of so many granules, mapped; -1 where there is none or no memory for it. */
  private take(granules: number): number {
    const { nodes, costs } = this;
    const splits = costs[Cost.splits];
    const coalesces = costs[Cost.coalesces];
    const node = nodes.allocate(granules);
    if (node < 0) return -1;
    const at = nodes.offsetOf(node);
    const end = (at + granules) * GRANULE;
    if (!this.mapTable() || (end > this.mapped && !this.mapTo(end))) {
      // Merged with its remainder the range is first in its bin again, as it was.
      nodes.free(node);
      costs[Cost.splits] = splits;
      costs[Cost.coalesces] = coalesces;
      return -1;
    }
    if (end > this.used) this.used = end;
    this.nodeAt[at] = node;
    return node;
  }

  private mapTable(): boolean {
    const nodes = this.maxAllocs > 0 ? this.maxAllocs : this.nodes.high;
    const bytes = ALLOCATOR + nodes * NODE;
    if (bytes <= this.tableMapped) return true;
    const { pageSize } = this.space;
    const missing = Math.ceil(bytes / pageSize) * pageSize - this.tableMapped;
    if (!this.space.commit(this.table + this.tableMapped, missing, Use.meta)) return false;
    this.tableMapped += missing;
    return true;
  }

  private mapTo(end: number): boolean {
    const wanted = Math.min(Math.ceil(end / this.growth) * this.growth, this.range);
    if (!this.space.commit(this.base + this.mapped, wanted - this.mapped, Use.heap)) return false;
    this.mapped = wanted;
    this.pages.reach(wanted);
    if (wanted * PER_GRANULE > this.nodeAt.length) {
      this.nodeAt = grown(this.nodeAt, Math.max(wanted * PER_GRANULE, this.nodeAt.length * 2));
    }
    return true;
  }
}

/** OffsetAllocator; `Cost.listHops` stays 0, because no list is searched beyond its head. */
export const offsetAllocator: AllocatorSpec<OffsetAllocatorOptions> = {
  name: "offset-allocator",
  title: "OffsetAllocator, bins of small floats beside the heap",
  source: "Aaltonen 2023, OffsetAllocator (offsetAllocator.cpp): allocate, free, insertNodeIntoBin, SmallFloat",
  indirect: false,
  alignment: GRANULE,
  options,
  defaults: defaultsOf(options),
  variants: [
    { maxAllocs: 40_000, growth: 4096 },
    { range: 3 << 20, growth: 1 << 20 },
  ],
  create: (space, given) => new OffsetAllocator(space, resolveOptions("offset-allocator", options, given)),
};
