import { Cost, type Costs } from "../../memory/costs.js";
import { END, FreeLists } from "./free-lists.js";
import type { HeapPages } from "./heap-pages.js";

// V8 folds a constant of the module, but loads and checks an imported or exported one at each use.
const NIL = END;
const SPLITS = Cost.splits;
const COALESCES = Cost.coalesces;

/** Where the tags of a block are, counted from its first unit: the last tag of the block before comes first. */
const BEFORE = 0;
const FIRST = 1;
const SECOND = 2;

/**
 * A contiguous heap of blocks [0, top) that tell their neighbours what they are. A block is named by the unit it starts
 * at. One tag for each unit, of which the first two and the last of a block count:
 *
 *     used    entry, units, ..., units
 *     free    ~hole, ..., ~hole         with the rest in the free lists' record of the hole
 *
 * Blocks are of two units and more, so a used one's second tag may be its last. The modelled header is 16 bytes: both
 * sizes, the 32-bit entry number and the flags; only the links of a free block lie in its payload.
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
  /** The tag of unit u is at u + 1, behind one for the block before the first. */
  private tags = new Int32Array(8192);

  /** `minSplit` is the least rest, in units, that is worth a free block. */
  constructor(pages: HeapPages, costs: Costs, minSplit: number, headOnly: boolean) {
    this.pages = pages;
    this.costs = costs;
    this.minSplit = minSplit;
    this.lists = new FreeLists(costs, headOnly);
  }

  /** Units of the block, header included; negative for a free one. */
  sizeAt(block: number): number {
    const tag = this.tags[block + FIRST];
    return tag < 0 ? -this.lists.unitsOf(~tag) : this.tags[block + SECOND];
  }

  /** Units of the block that ends where this one starts, negative for a free one; 0 for the first block. */
  beforeAt(block: number): number {
    const tag = this.tags[block + BEFORE];
    return tag < 0 ? -this.lists.unitsOf(~tag) : tag;
  }

  /** Units of a used block. */
  unitsAt(block: number): number {
    return this.tags[block + SECOND];
  }

  /** Makes [block, block + units) a used place; `setOwner` must follow. */
  setUnits(block: number, units: number): void {
    this.tags[block + SECOND] = units;
    this.tags[block + units] = units;
  }

  /** Entry of a used block. */
  ownerAt(block: number): number {
    return this.tags[block + FIRST];
  }
  setOwner(block: number, entry: number): void {
    this.tags[block + FIRST] = entry;
  }

  /** Number of a free block in the free lists. */
  holeAt(block: number): number {
    return ~this.tags[block + FIRST];
  }

  /** Calls `visit` for each block in the lists, from class `own` upwards. */
  eachListed(own: number, visit: (block: number, units: number, own: number) => void): void {
    this.lists.each(own, visit);
  }

  /** Raises the top to `units`. */
  raiseTop(units: number): void {
    this.top = units;
    if (units >= this.tags.length) this.grow(units + 1);
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
    this.setUnits(lists.startOf(hole), found);
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
    const { tags } = this;
    const end = block + units;
    // Above the top the tags are stale.
    if (end >= this.top || (tags[end + FIRST] | tags[block + BEFORE]) < 0) this.merge(block, end);
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

  /** Makes a used place of `units` at the start of a free block and leaves it the `rest`. Returns `units`. */
  private split(hole: number, units: number, rest: number): number {
    const { lists } = this;
    const block = lists.startOf(hole);
    const end = block + units;
    this.setUnits(block, units);
    this.costs[SPLITS] += 1;
    // The last tag names the hole already.
    this.tags[end + FIRST] = ~hole;
    lists.change(hole, end, rest);
    this.pages.touchFree(end);
    return units;
  }

  /** `vacate` where the top or a free block adjoins. */
  private merge(block: number, firstEnd: number): void {
    const { lists, tags } = this;
    let start = block;
    let end = firstEnd;
    let hole = NIL;
    const after = end < this.top ? tags[end + FIRST] : 0;
    const before = tags[block + BEFORE];
    if (before < 0) {
      hole = ~before;
      start = lists.startOf(hole);
      this.costs[COALESCES] += 1;
    }
    if (after < 0) {
      end += lists.unitsOf(~after);
      this.costs[COALESCES] += 1;
      if (hole === NIL) hole = ~after;
      else lists.take(~after);
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
    this.tags[block + FIRST] = ~hole;
    this.tags[block + units] = ~hole;
  }

  private grow(length: number): void {
    const grown = new Int32Array(Math.max(length, this.tags.length * 2));
    grown.set(this.tags);
    this.tags = grown;
  }
}
