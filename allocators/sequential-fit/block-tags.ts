import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import type { Extent } from "./extent.js";
import type { FreeList } from "./free-list.js";
import type { Layout } from "./layout.js";
import { Tags } from "./tags.js";

/** Header and two links, at the start of a free block; its size again, the footer, at its end. */
const FREE_TAG = 24;
const FOOTER = 8;
/** Header and one link of a block in a quick list. */
const QUICK_TAG = 16;

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const SPLITS = Cost.splits;
const COALESCES = Cost.coalesces;

/** What happens to blocks that are cut and freed. */
export interface BlockRules {
  readonly layout: Layout;
  /** Granules; a smaller remainder stays inside the block. */
  readonly minSplit: number;
  readonly cutHigh: boolean;
  /** Whether free neighbours are joined. */
  readonly joins: boolean;
}

/** The blocks of a contiguous heap, with boundary tags (Knuth 2.5, algorithm C) and a list of those that are free. */
export class BlockTags {
  readonly list: FreeList;
  readonly tags: Tags;
  /** Granules of the free block that `merge` made last. */
  merged: number;
  private readonly extent: Extent;
  private readonly costs: Costs;
  private readonly layout: Layout;
  private readonly minSplit: number;
  private readonly cutHigh: boolean;
  private readonly joins: boolean;
  private readonly tagged: boolean;

  /** No blocks yet; `listOver` makes the list over a first column of tags. */
  constructor(extent: Extent, costs: Costs, rules: BlockRules, listOver: (tags: Tags) => FreeList) {
    this.merged = 0;
    this.extent = extent;
    this.costs = costs;
    this.layout = rules.layout;
    this.minSplit = rules.minSplit;
    this.cutHigh = rules.cutHigh;
    this.joins = rules.joins;
    this.tagged = rules.layout.header > 0;
    this.tags = new Tags(4096);
    this.list = listOver(this.tags);
  }

  /** Hands out the end of the free block at `at` that the rules say. Returns where the block in use starts. */
  take(at: number, need: number): number {
    if (this.cutHigh === true) return this.takeHigh(at, need);
    this.takeLow(at, need);
    return at;
  }

  /** Hands out the low end of the free block at `at`. */
  takeLow(at: number, need: number): void {
    const { tags, extent } = this;
    const size = tags.sizeAt(at);
    const left = (size - need) | 0;
    const rest = left < this.minSplit ? 0 : left;
    const taken = (size - rest) | 0;
    const end = (at + taken) | 0;
    tags.cut(at, size, taken);
    this.list.cut(at, size, end, rest);
    if (rest !== 0) {
      this.costs[SPLITS] += 1;
      if (((end + rest) | 0) > extent.resident) this.write(end, rest);
    }
    if (end > extent.used) extent.used = end;
  }

  /** The block in use at `at` of `before` granules takes in the low end of the free one behind it, to have `need` or more. */
  lengthen(at: number, before: number, need: number): void {
    const next = at + before;
    this.takeLow(next, need - before);
    const taken = this.tags.usedAt(next);
    this.tags.clearUsed(next, taken);
    this.use(at, before + taken);
  }

  /** Marks granules that are in no block as a block in use. */
  use(at: number, size: number): void {
    this.tags.setUsed(at, size);
    if (at + size > this.extent.used) this.extent.used = at + size;
  }

  /**
   * Makes the `size` granules at `at`, in use so far, free, and joins them with free neighbours if the rules say so.
   * Returns where the free block starts, which is not yet written; `merged` is its size.
   */
  merge(at: number, size: number): number {
    const { tags } = this;
    const before = this.joins === true ? tags.freeBefore(at) : 0;
    const after = this.joins === true ? tags.freeAt((at + size) | 0) : 0;
    if ((before | after) !== 0) this.costs[COALESCES] += before === 0 || after === 0 ? 1 : 2;
    tags.join(at, size, before, after);
    this.list.join(at, size, before, after);
    this.merged = (before + size + after) | 0;
    return (at - before) | 0;
  }

