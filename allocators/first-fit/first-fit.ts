import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, resolveOptions } from "../../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { BoundaryTags, granulesFor, HEADER, MIN_BLOCK } from "./boundary-tags.js";
import { Extent, GRANULE, PER_GRANULE, RESERVED } from "./extent.js";
import { type FirstFitOptions, firstFitOptions } from "./options.js";

const LARGEST = RESERVED - 4096;

/**
 * Address-ordered first fit with boundary tags and immediate coalescing, in one contiguous heap: blocks of a multiple
 * of 16 bytes, at least 32, cut from the low end of the lowest free block that is large enough. The first 8 bytes of
 * the heap are padding and the last 8 its tail, so that the program's bytes start at multiples of 16.
 *
 * **Wilderness.** Both kinds place a request alike as long as remainders are blocks, because the free end of the heap is
 * last in address order, and both grow the heap by what the free end lacks. `ordinary`: the free end is a block like any
 * other; the list holds it, a search that reaches it counts it, and a remainder below `minSplit` stays in the block cut
 * from it. `preserved` (Korn and Vo 1985): the free end is not in the list and costs no hop; what is cut from it or
 * freed next to it moves its lower bound, so that it takes in remainders of any size, down to nothing.
 *
 * **Growth** is the smallest multiple of `growth` (in whole pages) that makes the free end large enough. A block that
 * ends where the heap or its free end does is reallocated in place by growing the heap. **Trim**: where a block is
 * freed or cut and the free end then has at least `trim` bytes, the fewest whole pages are unmapped that leave at most
 * `growth` bytes of it (one page less where an ordinary block would be left too short to be one).
 *
 * **Touched** is every word that the modelled allocator and the program write: header and program's bytes of a block
 * when it is handed out, header, links and footer of a free block when it comes into being. The preserved end has none.
 */
class FirstFit implements Allocator {
  private readonly extent: Extent;
  private readonly costs: Costs;
  private readonly blocks: BoundaryTags;
  private readonly base: Address;
  private readonly trim: number;
  private readonly minSplit: number;
  private readonly preserved: boolean;
  /** Where the blocks end: at the end of the heap, unless the wilderness is preserved. */
  private top: number;

  constructor(space: AddressSpace, given: FirstFitOptions) {
    this.extent = new Extent(space, given.growth);
    this.costs = space.costs;
    this.minSplit = Math.ceil(given.minSplit * PER_GRANULE);
    this.blocks = new BoundaryTags(this.extent, space.costs, this.minSplit);
    this.base = this.extent.base;
    this.trim = given.trim === 0 ? Number.POSITIVE_INFINITY : Math.ceil(given.trim * PER_GRANULE);
    this.preserved = given.wilderness === "preserved";
    this.top = 1;
  }

  allocate(size: number, alignment = GRANULE): Ref {
    if (size > LARGEST) return none;
    const need = granulesFor(size);
    if (alignment > GRANULE) return this.allocateAligned(size, need, alignment * PER_GRANULE);
    const index = this.blocks.index;
    let at = index.first(need);
    this.costs[Cost.listHops] += index.hops;
    if (at >= 0) {
      this.blocks.take(at, need);
    } else {
      at = this.freeEnd();
      if (!this.growTo(at + need)) return none;
      this.takeFromEnd(at, need);
    }
    return this.handOut(at, need, size);
  }

  free(ref: Ref): void {
    const at = this.positionOf(ref);
    this.release(at, -this.blocks.tags[at]);
  }

