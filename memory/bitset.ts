/**
 * A set of small integers that finds its lowest member fast. Level 0 has a bit for each integer; a bit of level k + 1
 * says that a word of level k is not 0. Four levels hold a million integers, six a thousand million.
 */

/** A set of whole numbers from 0 to 2^30 - 1. Each call takes a step or two for each level at most. */
export class Bitset {
  /** The words of all levels, level 0 first. */
  private words: Int32Array;
  /** Where each level starts in `words`, and how many levels there are. */
  private readonly offset = new Int32Array(8);
  private levels = 0;
  private limit = 0;
  private members = 0;

  /** An empty set for integers below `capacity`; `set` makes it larger as needed. */
  constructor(capacity = 1024) {
    this.words = new Int32Array(0);
    this.layOut(capacity);
  }

  /** Number of members. */
  get count(): number {
    return this.members;
  }

  has(i: number): boolean {
    return i < this.limit && ((this.words[i >>> 5] >>> (i & 31)) & 1) !== 0;
  }

  /** Puts `i` (below 2^30) in the set. */
  set(i: number): void {
    if (i >= this.limit) this.ensure(i + 1);
    const words = this.words;
    let index = i >>> 5;
    let word = words[index];
    const bit = 1 << (i & 31);
    if ((word & bit) !== 0) return;
    this.members++;
    words[index] = word | bit;
    for (let level = 1; word === 0 && level < this.levels; level++) {
      const at = this.offset[level] + (index >>> 5);
      word = words[at];
      words[at] = word | (1 << (index & 31));
      index >>>= 5;
    }
  }

  /** Takes `i` out of the set, if it is a member. */
  clear(i: number): void {
    if (i >= this.limit) return;
    const words = this.words;
    let index = i >>> 5;
    const bit = 1 << (i & 31);
    let word = words[index];
    if ((word & bit) === 0) return;
    this.members--;
    word ^= bit;
    words[index] = word;
    for (let level = 1; word === 0 && level < this.levels; level++) {
      const at = this.offset[level] + (index >>> 5);
      word = words[at] & ~(1 << (index & 31));
      words[at] = word;
      index >>>= 5;
    }
  }

  /** The lowest member, or -1 where there is none. */
  first(): number {
    return this.members === 0 ? -1 : this.descend(this.levels, 0);
  }

  /** The lowest member that is `i` or more, or -1 where there is none. */
  next(i: number): number {
    if (i >= this.limit) return -1;
    const words = this.words;
    // On the way up: at level 0 bits from `i` on count, above it only those behind, since the path itself was searched.
    let index = i;
    let rest = words[index >>> 5] & (-1 << (index & 31));
    for (let level = 0; ; ) {
      if (rest !== 0) {
        return this.descend(level, ((index >>> 5) << 5) | (31 - Math.clz32(rest & -rest)));
      }
      if (++level === this.levels) return -1;
      index >>>= 5;
      rest = words[this.offset[level] + (index >>> 5)] & (-2 << (index & 31));
    }
  }

  /** Takes out all members. */
  reset(): void {
    this.words.fill(0);
    this.members = 0;
  }

  /** Makes room for integers below `capacity`, at least doubling. */
  ensure(capacity: number): void {
    if (capacity <= this.limit) return;
    const old = this.words.subarray(0, this.limit >>> 5);
    this.layOut(Math.max(capacity, this.limit * 2));
    this.words.set(old);
    this.members = 0;
    for (let i = 0; i < old.length; i++) this.restore(i, old[i]);
  }

  /** From bit `index` of `level`, or the root for the number of levels, down to the lowest member below it. */
  private descend(level: number, index: number): number {
    while (level > 0) {
      const word = this.words[this.offset[--level] + index];
      index = (index << 5) | (31 - Math.clz32(word & -word));
    }
    return index;
  }

  private restore(index: number, word: number): void {
    if (word === 0) return;
    for (let bits = word; bits !== 0; bits &= bits - 1) this.members++;
    for (let level = 1; level < this.levels; level++) {
      this.words[this.offset[level] + (index >>> 5)] |= 1 << (index & 31);
      index >>>= 5;
    }
  }

  /** Sizes the levels: the topmost is a single word. */
  private layOut(capacity: number): void {
    let total = 0;
    let size = Math.max(1, Math.ceil(capacity / 32));
    this.limit = size * 32;
    for (this.levels = 0; ; size = Math.ceil(size / 32)) {
      this.offset[this.levels++] = total;
      total += size;
      if (size === 1) break;
    }
    this.words = new Int32Array(total);
  }
}
