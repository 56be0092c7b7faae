import { Cost, type Costs } from "../../memory/costs.js";
import { END, type FreeBlocks } from "./free-blocks.js";
import * as freeRecords from "./free-records.js";

// V8 folds a constant of the module, but loads and checks an imported or exported one at each use.
const NIL = END;
const LIST_HOPS = Cost.listHops;
const SPLITS = Cost.splits;
const COALESCES = Cost.coalesces;
const { RECORD_BITS, UNITS, NEXT, PREVIOUS, NOWHERE, CLASSES, classOf } = freeRecords;

/**
 * The free blocks of a heap under Anchorage's policy. `place` and `release` are all that a program's operations need; they
 * are long, and do by themselves what `FreeBlocks` has methods for, because V8 keeps what it knows of an array only as
 * far as the next call.
 */
export class FreeLists {
  /** Units of the block that was given last. */
  granted = 0;
  private readonly free: FreeBlocks;
  private readonly costs: Costs;
  /** Least units that are worth a free block. */
  private readonly minSplit: number;
  /** Whether a search of the request's own class looks at the head alone. */
  private readonly headOnly: boolean;

  /** `minSplit` is the least rest, in units, that is worth a free block. */
  constructor(free: FreeBlocks, costs: Costs, minSplit: number, headOnly: boolean) {
    this.free = free;
    this.costs = costs;
    this.minSplit = minSplit;
    this.headOnly = headOnly;
  }

  /**
   * Takes `units` from the start of a free block, the one that the policy chooses. What is left behind them stays free if it is
   * worth a block, else it is slack. Returns their start, `END` where the policy finds none; see `granted`.
   */
  place(units: number): number {
    const { free, costs } = this;
    const { records, marks } = free;
    const own = classOf(units);
    let hole = records[(own << RECORD_BITS) | NEXT];
    // The ring of an empty list leads back to a record without units.
    let found = records[(hole << RECORD_BITS) | UNITS];
    if (found >= units) {
      costs[LIST_HOPS] += 1;
    } else {
      if (this.headOnly !== true) return this.placeFrom(this.find(units), units);
      if (found !== 0) costs[LIST_HOPS] += 1;
      // In every list above, even the smallest block is large enough.
      const above = free.filled & (-2 << own);
      if (above === 0) return NIL;
      hole = records[((31 - Math.clz32(above & -above)) << RECORD_BITS) | NEXT];
      if (hole < CLASSES) return this.placeFrom(this.findAbove(own), units);
      costs[LIST_HOPS] += 1;
      found = records[(hole << RECORD_BITS) | UNITS];
    }
    const at = hole << RECORD_BITS;
    const start = records[at];
    const previous = records[at | PREVIOUS];
    const rest = (found - units) | 0;
    marks[start >>> 1] = 0;
    if (rest < this.minSplit) {
      const next = records[at | NEXT];
      records[(previous << RECORD_BITS) | NEXT] = next;
      records[(next << RECORD_BITS) | PREVIOUS] = previous;
      marks[(start + found) >>> 1] = 0;
      // No unit is here, so that nobody finds it by its mark.
      records[at] = NOWHERE;
      records[at | NEXT] = free.spare;
      free.spare = hole;
      this.granted = found;
      return start;
    }
    const end = (start + units) | 0;
    const list = classOf(rest);
    costs[SPLITS] += 1;
    marks[end >>> 1] = hole;
    records[at] = end;
    records[at | UNITS] = rest;
    this.granted = units;
    // The head of the list that the rest belongs to stays there.
    if (previous === list) return start;
    const next = records[at | NEXT];
    records[(previous << RECORD_BITS) | NEXT] = next;
    records[(next << RECORD_BITS) | PREVIOUS] = previous;
    const second = records[(list << RECORD_BITS) | NEXT];
    records[at | NEXT] = second;
    records[at | PREVIOUS] = list;
    records[(second << RECORD_BITS) | PREVIOUS] = hole;
    records[(list << RECORD_BITS) | NEXT] = hole;
    free.filled |= 1 << list;
    return start;
  }

