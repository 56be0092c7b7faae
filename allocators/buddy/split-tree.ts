/**
 * The tree of all splits of a chunk, for buddy systems in which a block of class k splits into one of class k - 1 below
 * and one of a class `rights[k]` above: binary, Fibonacci and weighted ones. All chunks are alike, so where a block's
 * buddy lies follows from its offset in the chunk and its class, in one look at a table.
 */

/** The sizes of a buddy system in units, ascending: each but the first is the sum of the one before and of another. */
export interface SplitRule {
  /** Sizes of the first classes. */
  readonly first: readonly number[];
  /** The next size, given those so far. */
  next(sizes: readonly number[]): number;
}

/** 1, 2, 4, 8, ...: halves (Knowlton 1965). */
export const halves: SplitRule = { first: [1], next: (sizes) => sizes[sizes.length - 1] * 2 };

/** 3, 6, 12, ...: halves of 3 * 2^k, the second system of the double buddy (Wise 1978). */
export const tripleHalves: SplitRule = { first: [3], next: (sizes) => sizes[sizes.length - 1] * 2 };

/** 1, 2, 3, 5, 8, ...: F(k) splits into F(k - 1) and F(k - 2) (Hirschberg 1973). */
export const fibonacci: SplitRule = {
  first: [1, 2],
  next: (sizes) => sizes[sizes.length - 1] + sizes[sizes.length - 2],
};

/** 1, 2, 3, 4, 6, 8, 12, ...: 2^(k+2) splits into 3 * 2^k and 2^k, 3 * 2^k into 2^(k+1) and 2^k (Shen & Peterson 1974). */
export const weighted: SplitRule = {
  first: [1, 2, 3],
  next: (sizes) => sizes[sizes.length - 2] * 2,
};

/** Sizes that are found by their number of units in a table. */
const TABLE = 1024;

/** The splits of one chunk. Offsets and sizes are in units. */
export class SplitTree {
  /** Size of each class. */
  readonly sizes: Int32Array;
  /** For each class but 0, the class of the upper part of a split; the lower part is the class below. */
  readonly rights: Uint8Array;
  /** For each class the largest power of two, at most the stride of chunks, that all its blocks lie at multiples of. */
  readonly natural: Int32Array;
  /**
   * For each offset the largest class of a block there, and in the high byte the class that it is split from: there a
   * block is an upper part. Smaller blocks at that offset are lower parts, each of the class above it. At 0: the root.
   */
  readonly origins: Uint16Array;
  /** The class of a whole chunk. */
  readonly root: number;
  /** Smallest blocks of a chunk. */
  readonly leaves: number;
  private readonly rule: SplitRule;
  private readonly classes: Uint8Array;

  /** The largest tree of at most `limit` units, which is a power of two, at most 2^26, and no less than the smallest size. */
  constructor(rule: SplitRule, limit: number) {
    const sizes = [...rule.first];
    while (sizes[sizes.length - 1] <= limit) sizes.push(rule.next(sizes));
    while (sizes[sizes.length - 1] > limit) sizes.pop();
    this.rule = rule;
    this.root = sizes.length - 1;
    this.sizes = Int32Array.from(sizes);
    this.rights = Uint8Array.from(sizes, (size, k) => (k === 0 ? 0 : sizes.indexOf(size - sizes[k - 1])));
    this.leaves = sizes[this.root] / sizes[0];
    this.origins = new Uint16Array(sizes[this.root]);
    this.natural = new Int32Array(sizes.length);
    this.classes = Uint8Array.from({ length: TABLE + 1 }, (_, units) => this.search(0, units));
    this.layOut(0, this.root, 0);
    for (let k = this.root - 1; k >= 0; k--) this.natural[k] |= this.natural[k + 1];
    for (let k = 0; k <= this.root; k++)
      this.natural[k] = this.natural[k] === 0 ? limit : this.natural[k] & -this.natural[k];
  }

  /** The smallest class of at least `units`, which is at most a chunk. */
  classFor(units: number): number {
    return units <= TABLE ? this.classes[units] : this.search(this.classes[TABLE], units);
  }

  /** The start of the block of a class that covers an offset. */
  startOf(offset: number, block: number): number {
    const { sizes, rights } = this;
    let start = 0;
    for (let k = this.root; k > block; ) {
      const upper = start + sizes[k - 1];
      if (offset < upper) {
        k -= 1;
      } else {
        start = upper;
        k = rights[k];
      }
    }
    return start;
  }

  /** The smallest size of the system, beyond the chunk too, of at least `units`. */
  roundUp(units: number): number {
    if (units <= this.sizes[this.root]) return this.sizes[this.classFor(units)];
    const sizes = Array.from(this.sizes);
    while (sizes[sizes.length - 1] < units) sizes.push(this.rule.next(sizes));
    return sizes[sizes.length - 1];
  }

  private search(from: number, units: number): number {
    let block = from;
    while (block < this.root && this.sizes[block] < units) block += 1;
    return block;
  }

  /** Notes the upper parts of all splits of the block of class `top` at `start`, which is split from `parent`. */
  private layOut(start: number, top: number, parent: number): void {
    this.origins[start] = top | (parent << 8);
    this.natural[top] |= start;
    for (let k = top; k > 0; k--) this.layOut(start + this.sizes[k - 1], this.rights[k], k);
  }
}
