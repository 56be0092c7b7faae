import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import type { Allocator, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { BlockTags } from "./block-tags.js";
import { Extent, RESERVED } from "./extent.js";
import type { FreeList } from "./free-list.js";
import { leadTo, wideGranules } from "./layout.js";
import { listOver } from "./list-over.js";
import type { Fit, ResolvedFit } from "./options.js";
import { QuickLists } from "./quick-lists.js";

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const LIST_HOPS = Cost.listHops;
const NONE = none;

const LARGEST = RESERVED - 4096;
/** Smaller sizes are in 32 bits, rounded up too. */
const SMALL = 0x40000000;
/** Best and worst fit know sizes below 2^30 granules. */
const SIZE_LIMIT = 0x3fffffff;

/**
 * A sequential fit in one contiguous heap (docs/sequential-fits.md). The program's bytes start at multiples of the
 * layout's granule; with headers the first 8 bytes of the heap are padding for that and the last 8 its tail.
 *
 * **Wilderness.** `ordinary`: the free end of the heap is a block like any other; the list holds it, a search that
 * reaches it counts it, and a remainder below `minSplit` stays in the block cut from it. `preserved` (Korn and Vo 1985):
 * the free end is not in the list and costs no hop; what is cut from it, always at its low end, or joined with it moves
 * its lower bound, so that it takes in remainders of any size, down to nothing.
 *
 * **Growth** is the smallest multiple of `growth` (in whole pages), or with 0 exactly what makes the free end large
 * enough. A block that ends where the heap or its free end does is reallocated in place by growing the heap. **Trim**:
 * where a block is freed or cut and the free end then has at least `trim` bytes, the fewest whole pages are unmapped
 * that leave at most `growth` bytes of it (one page less where an ordinary block would be left too short to be one).
 *
 * **Deferred** coalescing keeps freed blocks in quick lists by exact size. A request takes from the list of its size
 * before it searches; where no block fits, all lists are emptied, smallest size first, and the search is made again.
 *
 * **Touched** is every word that the modelled allocator and the program write: tags and program's bytes of a block when
 * it is handed out, header, links and footer of a free block when it comes into being. The preserved end has none.
 */
export class SequentialFit implements Allocator {
  private readonly extent: Extent;
  private readonly costs: Costs;
  private readonly blocks: BlockTags;
  private readonly list: FreeList;
  /** What is added to a block's position, in bytes, to have the program's address. */
  private readonly origin: Address;
  private readonly granule: number;
  private readonly perGranule: number;
  private readonly shift: number;
  private readonly minBlock: number;
  /** Bytes of a block that the program does not get. */
  private readonly overhead: number;
  /** Overhead, and what rounds up to granules. */
  private readonly rounding: number;
  private readonly trim: number;
  private readonly minSplit: number;
  private readonly preserved: boolean;
  private readonly joins: boolean;
  private readonly quick: QuickLists | undefined;
  private readonly quickLargest: number;
  private readonly quickCount: number;
  /** Where the blocks end: at the end of the heap, unless the wilderness is preserved. */
  private top: number;

  constructor(space: AddressSpace, fit: Fit, given: ResolvedFit) {
    const { layout } = given;
    const { granule, perGranule } = layout;
    this.extent = new Extent(space, layout, given.growth, fit === "best" || fit === "worst" ? SIZE_LIMIT : undefined);
    this.costs = space.costs;
    this.origin = this.extent.base - layout.lead + layout.header;
    // Options may come as doubles; what is kept as one costs a conversion at each use.
    this.granule = granule | 0;
    this.perGranule = perGranule;
    this.shift = layout.shift;
    this.minBlock = layout.minBlock;
    this.overhead = layout.header + layout.footer;
    this.rounding = (this.overhead + granule - 1) | 0;
    this.trim = Math.ceil(given.trim * perGranule);
    this.minSplit = Math.ceil(given.minSplit * perGranule) | 0;
    this.preserved = given.wilderness === "preserved";
    this.joins = given.coalesce !== "none";
    const rules = { layout, minSplit: this.minSplit, cutHigh: given.cut === "high", joins: this.joins };
    this.blocks = new BlockTags(this.extent, space.costs, rules, (tags) => listOver(fit, given, tags));
    this.list = this.blocks.list;
    const deferred = given.coalesce === "deferred";
    this.quickLargest = deferred ? Math.floor(given.quickLargest * perGranule) : 0;
    this.quickCount = given.quickCount;
    this.quick = deferred ? new QuickLists(this.quickLargest) : undefined;
    this.quick?.grow(this.blocks.tags.length);
    this.top = 1;
  }

  allocate(size: number, alignment = 1): Ref {
    if (size >= SMALL && size > LARGEST) return NONE;
    const need = this.granulesFor(size);
    if (alignment > this.granule) return this.allocateAligned(size, need, alignment * this.perGranule);
    if (this.quick !== undefined) {
      const at = this.quick.pop(need);
      if (at >= 0) {
        this.costs[LIST_HOPS] += 1;
        return this.handOut(at, need, size);
      }
    }
    const { list } = this;
    const found = list.find(need);
    this.costs[LIST_HOPS] += list.hops;
    if (found < 0) return this.allocateElsewhere(size, need);
    list.rove(found, need, true);
    return this.handOut(this.blocks.take(found, need), need, size);
  }

  free(ref: Ref): void {
    const at = this.positionOf(ref);
    this.giveBack(at, this.blocks.tags.usedAt(at));
  }

  reallocate(ref: Ref, size: number): Ref {
    if (size > LARGEST) return NONE;
    const at = this.positionOf(ref);
    const before = this.blocks.tags.usedAt(at);
    const need = this.granulesFor(size);
    if (need <= before) this.cut(at, before, need);
    else if (!this.growInPlace(at, before, need)) return this.relocate(ref, before, size);
    return this.handOut(at, need, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    return this.blocks.tags.usedAt(this.positionOf(ref)) * this.granule - this.overhead;
  }

  walk(map: HeapMap): void {
    const { extent, quick } = this;
    if (extent.mapped === 0) return;
    const end = extent.offsetOf(extent.end);
    map.add(extent.base, extent.offsetOf(1), Kind.padding);
    this.blocks.walk(map, this.top, (at) => quick?.has(at) ?? false);
    map.add(extent.base + end, extent.mapped - end, Kind.tail);
  }

  /** Granules of a block for `size` bytes; at most 2^31 - 1, which no block has. */
  private granulesFor(size: number): number {
    const granules =
      size < SMALL ? ((size | 0) + this.rounding) >>> this.shift : wideGranules(size + this.rounding, this.granule);
    return granules < this.minBlock ? this.minBlock : granules | 0;
  }

  private positionOf(ref: Ref): number {
    return ((ref - this.origin) * this.perGranule) | 0;
  }

  /** Where the walk has found nothing: what waits is coalesced and searched, or the free end of the heap is taken. */
  private allocateElsewhere(size: number, need: number): Ref {
    const { list } = this;
    let at = -1;
    if (this.flush()) {
      at = list.find(need);
      this.costs[LIST_HOPS] += list.hops;
    }
    if (at >= 0) {
      list.rove(at, need, true);
      at = this.blocks.take(at, need);
    } else {
      at = this.freeEnd();
      if (!this.growTo(at + need)) return NONE;
      list.rove(at, need, !this.preserved);
      if (this.preserved) this.takePreserved(at, need);
      else at = this.blocks.take(at, need);
    }
    return this.handOut(at, need, size);
  }

  /** The program writes `size` bytes of the block at `at`, which has `need` granules or more. */
  private handOut(at: number, need: number, size: number): Ref {
    if (((at + need) | 0) > this.extent.resident) this.blocks.writeUsed(at, size);
    return (this.origin + at * this.granule) as Ref;
  }

  /** Uses a block in which an aligned address leaves `need` granules, at the lowest such address. */
  private allocateAligned(size: number, need: number, alignment: number): Ref {
    const { list, blocks } = this;
    const suits = { suits: (at: number) => this.lead(at, alignment) + need <= blocks.tags.sizeAt(at) };
    let at = list.findSuitable(need, suits);
    this.costs[LIST_HOPS] += list.hops;
    if (at < 0 && this.flush()) {
      at = list.findSuitable(need, suits);
      this.costs[LIST_HOPS] += list.hops;
    }
    const fits = at >= 0;
    if (!fits) at = this.freeEnd();
    const lead = this.lead(at, alignment);
    if (!fits && !this.growTo(at + lead + need)) return NONE;
    const listed = fits || !this.preserved;
    if (lead > 0) this.splitOff(at, lead);
    list.rove(at, lead + need, listed);
    at += lead;
    if (listed) blocks.takeLow(at, need);
    else this.takePreserved(at, need);
    return this.handOut(at, need, size);
  }

  /** As `leadTo`, before a block at `at`. */
  private lead(at: number, alignment: number): number {
    return leadTo(this.origin * this.perGranule + at, alignment, this.minBlock);
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

  private takePreserved(at: number, need: number): void {
    if (at + need < this.extent.end) this.costs[Cost.splits] += 1;
    this.blocks.use(at, need);
    this.top = at + need;
  }

  /** Frees the `size` granules at `at`, which are in use, or puts them off. */
  private giveBack(at: number, size: number): void {
    const { quick } = this;
    if (quick === undefined || size > this.quickLargest) {
      this.release(at, size);
      return;
    }
    quick.push(at, size);
    this.blocks.writeQuick(at, size);
    if (quick.count >= this.quickCount) this.flush();
  }

  /** Coalesces what waits in quick lists. Whether there was any. */
  private flush(): boolean {
    const { quick } = this;
    if (quick === undefined || quick.count === 0) return false;
    for (let size = quick.smallest(); size >= 0; size = quick.smallest()) {
      const at = quick.pop(size);
      this.release(at, size);
    }
    return true;
  }

  /** Frees the `size` granules at `at`, which are in use. */
  private release(at: number, size: number): void {
    const { blocks } = this;
    const start = blocks.merge(at, size);
    const end = (start + blocks.merged) | 0;
    if (end === this.top) this.releaseLast(start);
    else if (end > this.extent.resident) blocks.write(start, blocks.merged);
  }

  /** The free block at `start`, which was made just now, is the last one: it may join the end of the heap. */
  private releaseLast(start: number): void {
    const { blocks } = this;
    if (this.preserved && this.joins) {
      if (this.extent.end > this.top) this.costs[Cost.coalesces] += 1;
      blocks.remove(start);
      this.top = start;
    } else {
      blocks.write(start, blocks.merged);
    }
    if (this.joins || !this.preserved) this.trimEnd(start);
  }

  /** Shortens a block in use by the part behind `need` granules, where that part can be a block or join the end. */
  private cut(at: number, before: number, need: number): void {
    const rest = before - need;
    const joinsEnd = this.preserved && this.joins && rest > 0 && at + before === this.top;
    if (rest < this.minSplit && !joinsEnd) return;
    this.costs[Cost.splits] += 1;
    this.blocks.tags.clearUsed(at, before);
    this.blocks.use(at, need);
    if (!joinsEnd) {
      this.blocks.use(at + need, rest);
      this.giveBack(at + need, rest);
      return;
    }
    if (this.extent.end > this.top) this.costs[Cost.coalesces] += 1;
    this.top = at + need;
    this.trimEnd(this.top);
  }

  /** Extends a block in use into the free block behind it, or into the end of the heap; `false` where neither is. */
  private growInPlace(at: number, before: number, need: number): boolean {
    if (!this.joins) return false;
    const next = at + before;
    const last = next + this.blocks.tags.freeAt(next) === this.top;
    if (last && !this.growTo(at + need)) return false;
    const after = this.blocks.tags.freeAt(next);
    const joinsEnd = last && this.preserved;
    if (!joinsEnd && (after === 0 || before + after < need)) return false;
    this.costs[Cost.coalesces] += 1;
    if (joinsEnd) {
      this.takePreserved(at, need);
    } else {
      this.blocks.lengthen(at, before, need);
    }
    return true;
  }

  private relocate(ref: Ref, before: number, size: number): Ref {
    const moved = this.allocate(size);
    if (moved === NONE) return NONE;
    this.costs[Cost.bytesCopied] += before * this.granule - this.overhead;
    this.free(ref);
    return moved;
  }

  /** Where the free end of the heap starts: the end itself where the last block is in use. */
  private freeEnd(): number {
    if (this.preserved || !this.joins) return this.top;
    return this.top - this.blocks.tags.freeBefore(this.top);
  }

  /** Grows the heap to at least `position`; ordinary new memory joins the free block at its end, or becomes one. */
  private growTo(position: number): boolean {
    if (position <= this.extent.end) return true;
    const at = this.freeEnd();
    if (!this.extent.growTo(position)) return false;
    const { end } = this.extent;
    this.blocks.reach(end);
    this.quick?.grow(this.blocks.tags.length);
    if (this.preserved) return true;
    if (at < this.top) this.blocks.resize(at, end - at);
    else this.blocks.insert(at, end - at);
    this.top = end;
    return true;
  }

  /** Gives the free end of the heap, which starts at `at`, back as far as the rule above says. */
  private trimEnd(at: number): void {
    if (this.extent.end - at < this.trim) return;
    const gone = this.extent.shrinkAbove(at, this.preserved ? 0 : this.minBlock);
    if (gone === 0 || this.preserved) return;
    this.top = this.extent.end;
    this.blocks.resize(at, this.top - at);
  }
}
