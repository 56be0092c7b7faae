/**
 * Runs of pages of jemalloc 5.3 (extent.c, eset.c, pac.c): in use, or unused in one of two caches. Dirty extents still
 * have their pages, retained ones only their addresses. Pages are numbered from the base of the heap.
 */
import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { IndexList } from "../../memory/index-list.js";
import { Descriptors } from "./descriptors.js";
import { ExtentCache } from "./extent-cache.js";
import { type PageRuns, State } from "./page-runs.js";
import { PAGE, PAGE_CLASSES, pageClass, pagesOfClass } from "./size-classes.js";

const { active: ACTIVE, dirty: DIRTY, retained: RETAINED } = State;

/** Addresses set aside: 32 GiB. */
const RESERVED = 0x800000000;
const MAX_PAGES = RESERVED / PAGE;
/** Dirty extents from this many pages on coalesce at once (SC_LARGE_MINCLASS); others when they are about to be purged. */
const EAGER = 4;
/** A dirty extent that has come to be this large is purged at once (oversize_threshold, 8 MiB). */
const OVERSIZE = 2048;
/** A dirty extent is not cut for a request this many times smaller (lg_extent_max_active_fit), as a shift. */
const MOST_CUT = 6;
/** The first mapping has 2 MiB, each further one the next page class (exp_grow). */
const FIRST_GROWTH = 512;

export class Extents implements PageRuns {
  readonly base: Address;
  readonly largestPadded = Number.POSITIVE_INFINITY;
  /** Pages mapped, and the end of the highest page ever handed out. */
  end: number;
  used: number;
  /** Dirty pages, and pages in use. */
  dirty: number;
  active: number;
  /** By first and last page of an extent. */
  state: Uint8Array;
  /** By first page: pages of the extent, and what `Ages` needs. */
  pages: Int32Array;
  serial: Int32Array;
  place: Int32Array;
  /** By last page, and by every page of a slab: its first page. */
  first: Int32Array;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly descriptors: Descriptors;
  private readonly dirtyCache: ExtentCache;
  private readonly retainedCache: ExtentCache;
  /** Dirty extents, the one unused for longest first. */
  private readonly lru = new IndexList(1);
  private nextGrowth: number;
  private nextSerial: number;

  /** No pages yet. Large requests come with `pad` pages on top. */
  constructor(space: AddressSpace, pad: number) {
    this.base = space.reserve(RESERVED, PAGE);
    this.end = 0;
    this.used = 0;
    this.dirty = 0;
    this.active = 0;
    this.state = new Uint8Array(0);
    this.pages = new Int32Array(0);
    this.serial = new Int32Array(0);
    this.place = new Int32Array(0);
    this.first = new Int32Array(0);
    this.space = space;
    this.costs = space.costs;
    this.descriptors = new Descriptors(space);
    this.dirtyCache = new ExtentCache(this, space.costs, pad, MOST_CUT);
    this.retainedCache = new ExtentCache(this, space.costs, pad, 31);
    this.nextGrowth = pageClass(FIRST_GROWTH);
    this.nextSerial = 0;
  }

  /**
   * An extent of `pages` pages at a multiple of `alignment` pages: dirty before retained before new (pac_alloc). Returns
   * its first page, or -1 where there is no memory.
   */
  allocate(pages: number, alignment: number): number {
    // The cuts of one request make at most two more extents.
    if (pages + alignment > MAX_PAGES || !this.descriptors.ensure(3)) return -1;
    let at = this.reuse(DIRTY, pages, alignment);
    if (at < 0) at = this.reuse(RETAINED, pages, alignment);
    if (at < 0) at = this.grow(pages, alignment);
    if (at < 0) return at;
    this.active += pages;
    if (at + pages > this.used) this.used = at + pages;
    return at;
  }

