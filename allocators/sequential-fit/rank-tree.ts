import { grown } from "../../memory/columns.js";
import type { Sizes } from "./sizes.js";

// Places by words of 32 bits, words by fours, fours by groups.
const WORD = 5;
const FOUR = 7;
const GROUP = 9;
/** Members that are as many words apart or fewer are counted one word after the other. */
const NEAR = 16;

/** The number of bits set in a word. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

// What four siblings hold is counted in three lanes of ten bits: in the first sibling, in the first two, in three.

/** One in each lane that counts sibling `i`, from 0 to 3. */
function lanesWith(i: number): number {
  return (0x00100401 << (10 * i)) & 0x3fffffff;
}

/** The number that the siblings before `i` hold. */
function before(i: number, lanes: number): number {
  return (lanes >>> (10 * i - 10)) & 0x3ff & (-i >> 31);
}

/**
 * A set of places that tells in O(log places) how many of its members lie below one. There is a bit for each place, a word
 * of lanes for each four words of bits and for each four of those, and over these groups of 512 places a binary tree whose
 * nodes know how many members lie to their left. All loops are as long as the tree is high: counts change and are read at
 * random places, and a branch on these would mostly be mispredicted.
 */
export class RankTree {
  private bits: Int32Array;
  /** Lanes over the words of each four, and over the fours of each group. */
  private words: Int32Array;
  private fours: Int32Array;
  /** Members in the left half below each node; node 1 is the root, and the children of `i` are 2i and 2i + 1. */
  private left: Int32Array;

  constructor() {
    this.bits = new Int32Array(0);
    this.words = new Int32Array(0);
    this.fours = new Int32Array(0);
    this.left = new Int32Array(0);
    this.grow(1);
  }

  has(place: number): boolean {
    return ((this.bits[place >>> WORD] >>> (place & 31)) & 1) !== 0;
  }

  add(place: number): void {
    this.bits[place >>> WORD] |= 1 << (place & 31);
    this.count(place, 1);
  }

  remove(place: number): void {
    this.bits[place >>> WORD] &= ~(1 << (place & 31));
    this.count(place, -1);
  }

  move(from: number, to: number): void {
    this.bits[from >>> WORD] &= ~(1 << (from & 31));
    this.bits[to >>> WORD] |= 1 << (to & 31);
    if (from >>> WORD === to >>> WORD) return;
    this.count(from, -1);
    this.count(to, 1);
  }

  /** How many members lie below `place`. */
  rank(place: number): number {
    const left = this.left;
    let below = ones(this.bits[place >>> WORD] & ~(-1 << (place & 31)));
    below += before((place >>> WORD) & 3, this.words[place >>> FOUR]);
    below += before((place >>> FOUR) & 3, this.fours[place >>> GROUP]);
    let node = (place >>> GROUP) + left.length;
    while (node > 1) {
      const right = -(node & 1);
      node >>>= 1;
      below += left[node] & right;
    }
    return below;
  }

  /** How many members there are from `from` to `to`, which is one. */
  between(from: number, to: number): number {
    const first = from >>> WORD;
    const last = to >>> WORD;
    if (last - first > NEAR) return this.rank(to) + 1 - this.rank(from);
    const bits = this.bits;
    let members = ones(bits[last] & ~(-2 << (to & 31)));
    for (let word = first; word < last; word++) members += ones(bits[word]);
    return members - ones(bits[first] & ~(-1 << (from & 31)));
  }

  /** Forgets all members; now they are the places whose sizes are not 0. */
  refill(sizes: Sizes): void {
    this.bits.fill(0);
    this.grow(sizes.length);
    for (let place = 0; place < sizes.length; place++) {
      if (sizes.sizeAt(place) !== 0) this.bits[place >>> WORD] |= 1 << (place & 31);
    }
    this.sumUp();
  }

  /** Makes room for places below `capacity`. */
  grow(capacity: number): void {
    let groups = Math.max(1, this.left.length);
    if (capacity <= groups << GROUP && this.left.length > 0) return;
    while (groups << GROUP < capacity) groups *= 2;
    this.bits = grown(this.bits, groups << (GROUP - WORD));
    this.words = new Int32Array(groups << (GROUP - FOUR));
    this.fours = new Int32Array(groups);
    this.left = new Int32Array(groups);
    this.sumUp();
  }

  private count(place: number, by: number): void {
    const left = this.left;
    this.words[place >>> FOUR] += by * lanesWith((place >>> WORD) & 3);
    this.fours[place >>> GROUP] += by * lanesWith((place >>> FOUR) & 3);
    let node = (place >>> GROUP) + left.length;
    while (node > 1) {
      const right = node & 1;
      node >>>= 1;
      left[node] += by & (right - 1);
    }
  }

  /** Counts the bits anew. */
  private sumUp(): void {
    const { bits } = this;
    this.words.fill(0);
    this.fours.fill(0);
    this.left.fill(0);
    for (let word = 0; word < bits.length; word++) if (bits[word] !== 0) this.count(word << WORD, ones(bits[word]));
  }
}
