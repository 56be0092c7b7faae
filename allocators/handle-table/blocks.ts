import { Cost, type Costs } from "../../memory/costs.js";
import { END, FreeLists } from "./free-lists.js";
import type { HandleEntries } from "./handle-entries.js";
import type { HeapPages } from "./heap-pages.js";

// V8 folds a constant of the module, but loads and checks an imported or exported one at each use.
const NIL = END;
const SPLITS = Cost.splits;
const COALESCES = Cost.coalesces;

/** Where the mark of the block at a unit is, and that of the block before it, which is its neighbour. */
const FIRST = 3;
const BEFORE = 1;

/**
 * A contiguous heap of blocks [0, top) that tell their neighbours what they are. A block is named by the unit it starts
 * at. Blocks are of two units and more, so every block has an even unit, and there is one mark for each: the marks at a
 * block's first and last even unit are 0 while it is used and name its record in the free lists while it is free. What
 * lies between is stale. Sizes of used blocks are in the table, and who walks over blocks wants their owners kept: `track`.
 *
 * The modelled header is 16 bytes: both sizes, the 32-bit entry number and the flags; only the links of a free block lie in
 * its payload. Marks hold 16 bits of a number, which with the place is enough to find it, because the fewer bytes a
 * block has here, the more of them stay in cache.
 */
export class Blocks {
  /** First unit above the last block. */
  top = 0;
  /**
   * Where a pass that goes on later has got to: the start of a block at all times, or the top. -1 while none has.
   */
  cursor = -1;
  readonly lists: FreeLists;
  private readonly pages: HeapPages;
  private readonly costs: Costs;
  private readonly minSplit: number;
  /** The block that starts at unit u has its first mark at (u + 3) >> 1; the one that ends before u its last at (u + 1) >> 1. */
  private marks = new Uint16Array(8192);
  /** Where blocks are tracked: the entry of each used block, beside its first and its last mark, and the table. */
  private owners: Int32Array | undefined;
  private entries: HandleEntries | undefined;

  /** `minSplit` is the least rest, in units, that is worth a free block. */
  constructor(pages: HeapPages, costs: Costs, minSplit: number, headOnly: boolean) {
    this.pages = pages;
    this.costs = costs;
    this.minSplit = minSplit;
    this.lists = new FreeLists(costs, headOnly);
    this.owners = undefined;
    this.entries = undefined;
  }

  /** Whether the owners of used blocks are known, so that blocks can be walked over. */
  get isTracked(): boolean {
    return this.owners !== undefined;
  }

  /** Keeps the owners of used blocks from now on. All live entries of `entries` have their blocks here. */
  track(entries: HandleEntries): void {
    if (this.owners !== undefined) return;
    this.owners = new Int32Array(this.marks.length);
    this.entries = entries;
    entries.eachLive((index) => this.own(entries.blockOf(index), entries.unitsOf(index), index));
  }

  /** Keeps them no longer. */
  untrack(): void {
    this.owners = undefined;
    this.entries = undefined;
  }

  /** Units of the block, header included; negative for a free one. The blocks must be tracked. */
  sizeAt(block: number): number {
    const at = (block + FIRST) >> 1;
    const mark = this.marks[at];
    return mark === 0 ? this.unitsOfOwner(at) : -this.lists.unitsOf(this.lists.startingAt(block, mark));
  }

  /**
   * Units of the block that ends where this one starts, negative for a free one; 0 for the first block. The blocks must be
   * tracked.
   */
  beforeAt(block: number): number {
    if (block === 0) return 0;
    const at = (block + BEFORE) >> 1;
    const mark = this.marks[at];
    return mark === 0 ? this.unitsOfOwner(at) : -this.lists.unitsOf(this.lists.endingAt(block, mark));
  }

  /** Whether the block is free or, where blocks have been given to the top, no block any more. */
  isFree(block: number): boolean {
    return block >= this.top || this.marks[(block + FIRST) >> 1] !== 0;
  }

  /** Makes [block, block + units) a used place. */
  use(block: number, units: number): void {
    const { marks } = this;
    marks[(block + FIRST) >> 1] = 0;
    marks[(block + units + BEFORE) >> 1] = 0;
  }

  /** Makes the used place [block, block + units) that of an entry. */
  own(block: number, units: number, entry: number): void {
    const { owners } = this;
    if (owners === undefined) return;
    owners[(block + FIRST) >> 1] = entry;
    owners[(block + units + BEFORE) >> 1] = entry;
  }

  /** Entry of a used block. The blocks must be tracked. */
  ownerAt(block: number): number {
    return (this.owners as Int32Array)[(block + FIRST) >> 1];
  }

  /** Number of the free block that starts here, -1 where a used one does. */
  freeAt(block: number): number {
    const mark = this.marks[(block + FIRST) >> 1];
    return mark === 0 ? NIL : this.lists.startingAt(block, mark);
  }

