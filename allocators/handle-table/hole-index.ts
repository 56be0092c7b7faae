import { grown } from "../../memory/columns.js";

/**
 * The free blocks of a heap in address order, for "the lowest one of at least n units" in O(log holes): a binary tree of
 * maxima over the holes. Holes keep their rank: one may shrink or go, and move within its own bounds, but none comes in between.
 */
export class HoleIndex {
  /** Number of holes added since `clear`. */
  length = 0;
  private starts = new Int32Array(64);
  /** Node i has the children 2i and 2i + 1; the leaf of hole h is `leaves + h`. */
  private most = new Int32Array(128);
  private leaves = 64;

  clear(): void {
    this.length = 0;
  }

  /** Adds the next hole in address order; `build` must follow the last one. */
  add(start: number, units: number): void {
    if (this.length === this.leaves) this.grow();
    this.starts[this.length] = start;
    this.most[this.leaves + this.length] = units;
    this.length++;
  }

  /** Makes the index ready for `lowest`. */
  build(): void {
    this.most.fill(0, this.leaves + this.length);
    for (let node = this.leaves - 1; node > 0; node--) {
      this.most[node] = Math.max(this.most[node << 1], this.most[(node << 1) + 1]);
    }
  }

  /** Rank of the lowest hole of at least `units` (1 or more), or -1. */
  lowest(units: number): number {
    if (this.most[1] < units) return -1;
    let node = 1;
    while (node < this.leaves) {
      node <<= 1;
      if (this.most[node] < units) node++;
    }
    return node - this.leaves;
  }

  startOf(rank: number): number {
    return this.starts[rank];
  }

  unitsOf(rank: number): number {
    return this.most[this.leaves + rank];
  }

  /** What is left of a hole: `units` at `start`, 0 for nothing. */
  set(rank: number, start: number, units: number): void {
    this.starts[rank] = start;
    let node = this.leaves + rank;
    this.most[node] = units;
    for (node >>= 1; node > 0; node >>= 1) {
      const most = Math.max(this.most[node << 1], this.most[(node << 1) + 1]);
      if (this.most[node] === most) break;
      this.most[node] = most;
    }
  }

  /** `units` behind the first `lead` units of a hole are used. Where alignment cuts a hole in two, the larger part keeps its rank. */
  fill(rank: number, lead: number, units: number): void {
    const start = this.starts[rank];
    const rest = this.unitsOf(rank) - lead - units;
    if (rest >= lead) this.set(rank, start + lead + units, rest);
    else this.set(rank, start, lead);
  }

  private grow(): void {
    const most = new Int32Array(this.leaves * 4);
    most.set(this.most.subarray(this.leaves), this.leaves * 2);
    this.starts = grown(this.starts, this.leaves * 2);
    this.most = most;
    this.leaves *= 2;
  }
}
