import { grown } from "../../memory/columns.js";

/**
 * For each size a binary heap of places. A place that is no longer wanted may stay in its heap until it comes to the top,
 * or until the heap is sifted: the owner says which places count.
 */

// A heap is a piece of `words`: how many places are in it, how many of them count, the power of two that is the length
// of the piece, and the places.
const LENGTH = 0;
const COUNT = 1;
const POWER = 2;
/** Place `i` of a heap, counted from 1, stands this much behind `i`. */
const BEFORE = 2;
/** Length of the smallest piece, as a power of two. */
const SMALLEST = 3;
/** A heap is sifted when it has more places than twice those that count and these. */
const SLACK = 8;

/** Whether a block of this size is at this place. */
export interface Holds {
  holds(place: number, size: number): boolean;
}

export class SizeHeaps {
  private words: Int32Array;
  /** Where the heap of each size starts in `words`, or 0. */
  private heapOf: Int32Array;
  /** First of the free pieces of each power of two, or 0; each holds the next in its first word. */
  private readonly free: Int32Array;
  /** Words from here on were in no piece yet. */
  private end: number;
  private readonly owner: Holds;

  constructor(owner: Holds) {
    this.owner = owner;
    this.words = new Int32Array(256);
    this.heapOf = new Int32Array(64);
    this.free = new Int32Array(32);
    this.end = 1 << SMALLEST;
  }

  /** Adds a place. Whether it is the first of its size. */
  add(size: number, place: number): boolean {
    if (size >= this.heapOf.length) this.addSizes(size);
    let heap = this.heapOf[size];
    const first = heap === 0;
    if (first) {
      heap = this.take(SMALLEST);
      this.heapOf[size] = heap;
    } else if (this.words[heap + LENGTH] + BEFORE + 1 === 1 << this.words[heap + POWER]) {
      heap = this.makeRoom(heap, size);
    }
    const words = this.words;
    const base = heap + BEFORE;
    words[heap + COUNT] += 1;
    words[heap + LENGTH] += 1;
    let at = words[heap + LENGTH];
    while (at > 1) {
      const above = words[base + (at >> 1)];
      if (above <= place) break;
      words[base + at] = above;
      at >>= 1;
    }
    words[base + at] = place;
    return first;
  }

  /** A place counts no more. Whether it was the last of its size. */
  remove(size: number, place: number): boolean {
    const words = this.words;
    const heap = this.heapOf[size];
    words[heap + COUNT] -= 1;
    if (words[heap + COUNT] === 0) {
      this.give(heap);
      this.heapOf[size] = 0;
      return true;
    }
    if (words[heap + BEFORE + 1] === place) this.dropLeast(heap);
    return false;
  }

  /** The least place that counts, of a size that has one. */
  least(size: number): number {
    const words = this.words;
    const heap = this.heapOf[size];
    while (!this.owner.holds(words[heap + BEFORE + 1], size)) this.dropLeast(heap);
    return words[heap + BEFORE + 1];
  }

  /** The least place that counts and suits, or -1: each is looked at. */
  leastWhere(size: number, suits: (place: number) => boolean): number {
    const words = this.words;
    const heap = this.heapOf[size];
    let least = -1;
    for (let i = 1; i <= words[heap + LENGTH]; i++) {
      const place = words[heap + BEFORE + i];
      if (least >= 0 && place >= least) continue;
      if (this.owner.holds(place, size) && suits(place)) least = place;
    }
    return least;
  }

  /** Empties all heaps. */
  clear(): void {
    this.heapOf.fill(0);
    this.free.fill(0);
    this.end = 1 << SMALLEST;
  }

  private dropLeast(heap: number): void {
    const words = this.words;
    const base = heap + BEFORE;
    const length = words[heap + LENGTH] - 1;
    const last = words[base + length + 1];
    words[heap + LENGTH] = length;
    // The hole sinks to the bottom along the lesser children, from where the last place seldom rises.
    let at = 1;
    let below = 2;
    while (below < length) {
      below += (words[base + below + 1] - words[base + below]) >>> 31;
      words[base + at] = words[base + below];
      at = below;
      below *= 2;
    }
    if (below === length) {
      words[base + at] = words[base + below];
      at = below;
    }
    while (at > 1 && words[base + (at >> 1)] > last) {
      words[base + at] = words[base + (at >> 1)];
      at >>= 1;
    }
    words[base + at] = last;
  }

  /** Makes room in a full heap: sifts it, or moves it to a piece twice as long. Returns where it is then. */
  private makeRoom(heap: number, size: number): number {
    const length = this.words[heap + LENGTH];
    if (length > 2 * this.words[heap + COUNT] + SLACK) {
      this.sift(heap, size);
      return heap;
    }
    const longer = this.take(this.words[heap + POWER] + 1);
    const words = this.words;
    words[longer + LENGTH] = length;
    words[longer + COUNT] = words[heap + COUNT];
    words.copyWithin(longer + BEFORE + 1, heap + BEFORE + 1, heap + BEFORE + 1 + length);
    this.give(heap);
    this.heapOf[size] = longer;
    return longer;
  }

  /** Leaves the places that count, each once: sorted they are a heap. */
  private sift(heap: number, size: number): void {
    const words = this.words;
    const from = heap + BEFORE + 1;
    const places = words.subarray(from, from + words[heap + LENGTH]).sort();
    let kept = 0;
    for (let i = 0; i < places.length; i++) {
      const place = places[i];
      if ((i === 0 || place !== places[i - 1]) && this.owner.holds(place, size)) places[kept++] = place;
    }
    words[heap + LENGTH] = kept;
  }

  /** An empty piece whose length is a power of two. */
  private take(power: number): number {
    let piece = this.free[power];
    if (piece !== 0) {
      this.free[power] = this.words[piece];
    } else {
      piece = this.end;
      this.end += 1 << power;
      if (this.end > this.words.length) this.addWords();
    }
    this.words[piece + LENGTH] = 0;
    this.words[piece + COUNT] = 0;
    this.words[piece + POWER] = power;
    return piece;
  }

  private give(piece: number): void {
    const power = this.words[piece + POWER];
    this.words[piece] = this.free[power];
    this.free[power] = piece;
  }

  private addWords(): void {
    this.words = grown(this.words, Math.max(this.end, this.words.length * 2));
  }

  private addSizes(size: number): void {
    let length = this.heapOf.length;
    while (length <= size) length *= 2;
    this.heapOf = grown(this.heapOf, length);
  }
}
