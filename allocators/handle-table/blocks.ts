import { Cost, type Costs } from "../../memory/costs.js";
import { END, FreeBlocks } from "./free-blocks.js";
import { FreeLists } from "./free-lists.js";
import type { HandleEntries } from "./handle-entries.js";
import type { HeapPages } from "./heap-pages.js";

// V8 folds a constant of the module, but loads and checks an imported or exported one at each use.
const NIL = END;
const COALESCES = Cost.coalesces;

/** Where the owner of the block at a unit is, and that of the block before it, which is its neighbour. */
const FIRST = 3;
const BEFORE = 1;

/** Places of owners in a heap of `units`. */
function slotsFor(units: number): number {
  return ((units + FIRST) >> 1) + 1;
}

/**
 * A contiguous heap of blocks [0, top). A block is named by the unit it starts at. What is known of free blocks is in
 * the lists, and the sizes of used ones are in the table; who walks over blocks wants their owners kept: `track`.
 *
 * The modelled header is 16 bytes: both sizes, the 32-bit entry number and the flags; only the links of a free block lie in
 * its payload.
 */
export class Blocks {
  /** First unit above the last block; there is no free block below it. */
  top = 0;
  /**
   * Where a pass that goes on later has got to: the start of a block at all times, or the top. -1 while none has.
   */
  cursor = -1;
  readonly free: FreeBlocks;
  readonly lists: FreeLists;
  private readonly pages: HeapPages;
  private readonly costs: Costs;
  /**
   * Where blocks are tracked, and the table: the entry of each used block, beside its first and its last even unit, and
   * `~number` of a dead one, which may adjoin free ones and so has no marks.
   */
  private owners: Int32Array | undefined;
  private entries: HandleEntries | undefined;
  /** Whether there may be dead blocks, which may lie next to free ones. */
  hasDead = false;

  /** `minSplit` is the least rest, in units, that is worth a free block. */
  constructor(pages: HeapPages, costs: Costs, minSplit: number, headOnly: boolean) {
    this.pages = pages;
    this.costs = costs;
    this.free = new FreeBlocks();
    this.lists = new FreeLists(this.free, costs, minSplit, headOnly);
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
    this.owners = new Int32Array(slotsFor(this.top));
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
    const hole = this.freeAt(block);
    return hole >= 0 ? -this.free.unitsOf(hole) : this.unitsOfOwner((block + FIRST) >> 1);
  }

  /**
   * Units of the block that ends where this one starts, negative for a free one; 0 for the first block. The blocks must be
   * tracked.
   */
  beforeAt(block: number): number {
    if (block === 0) return 0;
    const hole = this.free.endingAt(block);
    return hole >= 0 ? -this.free.unitsOf(hole) : this.unitsOfOwner((block + BEFORE) >> 1);
  }

  /** Whether the block is free or, where blocks have been given to the top, no block any more. */
  isFree(block: number): boolean {
    return block >= this.top || this.freeAt(block) >= 0;
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

  /** Number of the free or dead block that starts here, -1 where a used one does. */
  freeAt(block: number): number {
    const hole = this.free.startingAt(block);
    if (hole >= 0 || this.hasDead !== true) return hole;
    const owner = this.ownerAt(block);
    return owner < 0 ? ~owner : NIL;
  }

  /** Calls `visit` for each block in the lists, from class `own` upwards. */
  eachListed(own: number, visit: (block: number, units: number, own: number) => void): void {
    this.free.each(own, visit);
  }

  /** Sets the top: below it is a used block, or none. */
  setTop(units: number): void {
    this.top = units;
    this.free.reach(units);
    this.free.join(units);
    const { owners } = this;
    if (owners === undefined || slotsFor(units) <= owners.length) return;
    this.owners = new Int32Array(Math.max(slotsFor(units), owners.length * 2));
    this.owners.set(owners);
  }

  /** Makes a used place in the free block `hole` behind `lead` units, 0 or enough for a block, that stay free: `FreeLists.carve`. */
  carve(hole: number, lead: number, units: number): void {
    const { lists } = this;
    const block = lists.carve(hole, lead, units);
    this.touchRest(block + lists.granted);
  }

  /** Touches the free block that starts at `unit`, if one does. */
  touchRest(unit: number): void {
    if (this.free.startingAt(unit) >= 0) this.pages.touchFree(unit);
  }

  /** Makes [block, block + units) a free block; its neighbours are used. */
  addFree(block: number, units: number): void {
    this.free.addFree(block, units);
    this.pages.touchFree(block);
  }

  /** Frees a used place: merges it with free neighbours, and gives it to the top if it comes to lie there. */
  vacate(block: number, units: number): void {
    const end = (block + units) | 0;
    if (end === this.top) {
      this.lowerTop(block);
      return;
    }
    const { lists } = this;
    // The links need no new page: the header and the first bytes of a used place have been written.
    const hole = lists.release(block, end);
    if (this.cursor !== NIL) this.follow(this.free.startOf(hole), this.free.endOf(hole));
  }

  /** Marks a used place as dead: free, but neither merged nor listed. The blocks must be tracked. */
  kill(block: number, units: number): void {
    this.hasDead = true;
    this.own(block, units, ~this.free.make(block, units));
  }

  /** Forgets a free block that is in no list. Its place must become part of another block. */
  forget(block: number): void {
    this.free.drop(this.freeAt(block));
  }

  private unitsOfOwner(at: number): number {
    const owner = (this.owners as Int32Array)[at];
    return owner < 0 ? -this.free.unitsOf(~owner) : (this.entries as HandleEntries).unitsOf(owner);
  }

  /** Gives [block, top), which was used, to the top, and the free block before it. */
  private lowerTop(block: number): void {
    const { free, top } = this;
    const hole = free.endingAt(block);
    const start = hole >= 0 ? free.startOf(hole) : block;
    if (hole >= 0) {
      this.costs[COALESCES] += 1;
      free.take(hole);
    }
    this.follow(start, top);
    this.setTop(start);
  }

  /** [start, end) is one block now or above the top: a cursor inside goes to its start. */
  private follow(start: number, end: number): void {
    if (this.cursor > start && this.cursor <= end) this.cursor = start;
  }
}
