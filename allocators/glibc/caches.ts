import { Cost, type Costs } from "../../memory/costs.js";
import type { LeaChunks } from "../lea-chunks.js";

/** Largest chunk that the thread cache keeps: 64 bins from 32 bytes on, in granules (TCACHE_MAX_BINS). */
export const LARGEST_CACHED = 65;

/**
 * The caches in front of the bins: the thread cache (tcache_perthread_struct) and the fast bins. Both are stacks of
 * chunks of one size, and their chunks count as in use, so they are not coalesced.
 */
export class Caches {
  /** By size in granules: chunks in the thread cache. */
  readonly counts: Int32Array;
  /** Chunks that the thread cache may keep of a size. */
  readonly limit: number;
  /** Largest fast chunk, in granules. */
  readonly largestFast: number;
  /** Whether a chunk has gone to a fast bin since the last consolidation (have_fastchunks). */
  anyFast = false;
  private readonly chunks: LeaChunks;
  private readonly costs: Costs;
  /** By size in granules: the chunk cached last, or 0. */
  private readonly cached: Int32Array;
  private readonly fast: Int32Array;

  constructor(chunks: LeaChunks, costs: Costs, limit: number, largestFast: number) {
    this.chunks = chunks;
    this.costs = costs;
    this.limit = limit;
    this.largestFast = largestFast;
    this.counts = new Int32Array(LARGEST_CACHED + 1);
    this.cached = new Int32Array(LARGEST_CACHED + 1);
    this.fast = new Int32Array(largestFast + 1);
  }

  /** Whether the thread cache takes one more chunk of a size. */
  hasRoom(size: number): boolean {
    return size <= LARGEST_CACHED && this.counts[size] < this.limit;
  }

  /** Puts a chunk that is marked in use into the thread cache. */
  put(at: number, size: number): void {
    this.chunks.link[at] = this.cached[size];
    this.cached[size] = at;
    this.counts[size]++;
  }

  /** The chunk cached last; there is one. */
  take(size: number): number {
    const at = this.cached[size];
    this.cached[size] = this.chunks.link[at];
    this.counts[size]--;
    this.costs[Cost.listHops] += 1;
    return at;
  }

  /** Puts a chunk that is marked in use into its fast bin. */
  putFast(at: number, size: number): void {
    this.chunks.link[at] = this.fast[size];
    this.fast[size] = at;
    this.anyFast = true;
  }

  /** The fast chunk freed last, or 0; the thread cache is filled from behind it. */
  takeFast(size: number): number {
    const { link } = this.chunks;
    const at = this.fast[size];
    if (at === 0) return 0;
    let next = link[at];
    this.costs[Cost.listHops] += 1;
    while (next !== 0 && this.hasRoom(size)) {
      const after = link[next];
      this.put(next, size);
      next = after;
    }
    this.fast[size] = next;
    return at;
  }

  /** Empties a fast bin: returns its first chunk, the others are chained behind it. */
  takeAllFast(size: number): number {
    const at = this.fast[size];
    this.fast[size] = 0;
    return at;
  }

  /** Calls `visit` for each chunk in a cache. */
  forEach(visit: (at: number) => void): void {
    for (const heads of [this.cached, this.fast]) {
      for (let at of heads) for (; at !== 0; at = this.chunks.link[at]) visit(at);
    }
  }
}