  /** Splits the free block at `at` so that its first `lead` granules are a block of their own, which keeps its place. */
  split(at: number, lead: number): void {
    const size = this.tags.sizeAt(at);
    this.costs[SPLITS] += 1;
    this.tags.clearFree(at, size);
    this.tags.setFree(at, lead);
    this.tags.setFree(at + lead, size - lead);
    this.list.shorten(at, size, lead);
    this.list.insert(at + lead, size - lead);
    this.write(at, lead);
    this.write(at + lead, size - lead);
  }

  /** A new free block of granules that were in none. */
  insert(at: number, size: number): void {
    this.tags.setFree(at, size);
    this.list.insert(at, size);
  }

  /** Forgets the free block at `at`: its granules are in no block. */
  remove(at: number): void {
    const size = this.tags.sizeAt(at);
    this.tags.clearFree(at, size);
    this.list.remove(at, size);
  }

  /** Moves the end of the free block at `at`, which is the last one. */
  resize(at: number, size: number): void {
    const before = this.tags.sizeAt(at);
    this.tags.clearFree(at, before);
    this.tags.setFree(at, size);
    if (size > before) this.list.extend(at, before, size);
    else this.list.shorten(at, before, size);
  }

  /** The program's and the allocator's writes to a free block that comes into being: header, links, and footer. */
  write(at: number, size: number): void {
    const { extent } = this;
    if (at + size <= extent.resident || !this.tagged) return;
    extent.touch(extent.offsetOf(at), FREE_TAG);
    if (this.joins && at + size < extent.end) extent.touch(extent.offsetOf(at + size) - FOOTER, FOOTER);
  }

  /** The allocator's writes to a block that goes to a quick list. */
  writeQuick(at: number, size: number): void {
    const { extent } = this;
    if (this.tagged && at + size > extent.resident) extent.touch(extent.offsetOf(at), QUICK_TAG);
  }

  /** The writes to the block in use at `at`: its tags, and `size` bytes by the program. */
  writeUsed(at: number, size: number): void {
    const { extent, layout } = this;
    extent.touch(extent.offsetOf(at), layout.header + size);
    if (layout.footer === 0) return;
    extent.touch(extent.offsetOf(at + this.tags.usedAt(at)) - layout.footer, layout.footer);
  }

  /** Makes room for positions up to and including `position`. */
  reach(position: number): void {
    const { length } = this.tags;
    this.tags.reach(position);
    if (this.tags.length > length) this.list.grow(this.tags.length);
  }

  /** Adds the blocks below `top`, and the free granules from there to the end of the heap, to a map. */
  walk(map: HeapMap, top: number, isQuick: (at: number) => boolean): void {
    const { layout, extent } = this;
    for (let at = 1; at < top; ) {
      const tag = this.tags.at(at);
      const size = tag > 0 ? tag : -tag;
      const end = at + size;
      if (tag > 0) {
        this.walkFree(map, at, end);
      } else if (isQuick(at)) {
        map.add(extent.base + extent.offsetOf(at), size * layout.granule, Kind.free);
      } else {
        const start = extent.base + extent.offsetOf(at);
        const address = start + layout.header;
        const capacity = size * layout.granule - layout.header - layout.footer;
        map.add(start, layout.header, Kind.header);
        map.add(address, capacity, Kind.live, address);
        map.add(address + capacity, layout.footer, Kind.header);
      }
      at = end;
    }
    this.walkFree(map, top, extent.end);
  }

  private walkFree(map: HeapMap, from: number, to: number): void {
    const { extent } = this;
    const { granule } = this.layout;
    const fresh = Math.min(Math.max(extent.used, from), to);
    map.add(extent.base + extent.offsetOf(from), (fresh - from) * granule, Kind.free);
    map.add(extent.base + extent.offsetOf(fresh), (to - fresh) * granule, Kind.fresh);
  }

  private takeHigh(at: number, need: number): number {
    const { tags } = this;
    const size = tags.sizeAt(at);
    const rest = size - need;
    if (rest < this.minSplit) {
      this.takeLow(at, size);
      return at;
    }
    this.costs[SPLITS] += 1;
    tags.clearFree(at, size);
    tags.setFree(at, rest);
    this.list.shorten(at, size, rest);
    this.write(at, rest);
    this.use(at + rest, need);
    return at + rest;
  }
}
