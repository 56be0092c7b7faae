/**
 * Slabs of jemalloc 5.3 (arena.c, bin.c): extents cut into regions of one size, without tails or headers. A bin
 * allocates from its current slab, then from the oldest and lowest slab with a free region, then from a new one; in a
 * slab the lowest free region is taken.
 */
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { AgeHeap, isOlder } from "./age-heap.js";
import type { PageRuns } from "./page-runs.js";
import { PAGE, type SmallClasses } from "./size-classes.js";

/** Words of the bitmap of a slab, of at most 512 regions. */
const WORDS = 16;
const NO_SLAB = -1;

export class Slabs {
  private readonly classes: SmallClasses;
  private readonly extents: PageRuns;
  private readonly costs: Costs;
  /** By class: the current slab, and the others that are neither full nor empty. */
  private readonly current: Int32Array;
  private readonly nonfull: readonly AgeHeap[];
  /** By page: 1 + class of the slab that the page is in, else 0. */
  sizeClass: Uint8Array;
  /** By first page: a set bit for each free region; a set bit for each word with one; the number of free regions. */
  private bits: Int32Array;
  private summary: Int32Array;
  private free: Int32Array;
  /** By first page: end of the highest region handed out since the slab was made. */
  private handedOut: Int32Array;
  /** By class: slabs, and regions in use (bin->stats.curslabs, curregs). */
  private readonly slabs: Int32Array;
  private readonly live: Int32Array;

  constructor(classes: SmallClasses, extents: PageRuns, costs: Costs) {
    this.classes = classes;
    this.extents = extents;
    this.costs = costs;
    this.current = new Int32Array(classes.size.length).fill(NO_SLAB);
    this.nonfull = Array.from(classes.size, () => new AgeHeap(extents));
    this.sizeClass = new Uint8Array(0);
    this.bits = new Int32Array(0);
    this.summary = new Int32Array(0);
    this.free = new Int32Array(0);
    this.handedOut = new Int32Array(0);
    this.slabs = new Int32Array(classes.size.length);
    this.live = new Int32Array(classes.size.length);
  }

  /** The byte offset of a free region of a class in the heap, or -1 where there is no memory. */
  take(sizeClass: number): number {
    let slab = this.current[sizeClass];
    if (slab < 0 || this.free[slab] === 0) {
      slab = this.nextSlab(sizeClass);
      if (slab < 0) return -1;
      this.current[sizeClass] = slab;
    }
    const word = 31 - Math.clz32(this.summary[slab] & -this.summary[slab]);
    const at = slab * WORDS + word;
    const bits = this.bits[at];
    const rest = bits & (bits - 1);
    this.bits[at] = rest;
    if (rest === 0) this.summary[slab] &= this.summary[slab] - 1;
    this.free[slab]--;
    this.live[sizeClass]++;
    const region = (word << 5) + 31 - Math.clz32(bits & -bits);
    if (region >= this.handedOut[slab]) this.handedOut[slab] = region + 1;
    return slab * PAGE + region * this.classes.size[sizeClass];
  }

  /** Gives a region of the slab at page `slab` back. Returns whether the slab is empty, and out of its bin, now. */
  give(slab: number, offset: number): boolean {
    const sizeClass = this.sizeClass[slab] - 1;
    const region = ((offset - slab * PAGE) / this.classes.size[sizeClass]) | 0;
    const word = region >> 5;
    this.bits[slab * WORDS + word] |= 1 << (region & 31);
    this.summary[slab] |= 1 << word;
    const free = ++this.free[slab];
    this.live[sizeClass]--;
    const current = this.current[sizeClass];
    if (free === this.classes.regions[sizeClass]) {
      if (slab === current) this.current[sizeClass] = NO_SLAB;
      else if (free > 1) this.nonfull[sizeClass].remove(slab);
      this.slabs[sizeClass]--;
      this.label(slab, sizeClass, 0);
      return true;
    }
    if (free > 1 || slab === current) return false;
    // The slab was full. The bin goes on with the older of it and the current one (arena_bin_lower_slab).
    if (current >= 0 && isOlder(this.extents.serial, slab, current)) {
      if (this.free[current] > 0) this.nonfull[sizeClass].insert(current);
      this.current[sizeClass] = slab;
    } else {
      this.nonfull[sizeClass].insert(slab);
    }
    return false;
  }