  reallocate(ref: Ref, size: number): Ref {
    if (size > LARGEST) return none;
    const at = this.positionOf(ref);
    const before = -this.blocks.tags[at];
    const need = granulesFor(size);
    if (need <= before) this.cut(at, before, need);
    else if (!this.growInPlace(at, before, need)) return this.relocate(ref, before, size);
    return this.handOut(at, need, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    return -this.blocks.tags[this.positionOf(ref)] * GRANULE - HEADER;
  }

  walk(map: HeapMap): void {
    const { base, extent } = this;
    if (extent.end === 0) return;
    map.add(base, HEADER, Kind.padding);
    this.blocks.walk(map, base, this.top);
    map.add(base + extent.end * GRANULE - HEADER, HEADER, Kind.tail);
  }

  private positionOf(ref: Ref): number {
    return ((ref - this.base) * PER_GRANULE) | 0;
  }

  /** The program writes `size` bytes of the block at `at`, which has `need` granules or more. */
  private handOut(at: number, need: number, size: number): Ref {
    if (at + need > this.extent.resident) this.extent.touch(at * GRANULE - HEADER, HEADER + size);
    return (this.base + at * GRANULE) as Ref;
  }

  /**
   * Uses the lowest block in which an aligned address leaves `need` granules. Blocks that are long enough but lie badly
   * are looked at one by one, in O(log heap) each.
   */
  private allocateAligned(size: number, need: number, alignment: number): Ref {
    const { index } = this.blocks;
    let at = index.first(need);
    while (at >= 0 && this.lead(at, alignment) + need > this.blocks.tags[at]) at = index.next(at, need);
    this.costs[Cost.listHops] += index.hops;
    const listed = at >= 0;
    if (!listed) at = this.freeEnd();
    const lead = this.lead(at, alignment);
    if (!listed && !this.growTo(at + lead + need)) return none;
    if (lead > 0) this.splitOff(at, lead);
    at += lead;
    if (listed) this.blocks.take(at, need);
    else this.takeFromEnd(at, need);
    return this.handOut(at, need, size);
  }

  /** Granules from `at` to the first aligned position that leaves none, or room for a free block, before it. */
  private lead(at: number, alignment: number): number {
    const over = (this.base * PER_GRANULE + at) % alignment;
    const lead = over === 0 ? 0 : alignment - over;
    return lead === 0 || lead >= MIN_BLOCK ? lead : lead + alignment;
  }

  /** Makes the first `lead` granules of the free block, or the preserved end, at `at` a block of their own. */
  private splitOff(at: number, lead: number): void {
    if (at < this.top) {
      this.blocks.split(at, lead);
    } else {
      this.costs[Cost.splits] += 1;
      this.blocks.insert(at, lead);
      this.blocks.write(at, lead);
      this.top = at + lead;
    }
  }

  /** Hands out the low end of the free end of the heap, which starts at `at` and is large enough. */
  private takeFromEnd(at: number, need: number): void {
    if (!this.preserved) {
      this.blocks.take(at, need);
      return;
    }
    if (at + need < this.extent.end) this.costs[Cost.splits] += 1;
    this.blocks.use(at, need);
    this.top = at + need;
  }

  /** Frees the `size` granules at `at`, which are in use. */
  private release(at: number, size: number): void {
    const start = this.blocks.merge(at, size);
    const total = this.blocks.tags[start];
    const last = start + total === this.top;
    if (last && this.preserved) {
      if (this.extent.end > this.top) this.costs[Cost.coalesces] += 1;
      this.blocks.remove(start);
      this.top = start;
    } else {
      this.blocks.write(start, total);
    }
    if (last) this.trimEnd(start);
  }

  /** Shortens a block in use by the part behind `need` granules, where that part can be a block or join the end. */
  private cut(at: number, before: number, need: number): void {
    const rest = before - need;
    const joinsEnd = this.preserved && rest > 0 && at + before === this.top;
    if (rest < this.minSplit && !joinsEnd) return;
    this.costs[Cost.splits] += 1;
    this.blocks.use(at, need);
    if (!joinsEnd) {
      this.release(at + need, rest);
      return;
    }
    if (this.extent.end > this.top) this.costs[Cost.coalesces] += 1;
    this.top = at + need;
    this.trimEnd(this.top);
  }

  /** Extends a block in use into the free block behind it, or into the end of the heap; `false` where neither is. */
  private growInPlace(at: number, before: number, need: number): boolean {
    const next = at + before;
    const last = next + Math.max(this.blocks.tags[next], 0) === this.top;
    if (last && !this.growTo(at + need)) return false;
    const after = this.blocks.tags[next];
    const joinsEnd = last && this.preserved;
    if (!joinsEnd && (after <= 0 || before + after < need)) return false;
    this.costs[Cost.coalesces] += 1;
    if (joinsEnd) {
      this.takeFromEnd(at, need);
    } else {
      this.blocks.take(next, need - before);
      const taken = -this.blocks.tags[next];
      this.blocks.tags[next] = 0;
      this.blocks.use(at, before + taken);
    }
    return true;
  }

  private relocate(ref: Ref, before: number, size: number): Ref {
    const moved = this.allocate(size);
    if (moved === none) return none;
    this.costs[Cost.bytesCopied] += before * GRANULE - HEADER;
    this.free(ref);
    return moved;
  }

  /** Where the free end of the heap starts: the end itself where the last block is in use. */
  private freeEnd(): number {
    if (this.preserved || this.extent.end === 0) return this.top;
    return this.top - Math.max(this.blocks.tags[this.top - 1], 0);
  }

  /** Grows the heap to at least `position`; ordinary new memory joins the free block at its end, or becomes one. */
  private growTo(position: number): boolean {
    if (position <= this.extent.end) return true;
    const at = this.freeEnd();
    if (!this.extent.growTo(position)) return false;
    const { end } = this.extent;
    this.blocks.reach(end);
    if (this.preserved) return true;
    if (at < this.top) this.blocks.resize(at, end - at);
    else this.blocks.insert(at, end - at);
    this.top = end;
    return true;
  }

  /** Gives the free end of the heap, which starts at `at`, back as far as the rule above says. */
  private trimEnd(at: number): void {
    if (this.extent.end - at < this.trim) return;
    const gone = this.extent.shrinkAbove(at, this.preserved ? 0 : MIN_BLOCK);
    if (gone === 0 || this.preserved) return;
    this.top = this.extent.end;
    this.blocks.resize(at, this.top - at);
  }
}

/**
 * Address-ordered first fit, found in O(log heap), with the hops of the textbook's linear list in `Cost.listHops`: the
 * free blocks looked at, up to and including the one chosen, or all of them where none fits.
 */
export const firstFit: AllocatorSpec<FirstFitOptions> = {
  name: "first-fit",
  title: "First fit, address order, boundary tags",
  source: "Knuth, The Art of Computer Programming 1, section 2.5, algorithms A and C; Korn and Vo 1985 (wilderness)",
  indirect: false,
  alignment: GRANULE,
  options: firstFitOptions,
  defaults: defaultsOf(firstFitOptions),
  variants: [
    { wilderness: "preserved" },
    { minSplit: 128 },
    { growth: 4096, trim: 4096 },
    { wilderness: "preserved", growth: 4096, trim: 8192, minSplit: 64 },
    { trim: 0 },
  ],
  create: (space, given) => new FirstFit(space, resolveOptions("first-fit", firstFitOptions, given)),
};