  /** Makes [start, end) a free block, one with those that adjoin it, at the head of its list. Returns its number. */
  release(start: number, end: number): number {
    const { free } = this;
    const { records, marks } = free;
    const before = marks[start >>> 1];
    const after = marks[end >>> 1];
    let hole = before;
    let first = start;
    let last = end;
    if (before !== 0) {
      // Unless there are very many free blocks, the mark is the number.
      first = records[before << RECORD_BITS];
      if (((first + records[(before << RECORD_BITS) | UNITS]) | 0) !== start) return this.releaseAmongMany(start, end);
    }
    if (after !== 0) {
      if (records[after << RECORD_BITS] !== end) return this.releaseAmongMany(start, end);
      last = (end + records[(after << RECORD_BITS) | UNITS]) | 0;
      this.costs[COALESCES] += 1;
      if (hole === 0) hole = after;
      else free.take(after);
    }
    if (before !== 0) this.costs[COALESCES] += 1;
    const units = (last - first) | 0;
    const list = classOf(units);
    if (hole === 0) {
      hole = free.spare;
      if (hole === NIL) return free.addFree(first, units);
      free.spare = records[(hole << RECORD_BITS) | NEXT];
    } else {
      const at = hole << RECORD_BITS;
      const next = records[at | NEXT];
      const previous = records[at | PREVIOUS];
      records[(previous << RECORD_BITS) | NEXT] = next;
      records[(next << RECORD_BITS) | PREVIOUS] = previous;
    }
    marks[first >>> 1] = hole;
    marks[last >>> 1] = hole;
    const at = hole << RECORD_BITS;
    const next = records[(list << RECORD_BITS) | NEXT];
    records[at] = first;
    records[at | UNITS] = units;
    records[at | NEXT] = next;
    records[at | PREVIOUS] = list;
    records[(next << RECORD_BITS) | PREVIOUS] = hole;
    records[(list << RECORD_BITS) | NEXT] = hole;
    free.filled |= 1 << list;
    return hole;
  }

  /** `release` where a mark may be that of several. */
  private releaseAmongMany(start: number, end: number): number {
    const { free, costs } = this;
    const before = free.endingAt(start);
    const after = free.startingAt(end);
    let first = start;
    let last = end;
    if (before !== NIL) {
      first = free.startOf(before);
      costs[COALESCES] += 1;
    }
    if (after !== NIL) {
      last = end + free.unitsOf(after);
      costs[COALESCES] += 1;
    }
    if (before !== NIL && after !== NIL) free.take(after);
    const hole = before !== NIL ? before : after;
    if (hole === NIL) return free.addFree(first, last - first);
    free.change(hole, first, last - first);
    free.setMarks(first, last, hole);
    return hole;
  }

  /** `place` in the free block `hole`, which may be none. */
  private placeFrom(hole: number, units: number): number {
    return hole === NIL ? NIL : this.carve(hole, 0, units);
  }

  /** A free block of at least `units`, still in its list, the one that the policy chooses; `END` where it finds none. */
  find(units: number): number {
    const { free } = this;
    const own = classOf(units);
    const head = free.nextOf(own);
    if (head !== own) {
      this.costs[LIST_HOPS] += 1;
      if (free.unitsOf(head) >= units) return head;
      const hole = this.headOnly ? NIL : this.findBehind(head, units);
      if (hole !== NIL) return hole;
    }
    return this.findAbove(own);
  }

  /** As `place`, from the free block `hole` and with the first `lead` units of it, 0 or enough for a block, left free. */
  carve(hole: number, lead: number, units: number): number {
    const { free } = this;
    const block = free.startOf(hole) + lead;
    const found = free.unitsOf(hole) - lead;
    const isSplit = found - units >= this.minSplit;
    if (lead > 0) this.costs[SPLITS] += 1;
    if (lead > 0) free.change(hole, block - lead, lead);
    let rest = lead > 0 ? free.add(block, found) : hole;
    this.granted = isSplit ? units : found;
    if (isSplit) {
      this.costs[SPLITS] += 1;
      free.change(rest, block + units, found - units);
      free.marks[(block + found) >>> 1] = rest;
    } else {
      free.take(rest);
      rest = 0;
    }
    free.marks[block >>> 1] = lead > 0 ? hole : 0;
    free.marks[(block + this.granted) >>> 1] = rest;
    return block;
  }

  /** The first block behind `head` in its list that has `units`. */
  private findBehind(head: number, units: number): number {
    const { free } = this;
    for (let hole = free.nextOf(head); hole >= CLASSES; hole = free.nextOf(hole)) {
      this.costs[LIST_HOPS] += 1;
      if (free.unitsOf(hole) >= units) return hole;
    }
    return NIL;
  }

  /** The head of the first list above `own` that is not empty. Brings `filled` up to date for those that are. */
  private findAbove(own: number): number {
    const { free } = this;
    for (let list = own + 1; list < CLASSES; list++) {
      if (free.nextOf(list) !== list) {
        this.costs[LIST_HOPS] += 1;
        return free.nextOf(list);
      }
      free.filled &= ~(1 << list);
    }
    return NIL;
  }
}
