import { NIL, type Nodes } from "./nodes.js";

/** SMALL_BUFFER_SIZE, in bytes, and the lists that sizes up to it are in: 64 bytes each. */
const SMALL = 256;
const SMALL_STEP = 64;
/** Second levels, as a shift, and highest first level: sizes below 2^31. */
const STEPS_LOG2 = 5;
const STEPS = 1 << STEPS_LOG2;
const CLASSES = 23;
/** m_FreeList of a block and the two levels of bitmaps, in bytes. */
export const LISTS_BYTES = 8 * (4 + CLASSES * STEPS) + 4 * CLASSES + 8;

/** Index of the lowest set bit. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * The free ranges of one memory block (VmaBlockMetadata_TLSF): four lists of 64 bytes each up to 256, then 32 to a
 * doubling, each last in, first out.
 *
 * The first of a small list that is large enough is told without walking it: such a list is kept as one for each size in
 * it, and what lay nearer to its head came later.
 */
export class FreeLists {
  private readonly nodes: Nodes;
  /** Bytes of a unit, and units of a small list. */
  private readonly unit: number;
  private readonly perList: number;
  /** Heads: of small sizes by units - 1, then of 32 lists for each class. */
  private readonly heads: Int32Array;
  private readonly smalls: number;
  private small = 0;
  private classes = 0;
  private readonly steps = new Int32Array(CLASSES);
  private stamps = 0;
  /** Free ranges in lists. */
  count = 0;

  constructor(nodes: Nodes, unit: number) {
    this.nodes = nodes;
    this.unit = unit;
    this.smalls = SMALL / unit;
    this.perList = Math.max(1, SMALL_STEP / unit);
    this.heads = new Int32Array(this.smalls + CLASSES * STEPS).fill(NIL);
  }

  /** InsertFreeBlock. */
  insert(node: number): void {
    const { nodes, heads } = this;
    const list = this.listOf(nodes.size[node]);
    const head = heads[list];
    nodes.next[node] = head;
    nodes.previous[node] = NIL;
    nodes.stamp[node] = this.stamps++;
    if (head >= 0) nodes.previous[head] = node;
    heads[list] = node;
    this.mark(list, true);
    this.count++;
  }

  /** RemoveFreeBlock. */
  remove(node: number): void {
    const { nodes, heads } = this;
    const next = nodes.next[node];
    const previous = nodes.previous[node];
    if (next >= 0) nodes.previous[next] = previous;
    if (previous >= 0) nodes.next[previous] = next;
    else {
      const list = this.listOf(nodes.size[node]);
      heads[list] = next;
      if (next < 0) this.mark(list, false);
    }
    this.count--;
  }

  /** The first range of the lowest list in which all are larger than those in the list of `units`; `NIL` for none. */
  larger(units: number): number {
    const bytes = units * this.unit;
    if (bytes > SMALL) return this.fromClass(bytes + (1 << (31 - Math.clz32(bytes) - STEPS_LOG2)));
    const most = this.perList;
    for (let first = (Math.floor((units - 1) / most) + 1) * most; first < this.smalls; first += most) {
      const node = this.newest(first, first + most);
      if (node >= 0) return node;
    }
    return this.fromClass(SMALL + 1);
  }

  /** The first range of at least `units` in the list of that size, after how many looks; `NIL` for none. */
  withinOwn(units: number): { node: number; looks: number } {
    const { nodes } = this;
    if (units <= this.smalls) {
      const end = (Math.floor((units - 1) / this.perList) + 1) * this.perList;
      return { node: this.newest(units - 1, end), looks: 1 };
    }
    let looks = 1;
    let node = this.heads[this.listOf(units)];
    for (; node >= 0 && nodes.size[node] < units; looks++) node = nodes.next[node];
    return { node, looks };
  }

  /** Of the small sizes from `first` + 1 to `end` units, the range that came last. */
  private newest(first: number, end: number): number {
    const bits = this.small & ((end === 32 ? -1 : (1 << end) - 1) & (-1 << first));
    let best = NIL;
    for (let left = bits; left !== 0; left &= left - 1) {
      const node = this.heads[lowestBit(left)];
      if (best < 0 || this.nodes.stamp[node] > this.nodes.stamp[best]) best = node;
    }
    return best;
  }

  /** The head of the first list from that of `bytes` on, above the small ones (FindFreeBlock). */
  private fromClass(bytes: number): number {
    const list = this.listOfBytes(bytes) - this.smalls;
    const level = list >> STEPS_LOG2;
    if (level >= CLASSES) return NIL;
    const steps = this.steps[level] & (-1 << (list & (STEPS - 1)));
    if (steps !== 0) return this.heads[this.smalls + level * STEPS + lowestBit(steps)];
    const above = this.classes & (-2 << level);
    if (above === 0) return NIL;
    const next = lowestBit(above);
    return this.heads[this.smalls + next * STEPS + lowestBit(this.steps[next])];
  }

  private listOf(units: number): number {
    return units <= this.smalls ? units - 1 : this.listOfBytes(units * this.unit);
  }

  /** SizeToMemoryClass and SizeToSecondIndex of more than 256 bytes. */
  private listOfBytes(bytes: number): number {
    const highest = 31 - Math.clz32(bytes);
    return this.smalls + (highest - 8) * STEPS + ((bytes >>> (highest - STEPS_LOG2)) ^ STEPS);
  }

  /** Notes whether a list has ranges. */
  private mark(list: number, has: boolean): void {
    if (list < this.smalls) {
      this.small = has ? this.small | (1 << list) : this.small & ~(1 << list);
      return;
    }
    const level = (list - this.smalls) >> STEPS_LOG2;
    const bit = 1 << ((list - this.smalls) & (STEPS - 1));
    this.steps[level] = has ? this.steps[level] | bit : this.steps[level] & ~bit;
    if (this.steps[level] === 0) this.classes &= ~(1 << level);
    else this.classes |= 1 << level;
  }
}
