import { InputError } from "./errors.js";
import { RangeList } from "./range-list.js";

/** Where the parts of the address space begin and end, in pages. */
const LOW_START = 16;
const LOW_END = 262144; // 1 GiB
const HIGH_START = 1073741824; // 2^42 bytes

/**
 * Which page numbers are taken: ranges of mappings that choose their own place, and reservations. Common addresses are
 * small integers: `take` serves from 64 KiB upwards, lowest first, and moves on to 2^42 when the first GiB is full;
 * `reserve` serves from 1 GiB upwards. Everything lies below 2^43.
 */
export class AddressRanges {
  private readonly low = new RangeList(LOW_START, LOW_END);
  private readonly high: RangeList;
  /** First page and end of each reservation, ascending. */
  private readonly reservations: { first: number; end: number }[] = [];

  /** Pages below `end`. */
  constructor(end: number) {
    this.high = new RangeList(HIGH_START, end);
  }

  /** Takes a run of pages at a multiple of `step`, lowest first; -1 where there is none. */
  take(pages: number, step: number): number {
    const first = this.low.take(pages, step);
    return first < 0 ? this.high.take(pages, step) : first;
  }

  /** Gives pages of `take` back; those of a reservation stay reserved. */
  give(first: number, pages: number): void {
    if (first + pages <= LOW_END) this.low.give(first, pages);
    else if (first >= HIGH_START) this.high.give(first, pages);
  }

  /** Sets pages at a multiple of `step` aside for good. Throws an `InputError` where there are too few. */
  reserve(pages: number, step: number): number {
    const first = Math.ceil((this.reservations.at(-1)?.end ?? LOW_END) / step) * step;
    const end = first + pages;
    if (!(end <= HIGH_START))
      throw new InputError(`the simulated address space has no ${pages * 4096} bytes left to reserve`);
    this.reservations.push({ first, end });
    return first;
  }

  /** Whether a run of pages lies in one reservation. */
  isReserved(first: number, end: number): boolean {
    return this.reservations.some((reserved) => reserved.first <= first && end <= reserved.end);
  }
}