  /** Number of a free block in the free lists. */
  holeAt(block: number): number {
    return this.lists.startingAt(block, this.marks[(block + FIRST) >> 1]);
  }

  /** Calls `visit` for each block in the lists, from class `own` upwards. */
  eachListed(own: number, visit: (block: number, units: number, own: number) => void): void {
    this.lists.each(own, visit);
  }

  /** Raises the top to `units`. */
  raiseTop(units: number): void {
    this.top = units;
    if ((units + FIRST) >> 1 >= this.marks.length) this.grow(((units + FIRST) >> 1) + 1);
  }

  /**
   * Makes a used place of `units` at the start of a free block. What is left behind it stays free if it is worth a
   * block, else it is slack. Returns the units handed out.
   */
  carve(hole: number, units: number): number {
    const { lists } = this;
    const found = lists.unitsOf(hole);
    const rest = found - units;
    if (rest >= this.minSplit) return this.split(hole, units, rest);
    this.use(lists.startOf(hole), found);
    lists.take(hole);
    return found;
  }

  /** Cuts a free block in two, the lower one of `units`. Returns the upper one. */
  cut(hole: number, units: number): number {
    const { lists } = this;
    const block = lists.startOf(hole);
    const found = lists.unitsOf(hole);
    this.costs[SPLITS] += 1;
    lists.change(hole, block, units);
    const upper = lists.add(block + units, found - units);
    this.setHole(block, units, hole);
    this.setHole(block + units, found - units, upper);
    return upper;
  }

  /** Makes [block, block + units) a free block; its neighbours are used. */
  addFree(block: number, units: number): void {
    this.setHole(block, units, this.lists.add(block, units));
    this.pages.touchFree(block);
  }

  /** Frees a used place: merges it with free neighbours, and gives it to the top if it comes to lie there. */
  vacate(block: number, units: number): void {
    const { marks } = this;
    const end = block + units;
    // Above the top the marks are stale.
    if (end >= this.top || (marks[(end + FIRST) >> 1] | marks[(block + BEFORE) >> 1]) !== 0) this.merge(block, end);
    else this.setHole(block, units, this.lists.add(block, units));
  }

  /** Marks a used place as dead: free, but neither merged nor listed. */
  kill(block: number, units: number): void {
    this.setHole(block, units, this.lists.make(block, units));
  }

  /** Forgets a free block that is in no list. Its place must become part of another block. */
  forget(block: number): void {
    this.lists.drop(this.holeAt(block));
  }

  private unitsOfOwner(at: number): number {
    return (this.entries as HandleEntries).unitsOf((this.owners as Int32Array)[at]);
  }

  /** Makes a used place of `units` at the start of a free block and leaves it the `rest`. Returns `units`. */
  private split(hole: number, units: number, rest: number): number {
    const { lists, marks } = this;
    const block = lists.startOf(hole);
    const end = block + units;
    this.use(block, units);
    this.costs[SPLITS] += 1;
    // The last mark names the hole already.
    marks[(end + FIRST) >> 1] = lists.markOf(hole);
    lists.change(hole, end, rest);
    this.pages.touchFree(end);
    return units;
  }

  /** `vacate` where the top or a free block adjoins. */
  private merge(block: number, firstEnd: number): void {
    const { lists, marks } = this;
    let start = block;
    let end = firstEnd;
    let hole = NIL;
    const before = marks[(block + BEFORE) >> 1];
    const after = end < this.top ? marks[(end + FIRST) >> 1] : 0;
    if (before !== 0) {
      hole = lists.endingAt(block, before);
      start = lists.startOf(hole);
      this.costs[COALESCES] += 1;
    }
    if (after !== 0) {
      const next = lists.startingAt(end, after);
      end += lists.unitsOf(next);
      this.costs[COALESCES] += 1;
      if (hole === NIL) hole = next;
      else lists.take(next);
    }
    if (this.cursor > start && this.cursor <= end) this.cursor = start;
    if (end === this.top) {
      this.top = start;
      if (hole !== NIL) lists.take(hole);
      return;
    }
    // The links need no new page: the header and the first bytes of a used place have been written.
    if (hole === NIL) hole = lists.add(start, end - start);
    else lists.change(hole, start, end - start);
    this.setHole(start, end - start, hole);
  }

  private setHole(block: number, units: number, hole: number): void {
    const { marks } = this;
    const mark = this.lists.markOf(hole);
    marks[(block + FIRST) >> 1] = mark;
    marks[(block + units + BEFORE) >> 1] = mark;
  }

  private grow(length: number): void {
    const size = Math.max(length, this.marks.length * 2);
    const marks = new Uint16Array(size);
    marks.set(this.marks);
    this.marks = marks;
    if (this.owners === undefined) return;
    const owners = new Int32Array(size);
    owners.set(this.owners);
    this.owners = owners;
  }
}
