import { grown } from "../../memory/columns.js";

/** Words of a record, of which the last is idle: units of the block; bytes asked for, unsigned; pins. */
const RECORD_BITS = 2;
const ASKED = 1;
const PINS = 2;

/** What does not fit beside the generation of a table entry: sizes of large blocks, and pins. One record for each entry. */
export class WideRecords {
  private words = new Int32Array(0);

  /** A record without pins for an entry of a table that has room for `entries`. */
  add(index: number, units: number, asked: number, entries: number): void {
    if (index << RECORD_BITS >= this.words.length) this.words = grown(this.words, entries << RECORD_BITS);
    this.set(index, units, asked);
    this.words[(index << RECORD_BITS) + PINS] = 0;
  }

  set(index: number, units: number, asked: number): void {
    this.words[index << RECORD_BITS] = units;
    this.words[(index << RECORD_BITS) + ASKED] = asked;
  }

  unitsOf(index: number): number {
    return this.words[index << RECORD_BITS];
  }

  askedOf(index: number): number {
    return this.words[(index << RECORD_BITS) + ASKED] >>> 0;
  }

  /** Counts a pin more, or with -1 one less. Returns how many there are then. */
  pin(index: number, by: 1 | -1): number {
    const at = (index << RECORD_BITS) + PINS;
    this.words[at] += by;
    return this.words[at];
  }
}
