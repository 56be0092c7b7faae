import type { Random } from "../../memory/random.js";
import { classObjects } from "./size-classes.js";

const PER_WORD = 1 / 4294967296;

/**
 * The shuffle vectors of all size classes (PLDI 2019, section 4.2; shuffle_vector.h): the free objects of the spans that
 * a class allocates from, in random order. An entry is the span's position among them * 256 + the object's number.
 * Entries of class k are `list[next[k]]` up to, not including, `list[end[k]]`; the heap takes and adds them in front.
 */
export class ShuffleVectors {
  readonly list: Int32Array;
  readonly next: Int32Array;
  readonly end: Int32Array;
  private readonly first: Int32Array;
  private readonly random: Random;
  private readonly randomize: boolean;

  /** Empty vectors for up to `attached` spans of each class. */
  constructor(attached: number, random: Random, randomize: boolean) {
    const count = classObjects.length;
    this.random = random;
    this.randomize = randomize;
    this.first = new Int32Array(count);
    this.next = new Int32Array(count);
    this.end = new Int32Array(count);
    let total = 0;
    classObjects.forEach((objects, k) => {
      this.first[k] = total;
      total += objects * attached;
      this.next[k] = total;
      this.end[k] = total;
    });
    this.list = new Int32Array(total);
  }

  /** Empties the vector of a class, for spans with `objects` objects in all. */
  clear(sizeClass: number, objects: number): void {
    this.end[sizeClass] = this.first[sizeClass] + objects;
    this.next[sizeClass] = this.end[sizeClass];
  }

  /** Fisher and Yates' shuffle of all entries of a class. The bias, below 2^-18, is less than the C code's. */
  shuffle(sizeClass: number): void {
    if (!this.randomize) return;
    const { list } = this;
    const from = this.next[sizeClass];
    for (let i = this.end[sizeClass] - 1; i > from; i--) {
      const other = from + Math.floor(this.random.u32() * PER_WORD * (i - from + 1));
      const entry = list[i];
      list[i] = list[other];
      list[other] = entry;
    }
  }

  /** Adds a freed object and swaps it with an entry anywhere: one more step of the shuffle. */
  push(sizeClass: number, entry: number): void {
    const { list } = this;
    const at = this.next[sizeClass] - 1;
    this.next[sizeClass] = at;
    if (!this.randomize) {
      list[at] = entry;
      return;
    }
    const other = at + Math.floor(this.random.u32() * PER_WORD * (this.end[sizeClass] - at));
    list[at] = list[other];
    list[other] = entry;
  }
}
