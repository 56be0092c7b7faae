/**
 * The bins of a glibc heap (malloc.c 2.36: bins, unsorted chunks, binmap, unlink_chunk). Sizes and positions are in
 * granules of 16 bytes. As in C, the links lie in the chunks.
 */
import { Cost, type Costs } from "../../memory/costs.js";
import type { LeaChunks } from "../lea-chunks.js";

/** Chunks of fewer granules are in a bin of one size (MIN_LARGE_SIZE 1024). */
export const LARGE = 64;
/** Bins 2 to 126 hold sorted chunks; bin 1 is the unsorted list (NBINS 128). */
const BINS = 128;
const UNSORTED = 2;
/** The heads of the bins lie below this position, two links each: bin i at 2i. */
export const FIRST_POSITION = 2 * BINS;

/** The bin for chunks of `size` granules (smallbin_index and largebin_index_64, on sizes of 16 * size bytes). */
export function binOf(size: number): number {
  if (size < LARGE) return size;
  if (size >> 2 <= 48) return 48 + (size >> 2);
  if (size >> 5 <= 20) return 91 + (size >> 5);
  if (size >> 8 <= 10) return 110 + (size >> 8);
  if (size >> 11 <= 4) return 119 + (size >> 11);
  if (size >> 14 <= 2) return 124 + (size >> 14);
  return 126;
}

/** The bins, which hold the free chunks between the start of a heap and its top. */
export class Bins {
  /**
   * The head of bin i links as a chunk at 2i would. A large chunk that stands first among those of its size has
   * fd_nextsize at p + 2 and bk_nextsize at p + 3, others 0.
   */
  private readonly chunks: LeaChunks;
  private readonly costs: Costs;
  /** A bit for each bin that may hold chunks (binmap): set when a chunk is sorted in, cleared by a failed look. */
  private readonly map = new Int32Array(BINS / 32);

  constructor(chunks: LeaChunks, costs: Costs) {
    this.chunks = chunks;
    this.costs = costs;
    const { link } = chunks;
    for (let bin = 1; bin < BINS; bin++) link[2 * bin] = link[2 * bin + 1] = 2 * bin;
  }

  /** Marks a chunk free and puts it at the front of the unsorted list, the end that is looked at last. */
  addUnsorted(at: number, size: number): void {
    this.chunks.mark(at, size);
    const { link } = this.chunks;
    const first = link[UNSORTED];
    link[at] = first;
    link[at + 1] = UNSORTED;
    if (size >= LARGE) link[at + 2] = link[at + 3] = 0;
    link[UNSORTED] = at;
    link[first + 1] = at;
  }

  /** The unsorted chunk to be looked at next, the one that has waited longest, or 0. */
  oldestUnsorted(): number {
    const last = this.chunks.link[UNSORTED + 1];
    return last === UNSORTED ? 0 : last;
  }

  /** Whether a chunk is the only one on the unsorted list. */
  isAloneUnsorted(at: number): boolean {
    return this.chunks.link[at] === UNSORTED && this.chunks.link[at + 1] === UNSORTED;
  }

  /** Takes the oldest chunk off the unsorted list. */
  takeOldestUnsorted(at: number): void {
    const { link } = this.chunks;
    const back = link[at + 1];
    link[UNSORTED + 1] = back;
    link[back] = UNSORTED;
  }

  /** Takes a free chunk out of its bin or the unsorted list (unlink_chunk). It stays marked free. */
  unlink(at: number): void {
    const { link } = this.chunks;
    const fd = link[at];
    const bk = link[at + 1];
    link[fd + 1] = bk;
    link[bk] = fd;
    if (this.chunks.head[at] > -LARGE) return;
    const next = link[at + 2];
    if (next === 0) return;
    const previous = link[at + 3];
    // Behind the last chunk comes the head of the bin, whose "fd_nextsize" is the next bin's fd and never 0, as in C.
    if (link[fd + 2] === 0) {
      link[fd + 2] = next === at ? fd : next;
      link[fd + 3] = next === at ? fd : previous;
      if (next === at) return;
      link[next + 3] = fd;
      link[previous + 2] = fd;
    } else {
      link[next + 3] = previous;
      link[previous + 2] = next;
    }
  }

