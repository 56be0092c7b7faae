import { Cost, type Costs } from "../../memory/costs.js";
import { HeapError } from "../../memory/errors.js";

/** "None". */
export const END = -1;

// V8 folds a constant of the module, but loads and checks an imported or exported one at each use.
const NIL = END;
const LIST_HOPS = Cost.listHops;

/** Words of a record: 16 bytes, so that none straddles a cache line. */
const RECORD_BITS = 2;
const UNITS = 1;
const NEXT = 2;
const PREVIOUS = 3;

/** Marks of free blocks hold this many low bits of a number; see `startingAt`. */
const MARK_BITS = 16;
const MARKS = 1 << MARK_BITS;

/** Lists by size class; the last one takes everything above 2^15 bytes. */
const CLASSES = 17;

/** Class of a block of `units`: the smallest i with payload <= 2^i, at most 16. */
function classOf(units: number): number {
  const i = 36 - Math.clz32(units - 2);
  return i < CLASSES - 1 ? i : CLASSES - 1;
}

/**
 * The free blocks of a heap in 17 LIFO lists, segregated by size (Anchorage, Alaska's tag asplos-24-revision). In memory
 * the links lie in the free blocks; here each has a record with a number of its own, and the few records stay in cache
 * where the blocks would not. Numbers are reused last in, first out.
 */
export class FreeLists {
  private readonly costs: Costs;
  /** Whether a search of the request's own class looks at the head alone. */
  private readonly headOnly: boolean;
  private readonly heads = new Int32Array(CLASSES).fill(NIL);
  /** Bit i is set while list i holds a block. */
  private filled = 0;
  /** Start, units, next and previous of its list. Of a number out of use, -1, 0 and the next one out of use. */
  private records = new Int32Array(1024);
  private spare = NIL;
  private made = 0;

  constructor(costs: Costs, headOnly: boolean) {
    this.costs = costs;
    this.headOnly = headOnly;
  }

  startOf(hole: number): number {
    return this.records[hole << RECORD_BITS];
  }

  unitsOf(hole: number): number {
    return this.records[(hole << RECORD_BITS) + UNITS];
  }

  /** What a mark of 16 bits keeps of a number; never 0. */
  markOf(hole: number): number {
    return (hole + 1) & (MARKS - 1);
  }

  /** The free block with this mark that starts at `unit`. There must be one; unless there are very many, the first guess is right. */
  startingAt(unit: number, mark: number): number {
    const { records } = this;
    let hole = mark - 1;
    while (records[hole << RECORD_BITS] !== unit) hole = this.another(hole);
    return hole;
  }

  /** As `startingAt`, of the free block that ends before `unit`. */
  endingAt(unit: number, mark: number): number {
    const { records } = this;
    let hole = mark - 1;
    while (records[hole << RECORD_BITS] + records[(hole << RECORD_BITS) + UNITS] !== unit) hole = this.another(hole);
    return hole;
  }

  /** A free block of at least `units`, still in its list; `END` where the policy finds none. */
  find(units: number): number {
    const { costs } = this;
    const own = classOf(units);
    let hole = this.heads[own];
    if (hole !== NIL) {
      costs[LIST_HOPS] += 1;
      if (this.unitsOf(hole) >= units) return hole;
      if (!this.headOnly) {
        hole = this.findBehind(hole, units);
        if (hole !== NIL) return hole;
      }
    }
    // In every list above, even the smallest block is large enough.
    const above = this.filled & (-2 << own);
    if (above === 0) return NIL;
    costs[LIST_HOPS] += 1;
    return this.heads[31 - Math.clz32(above & -above)];
  }

  /** A number for a free block that is in no list. */
  make(start: number, units: number): number {
    let hole = this.spare;
    if (hole === NIL) hole = this.extend();
    else this.spare = this.records[(hole << RECORD_BITS) + NEXT];
    const at = hole << RECORD_BITS;
    this.records[at] = start;
    this.records[at + UNITS] = units;
    return hole;
  }

