/** Index of the lowest set bit of a word that is not 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * A set of integers below 2^30 that hands out its lowest member, for the few operations that a free index needs, and
 * none that looks twice. A tree of words, 32 children to a node, level by level in one column: the children of node i
 * are nodes 32i + 1 to 32i + 32, a bit of an inner node says that the child has a bit, and the last level holds the set.
 */
export class Bitmap {
  private words: Int32Array;
  /** The first node of the last level. */
  private leaves: number;
  /** Integers that the column has room for. */
  private room: number;

  constructor() {
    this.words = new Int32Array(33);
    this.leaves = 1;
    this.room = 1024;
  }

  isEmpty(): boolean {
    return this.words[0] === 0;
  }

  has(member: number): boolean {
    return member < this.room && ((this.words[this.leaves + (member >>> 5)] >>> (member & 31)) & 1) !== 0;
  }

  /** Adds an integer that is not in the set. */
  add(member: number): void {
    if (member >= this.room) this.grow(member);
    const words = this.words;
    let i = this.leaves + (member >>> 5);
    let word = words[i];
    words[i] = word | (1 << (member & 31));
    while (word === 0 && i > 0) {
      const bit = 1 << ((i - 1) & 31);
      i = (i - 1) >>> 5;
      word = words[i];
      words[i] = word | bit;
    }
  }

  /** Takes out a member. */
  remove(member: number): void {
    this.clear(this.leaves + (member >>> 5), 1 << (member & 31));
  }

  /** Takes out the lowest member of a set that is not empty. */
  take(): number {
    const words = this.words;
    const leaves = this.leaves;
    let i = 0;
    while (i < leaves) i = i * 32 + 1 + lowestBit(words[i]);
    const word = words[i];
    this.clear(i, word & -word);
    return (i - leaves) * 32 + lowestBit(word);
  }

  private clear(node: number, lowest: number): void {
    const words = this.words;
    let i = node;
    let word = words[i] & ~lowest;
    words[i] = word;
    while (word === 0 && i > 0) {
      const bit = 1 << ((i - 1) & 31);
      i = (i - 1) >>> 5;
      word = words[i] & ~bit;
      words[i] = word;
    }
  }

  /** Makes room for a member: the last level at least doubles, and a full tree becomes the first child of a new root. */
  private grow(member: number): void {
    const members: number[] = [];
    for (let i = this.leaves; i < this.words.length; i++) {
      for (let rest = this.words[i]; rest !== 0; rest &= rest - 1) {
        members.push((i - this.leaves) * 32 + lowestBit(rest));
      }
    }
    const room = Math.max(this.room * 2, (member + 32) & -32);
    let leaves = 1;
    while (room > (leaves * 31 + 1) * 32) leaves = leaves * 32 + 1;
    this.words = new Int32Array(leaves + room / 32);
    this.leaves = leaves;
    this.room = room;
    for (const old of members) this.add(old);
  }
}
