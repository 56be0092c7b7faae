import { Bitset } from "../../memory/bitset.js";

/** Lists 0 to 254 hold spans of 1 to 255 pages, the last all longer ones. */
const LISTS = 256;
const LAST = LISTS - 1;

/** Spans of free pages in lists by length, each used last in, first out (meshable_arena.cc: findPages, findPagesInner). */
export class SpanLists {
  private readonly starts: number[][] = Array.from({ length: LISTS }, () => []);
  private readonly lengths: number[][] = Array.from({ length: LISTS }, () => []);
  private readonly filled = new Bitset(LISTS);
  /** Pages in all lists. */
  pages = 0;

  /** Adds a span; one of no pages is ignored. */
  push(start: number, length: number): void {
    if (length === 0) return;
    const list = Math.min(length, LISTS) - 1;
    this.starts[list].push(start);
    this.lengths[list].push(length);
    this.filled.set(list);
    this.pages += length;
  }

  /** Takes `length` pages off the front of a span from the first list that has one; what is left of it stays. -1: none. */
  take(length: number): number {
    let list = this.filled.next(Math.min(length, LISTS) - 1);
    if (list < 0) return -1;
    if (list === LAST && !this.bringToEnd(length)) list = -1;
    if (list < 0) return -1;
    const start = this.starts[list].pop() as number;
    const whole = this.lengths[list].pop() as number;
    if (this.starts[list].length === 0) this.filled.clear(list);
    this.pages -= whole;
    this.push(start + length, whole - length);
    return start;
  }

  /** Calls `visit` for each span and empties all lists. */
  drain(visit: (start: number, length: number) => void): void {
    for (let list = this.filled.next(0); list >= 0; list = this.filled.next(list + 1)) {
      this.starts[list].forEach((start, i) => {
        visit(start, this.lengths[list][i]);
      });
      this.starts[list].length = 0;
      this.lengths[list].length = 0;
    }
    this.filled.reset();
    this.pages = 0;
  }

  /** Spans of the last list differ in length: swaps the first that is long enough with its last. */
  private bringToEnd(length: number): boolean {
    const starts = this.starts[LAST];
    const lengths = this.lengths[LAST];
    const end = starts.length - 1;
    if (lengths[end] >= length) return true;
    const found = lengths.findIndex((one) => one >= length);
    if (found < 0) return false;
    [starts[found], starts[end]] = [starts[end], starts[found]];
    [lengths[found], lengths[end]] = [lengths[end], lengths[found]];
    return true;
  }
}