  /** The number is free for another block; it is in no list. */
  drop(hole: number): void {
    const at = hole << RECORD_BITS;
    // No unit is here, so that nobody finds it by its mark.
    this.records[at] = NIL;
    this.records[at + UNITS] = 0;
    this.records[at + NEXT] = this.spare;
    this.spare = hole;
  }

  /** A free block at the head of its list. Returns its number. */
  add(start: number, units: number): number {
    let hole = this.spare;
    if (hole === NIL) hole = this.extend();
    else this.spare = this.records[(hole << RECORD_BITS) + NEXT];
    this.push(hole, start, units);
    return hole;
  }

  /** Takes a free block out of its list, and its number with it. */
  take(hole: number): void {
    this.remove(hole);
    this.drop(hole);
  }

  /** Takes a free block out of its list and puts it, with a new place, at the head of the one for its new size. */
  change(hole: number, start: number, units: number): void {
    const { records } = this;
    const at = hole << RECORD_BITS;
    const stays = records[at + PREVIOUS] === NIL && classOf(records[at + UNITS]) === classOf(units);
    if (stays) {
      records[at] = start;
      records[at + UNITS] = units;
      return;
    }
    this.remove(hole);
    this.push(hole, start, units);
  }

  /** Calls `visit` for each block in the lists, from class `own` upwards. */
  each(own: number, visit: (start: number, units: number, own: number) => void): void {
    for (let i = own; i < CLASSES; i++) {
      for (let hole = this.heads[i]; hole !== NIL; hole = this.records[(hole << RECORD_BITS) + NEXT]) {
        visit(this.startOf(hole), this.unitsOf(hole), i);
      }
    }
  }

  /** Empties all lists; the numbers stay in use until they are dropped. */
  clear(): void {
    this.heads.fill(NIL);
    this.filled = 0;
  }

  private findBehind(head: number, units: number): number {
    const { records, costs } = this;
    let hole = records[(head << RECORD_BITS) + NEXT];
    for (; hole !== NIL; hole = records[(hole << RECORD_BITS) + NEXT]) {
      costs[LIST_HOPS] += 1;
      if (records[(hole << RECORD_BITS) + UNITS] >= units) break;
    }
    return hole;
  }

  private push(hole: number, start: number, units: number): void {
    const { heads, records } = this;
    const own = classOf(units);
    const next = heads[own];
    const at = hole << RECORD_BITS;
    records[at] = start;
    records[at + UNITS] = units;
    records[at + NEXT] = next;
    records[at + PREVIOUS] = NIL;
    if (next !== NIL) records[(next << RECORD_BITS) + PREVIOUS] = hole;
    heads[own] = hole;
    this.filled |= 1 << own;
  }

  private remove(hole: number): void {
    const { records } = this;
    const at = hole << RECORD_BITS;
    const next = records[at + NEXT];
    const previous = records[at + PREVIOUS];
    if (next !== NIL) records[(next << RECORD_BITS) + PREVIOUS] = previous;
    if (previous !== NIL) {
      records[(previous << RECORD_BITS) + NEXT] = next;
      return;
    }
    const own = classOf(records[at + UNITS]);
    this.heads[own] = next;
    if (next === NIL) this.filled &= ~(1 << own);
  }

  /** The next number with the same mark. */
  private another(hole: number): number {
    const next = hole + MARKS;
    if (next >= this.made) throw new HeapError("structure", `no free block has the mark ${this.markOf(hole)} here`);
    return next;
  }

  private extend(): number {
    // The number whose mark would be 0 is left out.
    if (this.markOf(this.made) === 0) this.made++;
    const hole = this.made++;
    if (this.made << RECORD_BITS > this.records.length) {
      const records = new Int32Array(this.records.length * 2);
      records.set(this.records);
      this.records = records;
    }
    return hole;
  }
}
