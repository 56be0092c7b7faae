import { grown } from "../../memory/columns.js";
import * as freeRecords from "./free-records.js";

/** "None". */
export const END = -1;

// V8 folds a constant of the module, but loads and checks an imported or exported one at each use.
const NIL = END;
const { RECORD_BITS, UNITS, NEXT, PREVIOUS, NOWHERE, CLASSES, classOf } = freeRecords;

/** Marks hold this many low bits of a number; see `startingAt`. */
const MARK_BITS = 16;
const MARKS = 1 << MARK_BITS;

/**
 * The free blocks of a heap in 17 LIFO lists, segregated by size (Anchorage, Alaska's tag asplos-24-revision), and where
 * they lie. Blocks are of two units and more and free neighbours are merged, so one mark for each boundary between two blocks
 * is enough: it is 0 between used blocks, and else names the free one among the two. What lies between boundaries is stale.
 *
 * In memory the links lie in the free blocks; here each has a record with a number of its own, and the few records stay in
 * cache where the blocks would not. Numbers are reused last in, first out. The first numbers are those of the lists:
 * each is a ring through a record without units, so that a block leaves it without a look at its head.
 */
export class FreeBlocks {
  /** The boundary at unit u has its mark at u >> 1. */
  marks = new Uint16Array(8192);
  /** Start, units, next and previous of its list. Of a number out of use, `NOWHERE`, anything and the next one out of use. */
  records = new Int32Array(1024);
  /** Bit i is set while list i holds a block; it may stay set when the last one leaves. */
  filled = 0;
  /** The first number out of use. */
  spare = NIL;
  private made = CLASSES;

  constructor() {
    this.clear();
  }

  startOf(hole: number): number {
    return this.records[hole << RECORD_BITS];
  }

  unitsOf(hole: number): number {
    return this.records[(hole << RECORD_BITS) | UNITS];
  }

  /** The free block that starts at the boundary at `unit`; `END` without one. */
  startingAt(unit: number): number {
    const mark = this.marks[unit >>> 1];
    if (mark === 0) return NIL;
    for (let hole = mark; hole < this.made; hole = (hole + MARKS) | 0) if (this.startOf(hole) === unit) return hole;
    return NIL;
  }

  /** The free block that ends at the boundary at `unit`; `END` without one. */
  endingAt(unit: number): number {
    const mark = this.marks[unit >>> 1];
    if (mark === 0) return NIL;
    for (let hole = mark; hole < this.made; hole = (hole + MARKS) | 0) if (this.endOf(hole) === unit) return hole;
    return NIL;
  }

  /** Makes the boundary at a unit one between used blocks. */
  join(unit: number): void {
    this.marks[unit >>> 1] = 0;
  }

  /** Makes room for the marks of boundaries up to `unit`. */
  reach(unit: number): void {
    if (unit >>> 1 < this.marks.length) return;
    this.marks = grown(this.marks, Math.max((unit >>> 1) + 1, this.marks.length * 2));
  }

  /** Makes [start, start + units) a free block, at the head of its list; its neighbours are used. Returns its number. */
  addFree(start: number, units: number): number {
    const hole = this.add(start, units);
    this.setMarks(start, start + units, hole);
    return hole;
  }

  /** A number for a free block that is in no list and has no marks. */
  make(start: number, units: number): number {
    if (this.spare === NIL) this.extend();
    const hole = this.spare;
    this.spare = this.nextOf(hole);
    this.records[hole << RECORD_BITS] = start;
    this.records[(hole << RECORD_BITS) | UNITS] = units;
    return hole;
  }

  /** The number is free for another block; it is in no list. */
  drop(hole: number): void {
    const { records } = this;
    records[hole << RECORD_BITS] = NOWHERE;
    records[(hole << RECORD_BITS) | NEXT] = this.spare;
    this.spare = hole;
  }

  /** Takes a free block out of its list, and its number with it. */
  take(hole: number): void {
    this.unlink(hole);
    this.drop(hole);
  }

  /** Calls `visit` for each block in the lists, from class `own` upwards. */
  each(own: number, visit: (start: number, units: number, own: number) => void): void {
    for (let list = own; list < CLASSES; list++) {
      for (let hole = this.nextOf(list); hole !== list; hole = this.nextOf(hole)) {
        visit(this.startOf(hole), this.unitsOf(hole), list);
      }
    }
  }

  /** Empties all lists; the numbers stay in use until they are dropped. */
  clear(): void {
    for (let list = 0; list < CLASSES; list++) this.records.set([NOWHERE, 0, list, list], list << RECORD_BITS);
    this.filled = 0;
  }

  endOf(hole: number): number {
    return (this.startOf(hole) + this.unitsOf(hole)) | 0;
  }

  nextOf(hole: number): number {
    return this.records[(hole << RECORD_BITS) | NEXT];
  }

  /** The boundaries at `start` and `end` are those of the free block `hole`. */
  setMarks(start: number, end: number, hole: number): void {
    this.marks[start >>> 1] = hole;
    this.marks[end >>> 1] = hole;
  }

  /** A number for a free block at the head of its list, which has no marks yet. */
  add(start: number, units: number): number {
    const hole = this.make(start, units);
    this.push(hole, classOf(units));
    return hole;
  }

  /** Gives a free block another place, at the head of the list for its new size. */
  change(hole: number, start: number, units: number): void {
    this.unlink(hole);
    this.records[hole << RECORD_BITS] = start;
    this.records[(hole << RECORD_BITS) | UNITS] = units;
    this.push(hole, classOf(units));
  }

  private push(hole: number, list: number): void {
    const { records } = this;
    const next = records[(list << RECORD_BITS) | NEXT];
    records[(hole << RECORD_BITS) | NEXT] = next;
    records[(hole << RECORD_BITS) | PREVIOUS] = list;
    records[(next << RECORD_BITS) | PREVIOUS] = hole;
    records[(list << RECORD_BITS) | NEXT] = hole;
    this.filled |= 1 << list;
  }

  private unlink(hole: number): void {
    const { records } = this;
    const next = records[(hole << RECORD_BITS) | NEXT];
    const previous = records[(hole << RECORD_BITS) | PREVIOUS];
    records[(previous << RECORD_BITS) | NEXT] = next;
    records[(next << RECORD_BITS) | PREVIOUS] = previous;
  }

  /** Makes a spare number where there is none. */
  private extend(): void {
    // The number whose mark would be 0 is left out.
    if ((this.made & (MARKS - 1)) === 0) this.made++;
    if ((this.made + 1) << RECORD_BITS > this.records.length)
      this.records = grown(this.records, this.records.length * 2);
    this.drop(this.made++);
  }
}