  /** Puts a free chunk that is in no list into its bin; large bins stay sorted, largest first. */
  sort(at: number, size: number): void {
    const { link } = this.chunks;
    const bin = binOf(size);
    let bk = 2 * bin;
    let fd = link[bk];
    if (size >= LARGE) {
      if (fd === bk) {
        link[at + 2] = link[at + 3] = at;
      } else {
        fd = this.placeInLargeBin(at, size, bk);
        bk = link[fd + 1];
      }
    }
    this.map[bin >> 5] |= 1 << (bin & 31);
    link[at + 1] = bk;
    link[at] = fd;
    link[fd + 1] = at;
    link[bk] = at;
  }

  /** The chunk taken from the back of a bin of one size, or 0 where it is empty. */
  takeLastSmall(bin: number): number {
    const { link } = this.chunks;
    const last = link[2 * bin + 1];
    if (last === 2 * bin) return 0;
    const back = link[last + 1];
    link[2 * bin + 1] = back;
    link[back] = 2 * bin;
    this.costs[Cost.listHops] += 1;
    return last;
  }

  /**
   * Unlinks the smallest chunk of a large bin with at least `need` granules, the second of those with equal size
   * where there are several. Returns 0 where none is that large.
   */
  takeBestLarge(bin: number, need: number): number {
    const { head, link } = this.chunks;
    const first = link[2 * bin];
    if (first === 2 * bin || -head[first] < need) return 0;
    let at = link[first + 3];
    let hops = 1;
    for (; -head[at] < need; hops++) at = link[at + 3];
    this.costs[Cost.listHops] += hops;
    if (at !== link[2 * bin + 1] && head[at] === head[link[at]]) at = link[at];
    this.unlink(at);
    return at;
  }

  /** Unlinks the last chunk of the lowest bin from `bin` on that is not empty, its smallest. Returns 0 where all are. */
  takeFromBinsAbove(bin: number): number {
    const { map } = this;
    const { link } = this.chunks;
    let block = bin >> 5;
    let bits = map[block] & (-1 << (bin & 31));
    for (;;) {
      while (bits === 0) {
        if (++block === map.length) return 0;
        bits = map[block];
      }
      const low = bits & -bits;
      const head = 2 * ((block << 5) + 31 - Math.clz32(low));
      const last = link[head + 1];
      this.costs[Cost.listHops] += 1;
      if (last !== head) {
        this.unlink(last);
        return last;
      }
      map[block] &= ~low;
      bits &= ~low;
    }
  }

  /** Links a chunk among the sizes of a large bin that is not empty; returns the chunk, or head, to insert it before. */
  private placeInLargeBin(at: number, size: number, bin: number): number {
    const { head, link } = this.chunks;
    const first = link[bin];
    this.costs[Cost.listHops] += 1;
    if (size < -head[link[bin + 1]]) {
      const smallest = link[first + 3];
      link[at + 2] = first;
      link[at + 3] = smallest;
      link[first + 3] = at;
      link[smallest + 2] = at;
      return bin;
    }
    let fd = first;
    let hops = 0;
    for (; size < -head[fd]; hops++) fd = link[fd + 2];
    this.costs[Cost.listHops] += hops;
    if (size === -head[fd]) {
      // Second among its equals, so that the list of sizes need not change.
      link[at + 2] = link[at + 3] = 0;
      return link[fd];
    }
    const larger = link[fd + 3];
    link[at + 2] = fd;
    link[at + 3] = larger;
    link[fd + 3] = at;
    link[larger + 2] = at;
    return fd;
  }
}
