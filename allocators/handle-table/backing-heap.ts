import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { Blocks } from "./blocks.js";
import { END } from "./free-blocks.js";
import type { HandleEntries } from "./handle-entries.js";
import { UNIT as BYTES_PER_UNIT, FREE_HEAD_UNITS, HeapPages } from "./heap-pages.js";

export interface BackingOptions {
  /** `segfit` reuses free blocks; `bump` only takes from the top until a compaction. */
  place: string;
  /** `headOnly` or `firstInList`: how far a search goes in the list of the request's own class. */
  fit: string;
  /** Least bytes that are worth a free block of their own. */
  minSplit: number;
  /** Bytes mapped at a time. */
  growth: number;
  /** Least run of pages inside a free block that a compaction gives back. */
  minHolePages: number;
  /** Least run of pages above the top that a compaction gives back. */
  tailRelease: number;
  /** Most bytes of the heap's extent: a request that needs more gets `none`. */
  heapLimit: number;
}

/** Class of the smallest free block that may hold a whole page behind its links. */
const PAGE_CLASS = 13;

/** Largest alignment that is served, 1 << 30, as a code. */
const MAX_CODE = 26;

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const UNIT = BYTES_PER_UNIT;
const FREE_UNITS = FREE_HEAD_UNITS;
const NIL = END;

/** Units of a block for `size` bytes: a header, and at least one unit of payload. */
export function unitsFor(size: number): number {
  return size <= UNIT ? 2 : 1 + ((size + UNIT - 1) >>> 4);
}

/** Units of a free block in which a block of `units` fits at an alignment code wherever it starts. */
export function roomFor(units: number, code: number): number {
  return code === 0 ? units : units + (1 << code) + 1;
}

/**
 * The heap behind a handle table: places, resizes and frees blocks and keeps their pages, but knows neither handles nor
 * when to compact. A block is named by the unit it starts at and owned by an entry of the table.
 *
 * Free neighbours are merged at once and a free block at the top is given to it, except where nothing is reused
 * (`bump`): there a free block just lies dead until a compaction.
 */
export class BackingHeap {
  readonly blocks: Blocks;
  readonly pages: HeapPages;
  /** Whether free blocks are handed out again before a compaction. */
  readonly reuses: boolean;
  /** Units in used blocks, headers included, where they are counted. */
  liveUnits = 0;
  /** Bytes that the program asked for in used blocks, where they are counted. */
  asked = 0;
  private readonly costs: Costs;
  private readonly minSplit: number;
  /** Whether `liveUnits` and `asked` are kept up: only who compacts wants to know. */
  private counts = false;

  constructor(space: AddressSpace, options: BackingOptions) {
    this.costs = space.costs;
    this.reuses = options.place === "segfit";
    this.minSplit = Math.ceil(options.minSplit / UNIT);
    this.pages = new HeapPages(space, options.growth, options.minHolePages, options.tailRelease, options.heapLimit);
    this.blocks = new Blocks(this.pages, space.costs, this.minSplit, options.fit === "headOnly");
  }

  /** Counts used blocks from now on, and keeps their owners. All live entries of `entries` have their blocks here. */
  track(entries: HandleEntries): void {
    this.blocks.track(entries);
    if (this.counts) return;
    this.counts = true;
    entries.eachLive((index) => {
      this.liveUnits += entries.unitsOf(index);
      this.asked += entries.askedOf(index);
    });
  }

  /** A used block for `size` bytes, touched but not owned; `END` without memory. */
  place(size: number): number {
    const units = unitsFor(size);
    const block = this.reuses ? this.blocks.lists.place(units) : NIL;
    if (block === NIL) return this.placeAtTop(0, units, size);
    this.admitInside(block, size);
    return block;
  }

  /**
   * Whether nothing is left to do for a block that the free lists gave last: no used blocks are counted, and it and the
   * links of a free one behind it lie below all pages that may be cold.
   */
  isAdmitted(block: number): boolean {
    return this.counts !== true && ((block + this.blocks.lists.granted + FREE_UNITS) | 0) <= this.pages.warm;
  }

  /** Takes a block that the free lists gave last into the accounts, and touches what is written. */
  admitInside(block: number, size: number): void {
    const units = this.granted;
    if (block + units + FREE_UNITS > this.pages.warm) this.blocks.touchRest(block + units);
    this.admit(block, units, size);
  }

  /** As `place`, with the payload at a multiple of 16 << `code`. */
  placeAligned(size: number, code: number): number {
    if (code > MAX_CODE) return NIL;
    const { free, lists, top } = this.blocks;
    const units = unitsFor(size);
    let hole = this.reuses ? lists.find(units) : NIL;
    if (hole !== NIL && !this.fitsAligned(hole, units, code)) hole = lists.find(roomFor(units, code));
    if (hole === NIL) return this.placeAtTop(this.leadAt(top, code), units, size);
    const start = free.startOf(hole);
    const block = start + this.leadAt(start, code);
    this.admit(block, this.carveAt(hole, block, units), size);
    return block;
  }