  /**
   * Redis' hint (iget_defrag_hint in its copy of jemalloc 5.3): whether the regions of the slab at page `slab` should
   * move, because it is neither full nor current and no more than 9/8 as full as the mean slab of which that is true.
   */
  isThin(slab: number): boolean {
    const sizeClass = this.sizeClass[slab] - 1;
    const free = this.free[slab];
    const current = this.current[sizeClass];
    if (free === 0 || slab === current) return false;
    const regions = this.classes.regions[sizeClass];
    const thin = this.nonfull[sizeClass].length;
    // What is in full slabs, and in the current one, is left out.
    const others = current < 0 ? 0 : regions - this.free[current];
    const full = this.slabs[sizeClass] - thin - (current < 0 ? 0 : 1);
    const used = this.live[sizeClass] - full * regions - others;
    return (regions - free) * thin <= used + Math.floor(used / 8);
  }

  /**
   * The hint of Redis 4.0 (je_get_defrag_hint in its jemalloc 4.0.3, and activeDefragAlloc): the slab is not full, lies
   * in another chunk of `chunkPages` than the current one, and is no fuller than the mean of all slabs of its bin.
   */
  isBelowMean(slab: number, chunkPages: number): boolean {
    const sizeClass = this.sizeClass[slab] - 1;
    const current = this.current[sizeClass];
    const free = this.free[slab];
    if (free === 0 || (current >= 0 && Math.floor(slab / chunkPages) === Math.floor(current / chunkPages)))
      return false;
    const regions = this.classes.regions[sizeClass];
    return (regions - free) * this.slabs[sizeClass] <= this.live[sizeClass];
  }

  /** Bytes of regions that are not in use. */
  wasted(): number {
    const { size, regions } = this.classes;
    return this.slabs.reduce((sum, slabs, i) => sum + (slabs * regions[i] - this.live[i]) * size[i], 0);
  }

  /** Bytes of regions in use. */
  inUse(): number {
    return this.live.reduce((sum, live, i) => sum + live * this.classes.size[i], 0);
  }

  /** Calls `visit` for each region of a slab with its byte offset in the heap: in use, free, or never handed out. */
  forEachRegion(slab: number, visit: (offset: number, bytes: number, state: "live" | "free" | "fresh") => void): void {
    const sizeClass = this.sizeClass[slab] - 1;
    const bytes = this.classes.size[sizeClass];
    for (let region = 0; region < this.classes.regions[sizeClass]; region++) {
      const isFree = ((this.bits[slab * WORDS + (region >> 5)] >>> (region & 31)) & 1) !== 0;
      const state = !isFree ? "live" : region < this.handedOut[slab] ? "free" : "fresh";
      visit(slab * PAGE + region * bytes, bytes, state);
    }
  }

  private nextSlab(sizeClass: number): number {
    const heap = this.nonfull[sizeClass];
    if (heap.length > 0) {
      const slab = heap.first();
      heap.remove(slab);
      this.costs[Cost.listHops] += 1;
      return slab;
    }
    const slab = this.extents.allocate(this.classes.pages[sizeClass], 1);
    if (slab < 0) return NO_SLAB;
    this.reach(this.extents.end);
    const regions = this.classes.regions[sizeClass];
    const words = (regions + 31) >> 5;
    for (let word = 0; word < words; word++) {
      const inWord = Math.min(32, regions - 32 * word);
      this.bits[slab * WORDS + word] = inWord === 32 ? -1 : (1 << inWord) - 1;
    }
    this.summary[slab] = (1 << words) - 1;
    this.free[slab] = regions;
    this.handedOut[slab] = 0;
    this.slabs[sizeClass]++;
    this.label(slab, sizeClass, sizeClass + 1);
    return slab;
  }

  /** Says of every page of a slab what it is. */
  private label(slab: number, sizeClass: number, label: number): void {
    const end = slab + this.classes.pages[sizeClass];
    for (let page = slab; page < end; page++) {
      this.sizeClass[page] = label;
      this.extents.first[page] = slab;
    }
  }

  /** Makes room for pages below `end`. */
  private reach(end: number): void {
    if (end <= this.sizeClass.length) return;
    const length = Math.max(end, 2 * this.sizeClass.length);
    this.bits = grown(this.bits, length * WORDS);
    this.summary = grown(this.summary, length);
    this.free = grown(this.free, length);
    this.handedOut = grown(this.handedOut, length);
    this.sizeClass = grown(this.sizeClass, length);
  }
}
