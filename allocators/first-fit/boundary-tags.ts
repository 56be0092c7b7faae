import type { Address } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { type Extent, GRANULE, PER_GRANULE } from "./extent.js";
import { FreeIndex } from "./free-index.js";

/** A block's header, just below the address that the program gets. */
export const HEADER = 8;
/** Header and two links, at the start of a free block; its size again, the footer, at its end. */
const FREE_TAG = 24;
const FOOTER = 8;
/** Granules for header, two links and footer. */
export const MIN_BLOCK = 2;

/** Granules of a block for `size` bytes: with its header, and at least the minimum. */
export function granulesFor(size: number): number {
  const granules = size < 0x80000000 ? (size + HEADER + GRANULE - 1) >>> 4 : Math.ceil((size + HEADER) * PER_GRANULE);
  return granules < MIN_BLOCK ? MIN_BLOCK : granules;
}

/**
 * The blocks of a contiguous heap, with boundary tags (Knuth 2.5, algorithm C) and an index of those that are free.
 *
 * The block at position `p` of `n` granules covers bytes [16p - 8, 16(p + n) - 8) of the heap: its header, then the
 * program's bytes from 16p on. A free block holds header, two links and, unless it ends the heap, a footer.
 */
export class BoundaryTags {
  readonly index: FreeIndex;
  /**
   * At the first granule of a block its size, negative when the block is in use; at the last granule of a free block
   * its size again; all other entries are 0, those behind the last block too.
   */
  tags: Int32Array;
  private readonly extent: Extent;
  private readonly costs: Costs;
  private readonly minSplit: number;

  /** No blocks yet. A remainder below `minSplit` granules stays inside the block. */
  constructor(extent: Extent, costs: Costs, minSplit: number) {
    this.extent = extent;
    this.costs = costs;
    this.minSplit = minSplit;
    this.tags = new Int32Array(4096);
    this.index = new FreeIndex(this.tags);
  }

  /** Hands out the low end of the free block at `at`. */
  take(at: number, need: number): void {
    const tags = this.tags;
    const size = tags[at];
    const rest = size - need;
    let taken = need;
    if (rest >= this.minSplit) {
      this.costs[Cost.splits] += 1;
      this.tag(at + need, rest);
      this.index.move(at, size, at + need, rest);
      this.write(at + need, rest);
    } else {
      taken = size;
      tags[at + size - 1] = 0;
      this.index.remove(at, size);
    }
    this.use(at, taken);
  }

  /** Marks granules that are in no block as a block in use. */
  use(at: number, size: number): void {
    this.tags[at] = -size;
    if (at + size > this.extent.used) this.extent.used = at + size;
  }

  /**
   * Makes the `size` granules at `at`, in use so far, free, and coalesces them with their neighbours. Returns where the
   * free block starts, which is not yet written.
   */
  merge(at: number, size: number): number {
    const tags = this.tags;
    const next = at + size;
    const before = tags[at - 1];
    const after = tags[next];
    let start = at;
    let total = size;
    if (after > 0) {
      tags[next] = 0;
      total += after;
      this.costs[Cost.coalesces] += 1;
    }
    if (before > 0) {
      tags[at - 1] = 0;
      tags[at] = 0;
      start -= before;
      total += before;
      this.costs[Cost.coalesces] += 1;
      if (after > 0) this.index.remove(next, after);
      this.index.extend(start, total);
    } else if (after > 0) {
      this.index.move(next, after, at, total);
    } else {
      this.index.insert(at, total);
    }
    this.tag(start, total);
    return start;
  }

  /** Splits the free block at `at` so that its first `lead` granules are a block of their own. */
  split(at: number, lead: number): void {
    const size = this.tags[at];
    this.costs[Cost.splits] += 1;
    this.tag(at, lead);
    this.tag(at + lead, size - lead);
    this.index.shorten(at, size);
    this.index.insert(at + lead, size - lead);
    this.write(at, lead);
    this.write(at + lead, size - lead);
  }

  /** A new free block of granules that were in none, between blocks in use. */
  insert(at: number, size: number): void {
    this.tag(at, size);
    this.index.insert(at, size);
  }

  /** Forgets the free block at `at`: its granules are in no block. */
  remove(at: number): void {
    const size = this.tags[at];
    this.index.remove(at, size);
    this.tags[at + size - 1] = 0;
    this.tags[at] = 0;
  }

  /** Moves the end of the free block at `at`, which is the last one. */
  resize(at: number, size: number): void {
    const before = this.tags[at];
    this.tags[at + before - 1] = 0;
    this.tag(at, size);
    if (size > before) this.index.extend(at, size);
    else this.index.shorten(at, before);
  }

  /** The program's and the allocator's writes to a free block that comes into being: header, links, and footer. */
  write(at: number, size: number): void {
    if (at + size <= this.extent.resident) return;
    this.extent.touch(at * GRANULE - HEADER, FREE_TAG);
    if (at + size < this.extent.end) this.extent.touch((at + size) * GRANULE - HEADER - FOOTER, FOOTER);
  }

  /** Makes room for positions up to and including `position`. */
  reach(position: number): void {
    let capacity = this.tags.length;
    if (position < capacity) return;
    while (capacity <= position) capacity *= 2;
    const tags = new Int32Array(capacity);
    tags.set(this.tags);
    this.tags = tags;
    this.index.grow(tags);
  }

  /** Adds the blocks below `top`, and the free granules from there to the end of the heap, to a map. */
  walk(map: HeapMap, base: Address, top: number): void {
    for (let at = 1; at < top; ) {
      const tag = this.tags[at];
      if (tag > 0) {
        this.walkFree(map, base, at, at + tag);
        at += tag;
      } else {
        const address = base + at * GRANULE;
        map.add(address - HEADER, HEADER, Kind.header);
        map.add(address, -tag * GRANULE - HEADER, Kind.live, address);
        at -= tag;
      }
    }
    this.walkFree(map, base, top, this.extent.end);
  }

  private walkFree(map: HeapMap, base: Address, from: number, to: number): void {
    const fresh = Math.min(Math.max(this.extent.used, from), to);
    map.add(base + from * GRANULE - HEADER, (fresh - from) * GRANULE, Kind.free);
    map.add(base + fresh * GRANULE - HEADER, (to - fresh) * GRANULE, Kind.fresh);
  }

  private tag(at: number, size: number): void {
    this.tags[at] = size;
    this.tags[at + size - 1] = size;
  }
}