  /** Forgets dead blocks where nothing lives. */
  clear(): void {
    const { blocks } = this;
    for (let block = 0; block < blocks.top; ) {
      const units = -blocks.sizeAt(block);
      blocks.forget(block);
      block += units;
    }
    blocks.free.clear();
    blocks.setTop(0);
  }

  /** Ends the life of a used block of `units`, of which the program asked for `asked` bytes. */
  release(block: number, units: number, asked: number): void {
    if (this.counts === true) {
      this.liveUnits -= units;
      this.asked -= asked;
    }
    if (this.reuses === true) this.blocks.vacate(block, units);
    else this.blocks.kill(block, units);
  }

  /**
   * Fits a used block of `have` units, of which the program asked for `asked` bytes, to `size` bytes without moving it.
   * `false` where there is no room, and nothing is changed.
   */
  resize(block: number, have: number, asked: number, size: number): boolean {
    const need = unitsFor(size);
    let units = have;
    if (need > have) units = this.growInPlace(block, have, need);
    else if (have - need >= this.minSplit) units = this.shrink(block, have, need);
    if (units === 0) return false;
    if (this.counts) {
      this.asked -= asked;
      this.liveUnits -= have;
    }
    this.admit(block, units, size);
    return true;
  }

  /** Address of the payload. */
  addressOf(block: number): Address {
    return this.pages.addressAt(block + 1);
  }

  /** Units from `at` to the first place for a block of an alignment code: 0, or enough for a free block. */
  leadAt(at: number, code: number): number {
    return code === 0 ? 0 : this.pages.leadTo(at, UNIT << code);
  }

  /** Units of the block that was given last. */
  get granted(): number {
    return this.blocks.lists.granted;
  }

  /** Whether a free block has room for `units` at an alignment code. */
  fitsAligned(hole: number, units: number, code: number): boolean {
    const { free } = this.blocks;
    return this.leadAt(free.startOf(hole), code) + units <= free.unitsOf(hole);
  }

  /** As `Blocks.carve`, at `block` inside the free block `hole`; what lies in front stays free. Returns the units granted. */
  carveAt(hole: number, block: number, units: number): number {
    const { blocks } = this;
    blocks.carve(hole, block - blocks.free.startOf(hole), units);
    return blocks.lists.granted;
  }

  /** Gives back the pages that a compaction left empty: above the top and, with `holes`, in free blocks. */
  releasePages(holes = true): void {
    this.pages.releaseTail(this.blocks.top);
    if (holes) this.blocks.eachListed(PAGE_CLASS, (block, units) => this.pages.releaseHole(block, units));
  }

  /** Raises the top over a block of `units`, `lead` units above it; `END` without memory. */
  placeAtTop(lead: number, units: number, size: number): number {
    const { blocks, pages } = this;
    const gap = blocks.top;
    const block = gap + lead;
    if (!pages.extendTo(block + units)) return NIL;
    blocks.setTop(block + units);
    if (lead > 0) blocks.addFree(gap, lead);
    this.admit(block, units, size);
    return block;
  }

  /** Takes a block of `units` into the accounts as one of `size` bytes. */
  private admit(block: number, units: number, size: number): void {
    this.blocks.lists.granted = units;
    if (this.counts === true) {
      this.liveUnits += units;
      this.asked += size;
    }
    // Of an object of no bytes the program is taken to write one, as of the least real one.
    if (((block + units) | 0) > this.pages.warm) this.pages.touch(block, UNIT + (size === 0 ? 1 : size));
  }

  /** Gives the end of a used block back. Returns the units that it keeps. */
  private shrink(block: number, have: number, need: number): number {
    this.costs[Cost.splits] += 1;
    this.blocks.free.join(block + need);
    if (this.reuses) this.blocks.vacate(block + need, have - need);
    else this.blocks.kill(block + need, have - need);
    return need;
  }

  /**
   * Grows a used block from `have` to `need` units or more, into the free block behind it or at the top. Returns the units
   * that it has then, 0 where there is no room.
   */
  private growInPlace(block: number, have: number, need: number): number {
    const { blocks } = this;
    const { free } = blocks;
    const end = block + have;
    let units = need;
    if (end === blocks.top) {
      if (!this.pages.extendTo(block + need)) return 0;
      blocks.setTop(block + need);
    } else {
      const hole = this.reuses ? blocks.freeAt(end) : NIL;
      if (hole < 0 || have + free.unitsOf(hole) < need) return 0;
      units = have + this.carveAt(hole, end, need - have);
    }
    // The end of the block that grew is no longer the start of one.
    if (blocks.cursor > block && blocks.cursor < block + units) blocks.cursor = block;
    return units;
  }
}
