import type { Random } from "../../memory/random.js";

/**
 * Weights that change one at a time and of which one is drawn in proportion, both in O(log n): a tree of sums (Wong &
 * Easton, "An efficient method for weighted sampling without replacement", SIAM J. Comput. 9(1), 1980). A sum is made anew
 * from its two parts at each change, so that rounding errors do not add up.
 */
export class ChangingWeights {
  /** A power of two. */
  private readonly leaves: number;
  /** Node i has the children 2i and 2i+1; leaves begin at `leaves`. */
  private readonly sums: Float64Array;

  constructor(count: number) {
    let leaves = 1;
    while (leaves < count) leaves *= 2;
    this.leaves = leaves;
    this.sums = new Float64Array(2 * leaves);
  }

  get total(): number {
    return this.sums[1];
  }

  of(index: number): number {
    return this.sums[this.leaves + index];
  }

  set(index: number, weight: number): void {
    const { sums } = this;
    let node = this.leaves + index;
    sums[node] = weight;
    while (node > 1) {
      node >>= 1;
      sums[node] = sums[2 * node] + sums[2 * node + 1];
    }
  }

  /** An index of a weight above 0; `total` is above 0. */
  draw(random: Random): number {
    const { sums, leaves } = this;
    let rest = random.double() * sums[1];
    let node = 1;
    while (node < leaves) {
      node *= 2;
      // Rounding may leave `rest` at or above the last sum: the right part must not be empty.
      if (rest >= sums[node] && sums[node + 1] > 0) {
        rest -= sums[node];
        node++;
      }
    }
    return node - leaves;
  }
}