  /** Takes an extent back: it is dirty, or purged where dirty pages are `unwanted` (a decay time of 0). */
  free(at: number, unwanted: boolean): void {
    this.active -= this.pages[at];
    if (unwanted) this.purge(at);
    else this.putDirty(at);
  }

  /** Gives the pages beyond the first `pages` back. `false` where there is no descriptor to be had. */
  shrink(at: number, pages: number, unwanted: boolean): boolean {
    if (!this.descriptors.ensure(1)) return false;
    this.split(at, pages);
    this.free(at + pages, unwanted);
    return true;
  }

  /** Extends an extent into the unused one behind it; `false` where that is too small or none. */
  expand(at: number, pages: number): boolean {
    const more = pages - this.pages[at];
    const next = at + this.pages[at];
    if (next >= this.end || this.state[next] < DIRTY || this.pages[next] < more) return false;
    if (!this.descriptors.ensure(1)) return false;
    const state = this.state[next];
    this.remove(next);
    if (this.pages[next] > more) {
      this.split(next, more);
      this.insert(next + more, state);
    }
    this.merge(at, next);
    this.mark(at, pages, ACTIVE);
    this.active += more;
    if (at + pages > this.used) this.used = at + pages;
    return true;
  }

  /** Purges dirty extents, the ones unused for longest, until `limit` pages or fewer are left (pac_decay_to_limit). */
  purgeTo(limit: number): void {
    while (this.dirty > limit) {
      const at = this.lru.first(0);
      this.remove(at);
      // Coalescing, put off so far, starts over with the result at the other end.
      const joined = this.coalesceOnce(at, DIRTY);
      if (joined >= 0) {
        this.insert(joined, DIRTY);
        continue;
      }
      this.purge(at);
    }
  }

  /** Calls `visit` for each extent in address order. */
  forEach(visit: (at: number, pages: number, state: number) => void): void {
    for (let at = 0; at < this.end; at += this.pages[at]) visit(at, this.pages[at], this.state[at]);
  }

  /** Adds the pages of descriptors and of the page map. */
  walkDescriptors(map: HeapMap): void {
    this.descriptors.walk(map);
  }

  /** Takes a fitting extent out of a cache and cuts it to size; what is cut off stays in the cache. */
  private reuse(state: number, pages: number, alignment: number): number {
    const cache = state === DIRTY ? this.dirtyCache : this.retainedCache;
    const most = pages + alignment - 1;
    let extent = cache.fit(most);
    if (extent < 0 && alignment > 1) extent = cache.fitAligned(pages, most, (at) => this.lead(at, alignment));
    if (extent < 0) return -1;
    this.remove(extent);
    return this.cutToSize(extent, pages, alignment, (part) => this.insert(part, state));
  }

  /** Pages from an extent's start to the next multiple of `alignment`. */
  private lead(at: number, alignment: number): number {
    const over = (this.base / PAGE + at) % alignment;
    return over === 0 ? 0 : alignment - over;
  }

  /** Cuts lead and trail off an extent that is in no cache; `keep` takes them. */
  private cutToSize(extent: number, pages: number, alignment: number, keep: (part: number) => void): number {
    const at = extent + this.lead(extent, alignment);
    if (at > extent) {
      this.split(extent, at - extent);
      keep(extent);
    }
    if (this.pages[at] > pages) {
      this.split(at, pages);
      keep(at + pages);
    }
    this.mark(at, pages, ACTIVE);
    return at;
  }

  /** Maps the next page class that is large enough, or where that fails the request alone (extent_grow_retained). */
  private grow(pages: number, alignment: number): number {
    const least = pages + alignment - 1;
    let growth = this.nextGrowth;
    while (pagesOfClass(growth) < least) growth++;
    const extent = this.end;
    const grown = this.map(pagesOfClass(growth));
    if (!grown && !this.map(least)) return -1;
    if (grown) this.nextGrowth = Math.min(growth + 1, PAGE_CLASSES - 1);
    this.serial[extent] = this.nextSerial++;
    this.mark(extent, this.end - extent, ACTIVE);
    return this.cutToSize(extent, pages, alignment, (part) => this.retain(part));
  }

