import { Cost, type Costs } from "../../memory/costs.js";
import { AgeHeap, type Ages, isOlder } from "./age-heap.js";
import { binOf, firstBinFor, PAGE_CLASSES, pagesOfClass } from "./size-classes.js";

/** Columns by first page of an extent. */
export interface ExtentColumns extends Ages {
  /** Pages of the extent. */
  pages: Int32Array;
}

/** Unused extents in bins by size, each by age (eset.c). */
export class ExtentCache {
  private readonly extents: ExtentColumns;
  private readonly costs: Costs;
  private readonly pad: number;
  /** No extent that is this many doublings larger than a request is cut for it. */
  private readonly mostCut: number;
  private readonly bins: readonly AgeHeap[];
  /** Bit i of word i / 32: bin i has extents. */
  private readonly filled: Int32Array;

  constructor(extents: ExtentColumns, costs: Costs, pad: number, mostCut: number) {
    this.extents = extents;
    this.costs = costs;
    this.pad = pad;
    this.mostCut = mostCut;
    this.bins = Array.from({ length: PAGE_CLASSES }, () => new AgeHeap(extents));
    this.filled = new Int32Array(PAGE_CLASSES / 32 + 1);
  }

  insert(at: number): void {
    const bin = binOf(this.extents.pages[at], this.pad);
    this.bins[bin].insert(at);
    this.filled[bin >> 5] |= 1 << (bin & 31);
  }

  /** Takes an extent of this cache out. */
  remove(at: number): void {
    const bin = binOf(this.extents.pages[at], this.pad);
    this.bins[bin].remove(at);
    if (this.bins[bin].length === 0) this.filled[bin >> 5] &= ~(1 << (bin & 31));
  }

  /** The oldest of the extents that are surely large enough (eset_first_fit), or -1. */
  fit(pages: number): number {
    const { serial } = this.extents;
    let best = -1;
    for (let bin = this.nextFilled(firstBinFor(pages, this.pad)); bin >= 0; bin = this.nextFilled(bin + 1)) {
      if (pagesOfClass(bin) >> this.mostCut > pages) break;
      const candidate = this.bins[bin].first();
      this.costs[Cost.listHops] += 1;
      if (best < 0 || isOlder(serial, candidate, best)) best = candidate;
    }
    return best;
  }

  /** The oldest of the smallest extents that are surely large enough, or -1; sizes between two classes are the lower. */
  bestFit(pages: number): number {
    const bin = this.nextFilled(firstBinFor(pages, this.pad));
    this.costs[Cost.listHops] += 1;
    return bin < 0 ? -1 : this.bins[bin].first();
  }

  /**
   * Where alignment asks for up to `most` pages and none of so many was found: the oldest extent of the first bin in
   * which that one has `pages` pages behind its `lead` (eset_fit_alignment), or -1.
   */
  fitAligned(pages: number, most: number, lead: (at: number) => number): number {
    const end = firstBinFor(most, this.pad);
    for (let bin = this.nextFilled(firstBinFor(pages, this.pad)); bin >= 0 && bin < end; ) {
      const candidate = this.bins[bin].first();
      this.costs[Cost.listHops] += 1;
      if (this.extents.pages[candidate] >= lead(candidate) + pages) return candidate;
      bin = this.nextFilled(bin + 1);
    }
    return -1;
  }

  /** The lowest bin from `bin` on that has extents, or -1. */
  private nextFilled(bin: number): number {
    const { filled } = this;
    let word = bin >> 5;
    let bits = filled[word] & (-1 << (bin & 31));
    while (bits === 0) {
      if (++word >= filled.length) return -1;
      bits = filled[word];
    }
    return (word << 5) + 31 - Math.clz32(bits & -bits);
  }
}
