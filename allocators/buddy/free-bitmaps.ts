import { type FreeBlocks, lowestAtLeast as lowestSetAtLeast, lowestBit as lowestSetBit } from "./free-blocks.js";

// An imported binding is looked up at each use (V8 11), a module's own is folded.
const lowestAtLeast = lowestSetAtLeast;
const lowestBit = lowestSetBit;

/** Units that there is room for at first: as many as need four levels. */
const LEAST_ROOM = 32768;

/**
 * Lowest address first. The blocks of all orders are the nodes of one binary tree, numbered as in a heap: with room for
 * 2^r units, the block of order `k` at unit `u` is node (2^r + u) >> k, so that an order is a run of numbers from a
 * power of two up to the next. Level 0 has a bit for each node; bit `i` of a level above says that word `i` of the level
 * below is not 0. Where a run is shorter than a word, it lies in word 0 beside those of other orders, and a mask tells
 * them apart; bit 0 there belongs to none.
 *
 * Few blocks are free in a large heap and they lie far apart, so that whether a word gets its first bit or loses its
 * last is not to be predicted. So the four lowest levels, enough for half a million units, are written without a look
 * at whether they change.
 */
export class FreeBitmaps implements FreeBlocks {
  /** Bit `k`: there is a free block of order `k`. */
  private orders: number;
  /** Free blocks of each order. */
  private readonly counts: Int32Array;
  /** For each order the lowest level at which it has less than a word. */
  private readonly tops: Uint8Array;
  /** Units that there is room for: a power of two. */
  private room: number;
  /** The words of all levels, level 0 first. */
  private words: Int32Array;
  /** Where each level starts in `words`, and, last, where they end. */
  private starts: Int32Array;
  private levels: number;
  // The starts of levels 1 to 3 again, where they are read without another column.
  private start1: number;
  private start2: number;
  private start3: number;

  /** No free blocks yet, of orders below `orders`. */
  constructor(orders: number) {
    this.orders = 0;
    this.counts = new Int32Array(orders);
    this.tops = new Uint8Array(orders);
    this.room = Math.max(LEAST_ROOM, 1 << (orders - 1));
    this.starts = new Int32Array(0);
    this.words = this.starts;
    this.levels = 0;
    this.start1 = 0;
    this.start2 = 0;
    this.start3 = 0;
    this.layOut();
  }

  smallest(order: number): number {
    return lowestAtLeast(this.orders, order);
  }

  take(order: number): number {
    const words = this.words;
    const starts = this.starts;
    let level = this.tops[order];
    const first = this.room >>> (order + level * 5);
    let node = lowestBit(words[starts[level]] & (((1 << first) - 1) << first));
    if (level > 3)
      do node = (node << 5) | lowestBit(words[starts[--level] + node]);
      while (level > 3);
    if (level > 2) node = (node << 5) | lowestBit(words[this.start2 + node]);
    if (level > 1) node = (node << 5) | lowestBit(words[this.start1 + node]);
    if (level > 0) node = (node << 5) | lowestBit(words[node]);
    this.clear(order, node);
    return (node << order) - this.room;
  }

  add(order: number, unit: number): void {
    if (unit >= this.room) this.grow(unit);
    this.orders |= 1 << order;
    this.counts[order] += 1;
    this.set((this.room + unit) >>> order);
  }

  remove(order: number, unit: number): void {
    this.clear(order, (this.room + unit) >>> order);
  }

  has(order: number, unit: number): boolean {
    const node = (this.room + unit) >>> order;
    return unit < this.room && ((this.words[node >>> 5] >>> (node & 31)) & 1) !== 0;
  }

  private set(node: number): void {
    const words = this.words;
    words[node >>> 5] |= 1 << (node & 31);
    words[this.start1 + (node >>> 10)] |= 1 << ((node >>> 5) & 31);
    words[this.start2 + (node >>> 15)] |= 1 << ((node >>> 10) & 31);
    words[this.start3 + (node >>> 20)] |= 1 << ((node >>> 15) & 31);
    for (let level = 4, i = node >>> 20; level < this.levels; level++, i >>>= 5) {
      words[this.starts[level] + (i >>> 5)] |= 1 << (i & 31);
    }
  }

  private clear(order: number, node: number): void {
    const words = this.words;
    let at = node >>> 5;
    let word = words[at] ^ (1 << (node & 31));
    words[at] = word;
    at = this.start1 + (node >>> 10);
    word = words[at] & ~(isZero(word) << ((node >>> 5) & 31));
    words[at] = word;
    at = this.start2 + (node >>> 15);
    word = words[at] & ~(isZero(word) << ((node >>> 10) & 31));
    words[at] = word;
    at = this.start3 + (node >>> 20);
    word = words[at] & ~(isZero(word) << ((node >>> 15) & 31));
    words[at] = word;
    for (let level = 4, i = node >>> 20; level < this.levels && word === 0; level++, i >>>= 5) {
      at = this.starts[level] + (i >>> 5);
      word = words[at] & ~(1 << (i & 31));
      words[at] = word;
    }
    const count = this.counts[order] - 1;
    this.counts[order] = count;
    if (count === 0) this.orders ^= 1 << order;
  }

  /** Makes room for a unit: the numbers of all nodes change. */
  private grow(unit: number): void {
    const { words, room } = this;
    const end = this.start1;
    while (this.room <= unit) this.room *= 2;
    this.layOut();
    for (let i = 0; i < end; i++) {
      for (let rest = words[i]; rest !== 0; rest &= rest - 1) {
        const node = i * 32 + lowestBit(rest);
        // The run that a node is in starts at its number's highest bit, which moves up.
        const first = 1 << (31 - Math.clz32(node));
        this.set(node + first * (this.room / room - 1));
      }
    }
  }

  /** Empty levels for the present room. */
  private layOut(): void {
    this.starts = levelStarts(this.room);
    this.levels = this.starts.length - 1;
    this.start1 = this.starts[1];
    this.start2 = this.starts[2];
    this.start3 = this.starts[3];
    this.words = new Int32Array(this.starts[this.levels]);
    for (let order = 0; order < this.tops.length; order++) {
      this.tops[order] = Math.floor((31 - Math.clz32(this.room >>> order)) / 5);
    }
  }
}

/** 1 for 0 and 0 for any other word, without a branch. */
function isZero(word: number): number {
  return ((word | -word) >>> 31) ^ 1;
}

/** Where the levels of a tree with room for `units` start, and, last, where they end. */
function levelStarts(units: number): Int32Array {
  const starts = [0];
  let end = 0;
  for (let first = units; first > 0; first >>>= 5) {
    end += Math.max(1, first / 16);
    starts.push(end);
  }
  return Int32Array.from(starts);
}