  private map(pages: number): boolean {
    if (this.end + pages > MAX_PAGES || !this.descriptors.cover(this.end + pages)) return false;
    if (!this.space.commit(this.base + this.end * PAGE, pages * PAGE, Use.heap)) return false;
    this.end += pages;
    this.reach(this.end);
    this.descriptors.take();
    return true;
  }

  private putDirty(start: number): void {
    let at = start;
    if (this.pages[at] >= EAGER) {
      for (let joined = at; joined >= 0; joined = this.coalesceOnce(at, DIRTY)) at = joined;
      if (this.pages[at] >= OVERSIZE) {
        this.purge(at);
        return;
      }
    }
    this.insert(at, DIRTY);
  }

  /** Gives the pages of an extent that is in no cache back, and keeps its addresses (extent_dalloc_wrapper). */
  private purge(at: number): void {
    this.space.discard(this.base + at * PAGE, this.pages[at] * PAGE);
    this.retain(at);
  }

  /** Puts an extent without pages among the retained, coalesced with its neighbours there. */
  private retain(start: number): void {
    let at = start;
    for (let joined = at; joined >= 0; joined = this.coalesceOnce(at, RETAINED)) at = joined;
    this.insert(at, RETAINED);
  }

  /** Joins an extent that is in no cache with one neighbour in the cache of `state`; the result's start, or -1. */
  private coalesceOnce(at: number, state: number): number {
    const next = at + this.pages[at];
    if (next < this.end && this.state[next] === state) {
      this.remove(next);
      this.costs[Cost.coalesces] += 1;
      this.merge(at, next);
      return at;
    }
    if (at === 0 || this.state[at - 1] !== state) return -1;
    const previous = this.first[at - 1];
    this.remove(previous);
    this.costs[Cost.coalesces] += 1;
    this.merge(previous, at);
    return previous;
  }

  private split(at: number, pages: number): void {
    const rest = this.pages[at] - pages;
    this.costs[Cost.splits] += 1;
    this.descriptors.take();
    this.serial[at + pages] = this.serial[at];
    this.mark(at, pages, ACTIVE);
    this.mark(at + pages, rest, ACTIVE);
  }

  /** The extent at `next`, right behind the one at `at`, becomes its end; both are in no cache. */
  private merge(at: number, next: number): void {
    this.descriptors.give();
    if (this.serial[next] < this.serial[at]) this.serial[at] = this.serial[next];
    this.mark(at, this.pages[at] + this.pages[next], ACTIVE);
  }

  private mark(at: number, pages: number, state: number): void {
    this.pages[at] = pages;
    this.state[at] = state;
    this.state[at + pages - 1] = state;
    this.first[at + pages - 1] = at;
  }

  private insert(at: number, state: number): void {
    const pages = this.pages[at];
    this.mark(at, pages, state);
    if (state === RETAINED) {
      this.retainedCache.insert(at);
      return;
    }
    this.dirtyCache.insert(at);
    this.lru.pushBack(0, at);
    this.dirty += pages;
  }

  /** Takes an unused extent out of its cache. */
  private remove(at: number): void {
    const pages = this.pages[at];
    if (this.state[at] === RETAINED) this.retainedCache.remove(at);
    else {
      this.dirtyCache.remove(at);
      this.lru.remove(at);
      this.dirty -= pages;
    }
    this.mark(at, pages, ACTIVE);
  }

  /** Makes room for pages below `end`. */
  private reach(end: number): void {
    if (end <= this.pages.length) return;
    const length = Math.max(end, 2 * this.pages.length);
    this.pages = grown(this.pages, length);
    this.serial = grown(this.serial, length);
    this.place = grown(this.place, length);
    this.first = grown(this.first, length);
    this.state = grown(this.state, length);
  }
}
