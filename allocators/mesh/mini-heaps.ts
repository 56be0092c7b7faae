import { grown } from "../../memory/columns.js";
import { classBytes, classObjects, classPages } from "./size-classes.js";

/** Words of a MiniHeap's bitmap: at most 256 objects. */
export const WORDS = 8;
/** Bins of spans that are neither attached nor full: by quarters of occupancy, then the empty ones. */
export const QUARTERS = 4;
export const EMPTY = QUARTERS;
const BINS = QUARTERS + 1;
const LARGE = -1;
// An imported constant is looked up at each use (V8 11), a module's own is folded.
const PER_HEAP = WORDS;
const EMPTY_BIN = EMPTY;
const objectsOf = Int32Array.from(classObjects);
/** Bits of the objects that a span of each class has, by word. */
const wholeBits = Int32Array.from({ length: classObjects.length * WORDS }, (_, i) => {
  const left = classObjects[Math.floor(i / WORDS)] - (i % WORDS) * 32;
  return left >= 32 ? -1 : left <= 0 ? 0 : (1 << left) - 1;
});
const NOWHERE = -1;

/**
 * The spans of a Mesh heap as MiniHeaps (mini_heap.h), numbered from 0. Each describes one virtual span. Meshing makes
 * one of two the keeper: it holds the bits of all objects on the frames they share, and a chain of the others.
 */
export class MiniHeaps {
  /** Numbers ever given out. */
  count = 0;
  /** First page of the virtual span; its size class, -1 for a large block; pages of a large block. */
  page = new Int32Array(64);
  sizeClass = new Int32Array(64);
  private largePages = new Int32Array(64);
  /** Objects handed out; while attached, all of them. */
  inUse = new Int32Array(64);
  /** `WORDS` words for each: a bit for each object handed out. */
  bits = new Int32Array(64 * WORDS);
  /** The MiniHeap behind in the chain of those that share frames, -1 at the end; chains have `shared` members. */
  next = new Int32Array(64);
  shared = new Int32Array(64);
  /** Position among the spans that a class allocates from now, -1 for none. */
  attachedAs = new Int32Array(64);
  /** Bin of each, and place in it. */
  private bin = new Int32Array(64);
  private place = new Int32Array(64);
  private readonly bins: number[][] = Array.from({ length: classBytes.length * BINS }, () => []);
  private readonly freed: number[] = [];

  /** The number that the next `create` gives out. */
  get following(): number {
    return this.freed.at(-1) ?? this.count;
  }

  /** A MiniHeap of a size class, or of a large block of `pages` pages, in no bin. */
  create(page: number, sizeClass: number, pages: number): number {
    const id = this.freed.pop() ?? this.count++;
    if (id === this.page.length) this.grow(2 * id);
    this.page[id] = page;
    this.sizeClass[id] = sizeClass;
    this.largePages[id] = pages;
    this.inUse[id] = 0;
    this.bits.fill(0, id * WORDS, (id + 1) * WORDS);
    this.next[id] = -1;
    this.shared[id] = 1;
    this.attachedAs[id] = -1;
    this.bin[id] = NOWHERE;
    return id;
  }

  /** A MiniHeap that is in no bin ends. */
  destroy(id: number): void {
    this.freed.push(id);
  }

  isLarge(id: number): boolean {
    return this.sizeClass[id] === LARGE;
  }

  pagesOf(id: number): number {
    const sizeClass = this.sizeClass[id];
    return sizeClass === LARGE ? this.largePages[id] : classPages[sizeClass];
  }

  hasBit(id: number, object: number): boolean {
    return ((this.bits[id * WORDS + (object >>> 5)] >>> (object & 31)) & 1) !== 0;
  }

  /**
   * Hands out all free objects of a span: writes `tag` + number of each to `into` from `at` downwards, exclusive, lowest
   * object first. Returns the position of the last one written.
   */
  handOut(id: number, tag: number, into: Int32Array, at: number): number {
    const { bits } = this;
    const sizeClass = this.sizeClass[id];
    for (let w = 0; w < PER_HEAP; w++) {
      const whole = wholeBits[sizeClass * PER_HEAP + w];
      const word = id * PER_HEAP + w;
      for (let free = whole & ~bits[word]; free !== 0; free &= free - 1) {
        into[--at] = tag + w * 32 + 31 - Math.clz32(free & -free);
      }
      bits[word] = whole;
    }
    this.inUse[id] = objectsOf[sizeClass];
    return at;
  }

  clearBit(id: number, object: number): void {
    this.bits[id * PER_HEAP + (object >>> 5)] &= ~(1 << (object & 31));
  }

  /** Whether no object of one lies where an object of the other, of the same class, lies: they can share frames. */
  areDisjoint(a: number, b: number): boolean {
    const { bits } = this;
    const p = a * PER_HEAP;
    const q = b * PER_HEAP;
    const words = (objectsOf[this.sizeClass[a]] + 31) >> 5;
    for (let w = 0; w < words; w++) if ((bits[p + w] & bits[q + w]) !== 0) return false;
    return true;
  }

  /** Keepers of a class in one of its bins; the order is not kept. */
  inBin(sizeClass: number, bin: number): readonly number[] {
    return this.bins[sizeClass * BINS + bin];
  }

  /** Puts a detached MiniHeap into the bin of its occupancy, or none when it is full. */
  file(id: number): void {
    const sizeClass = this.sizeClass[id];
    const inUse = this.inUse[id];
    const objects = objectsOf[sizeClass];
    const quarter = ((4 * inUse) / objects) | 0;
    const bin = inUse === objects ? NOWHERE : sizeClass * BINS + (inUse === 0 ? EMPTY_BIN : quarter);
    if (bin === this.bin[id]) return;
    this.unfile(id);
    if (bin === NOWHERE) return;
    this.bin[id] = bin;
    this.place[id] = this.bins[bin].push(id) - 1;
  }

  /** Takes a MiniHeap out of its bin, if it is in one. */
  unfile(id: number): void {
    const bin = this.bin[id];
    if (bin === NOWHERE) return;
    const members = this.bins[bin];
    const last = members.pop() as number;
    if (last !== id) {
      members[this.place[id]] = last;
      this.place[last] = this.place[id];
    }
    this.bin[id] = NOWHERE;
  }

  /** `keep` takes over the objects of `from`, which leaves its bin and becomes, chain and all, part of its chain. */
  join(keep: number, from: number): void {
    const { bits } = this;
    for (let w = 0; w < WORDS; w++) bits[keep * WORDS + w] |= bits[from * WORDS + w];
    this.inUse[keep] += this.inUse[from];
    this.shared[keep] += this.shared[from];
    let end = from;
    while (this.next[end] >= 0) end = this.next[end];
    this.next[end] = this.next[keep];
    this.next[keep] = from;
    this.unfile(from);
    this.file(keep);
  }

  private grow(length: number): void {
    this.page = grown(this.page, length);
    this.sizeClass = grown(this.sizeClass, length);
    this.largePages = grown(this.largePages, length);
    this.inUse = grown(this.inUse, length);
    this.bits = grown(this.bits, length * WORDS);
    this.next = grown(this.next, length);
    this.shared = grown(this.shared, length);
    this.attachedAs = grown(this.attachedAs, length);
    this.bin = grown(this.bin, length);
    this.place = grown(this.place, length);
  }
}
