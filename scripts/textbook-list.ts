/**
 * What the sequential fits are timed against: the linear list that textbooks print, in address order, with boundary tags
 * (Knuth 2.5, algorithms A and C, and the walk of algorithm B to the place of a freed block). Links, sizes and tags lie in
 * typed arrays, so that nothing but the walk is slow.
 */
import { InputError } from "../memory/errors.js";

const HEAD = 0;
const MIN_BLOCK = 2;
/** In granules of 16 bytes, the defaults of the sequential fits: one growth step, the trim threshold, and a page. */
const STEP = 8448;
const TRIM = 8192;
const PAGE = 256;

/** The allocators that have such a list, with their default options. */
export const textbookFits: readonly string[] = ["first-fit", "best-fit", "next-fit", "worst-fit"];

/** The placements of a fit with its default options, as positions in granules of 16 bytes. */
export class TextbookList {
  /** Free blocks looked at, on both kinds of walks. */
  hops = 0;
  private readonly fit: number;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  /** Size at both ends of a free block, and negative at the start of one in use. */
  private readonly tags: Int32Array;
  /** Next fit goes on with the first block that is not below this place. */
  private place = 0;
  private rover = HEAD;
  /** Behind the last granule; the first one is 1. */
  private end = 0;

  /** A heap of at most `granules`. */
  constructor(fit: string, granules: number) {
    this.fit = textbookFits.indexOf(fit);
    if (this.fit < 0) throw new InputError(`${fit}: the textbook's list has ${textbookFits.join(", ")}`);
    this.next = new Int32Array(granules);
    this.previous = new Int32Array(granules);
    this.tags = new Int32Array(granules);
  }

  /** Takes a block for `bytes` of the program's. */
  allocate(bytes: number): number {
    const need = Math.max(MIN_BLOCK, (bytes + 8 + 15) >>> 4);
    const { tags } = this;
    let at = this.find(need);
    if (at === HEAD) at = this.grow(need);
    const size = tags[at];
    const before = this.previous[at];
    this.unlink(at);
    this.place = at + need;
    tags[at] = -need;
    if (size - need < MIN_BLOCK) {
      tags[at + size - 1] = 0;
      tags[at] = -size;
      this.rover = this.next[before];
    } else {
      // The rest takes the place in the list of the block that it was cut from.
      this.linkBehind(before, at + need);
      this.tag(at + need, size - need);
      this.rover = at + need;
    }
    return at;
  }

  /** Walks to the place of the block in use at `at`, and joins it with free neighbours. */
  free(at: number): void {
    const { tags, next } = this;
    let before = HEAD;
    while (next[before] !== HEAD && next[before] < at) {
      before = next[before];
      this.hops++;
    }
    let start = at;
    let size = -tags[at];
    tags[at] = 0;
    const after = at + size;
    if (tags[after] > 0) {
      this.unlink(after);
      size += tags[after];
      tags[after] = 0;
    }
    if (tags[at - 1] > 0) {
      start = before;
      before = this.previous[start];
      size += tags[start];
      tags[at - 1] = 0;
      this.unlink(start);
    }
    if (start < this.place && this.place < start + size) this.place = start;
    this.linkBehind(before, start);
    this.tag(start, size);
    if (start + size === this.end && size >= TRIM) this.trim(start, size);
  }

  private find(need: number): number {
    const { next, tags, fit } = this;
    if (fit === 2) return this.findNext(need);
    let chosen = HEAD;
    let size = fit === 1 ? 0x7fffffff : need - 1;
    let hops = 0;
    for (let at = next[HEAD]; at !== HEAD; at = next[at]) {
      hops++;
      const tag = tags[at];
      if (tag < need || (fit === 1 ? tag >= size : tag <= size)) continue;
      chosen = at;
      size = tag;
      if (fit === 0 || (fit === 1 && tag === need)) break;
    }
    this.hops += hops;
    return chosen;
  }

  private findNext(need: number): number {
    const { next, tags, rover } = this;
    let at = rover;
    do {
      if (at !== HEAD) {
        this.hops++;
        if (tags[at] >= need) return at;
      }
      at = next[at];
    } while (at !== rover);
    return HEAD;
  }

  /** More memory, joined with a free block at the end. Returns where that starts. */
  private grow(need: number): number {
    const { tags, end } = this;
    const joins = end > 0 && tags[end - 1] > 0;
    const last = joins ? end - tags[end - 1] : Math.max(end, 1);
    this.end = end + Math.ceil((last + need - end) / STEP) * STEP;
    if (this.end >= tags.length) throw new InputError("the textbook's heap is full");
    if (joins) tags[end - 1] = 0;
    else this.linkBehind(this.previous[HEAD], last);
    this.tag(last, this.end - last);
    return last;
  }

  /** Gives the fewest whole pages back that leave one growth step at most. */
  private trim(start: number, size: number): void {
    let gone = Math.ceil((size - STEP) / PAGE) * PAGE;
    if (size - gone < MIN_BLOCK) gone -= PAGE;
    if (gone <= 0) return;
    this.tags[start + size - 1] = 0;
    this.tag(start, size - gone);
    this.end -= gone;
  }

  private tag(at: number, size: number): void {
    this.tags[at] = size;
    this.tags[at + size - 1] = size;
  }

  private linkBehind(before: number, at: number): void {
    const { next, previous } = this;
    const after = next[before];
    next[before] = at;
    previous[at] = before;
    next[at] = after;
    previous[after] = at;
    if (at >= this.place && after === this.rover) this.rover = at;
  }

  private unlink(at: number): void {
    const { next, previous } = this;
    if (this.rover === at) this.rover = next[at];
    next[previous[at]] = next[at];
    previous[next[at]] = previous[at];
  }
}
