import type { AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import type { Ref } from "../allocator.js";
import { EntryPages } from "./entry-pages.js";
import * as entryState from "./entry-state.js";
import { FreeEntries } from "./free-entries.js";
import { LivePages } from "./live-pages.js";
import { StaleUses } from "./stale-uses.js";
import type { TableOptions } from "./table-options.js";
import { WideRecords } from "./wide-records.js";

/** No free entry. Links are stored as `~next`, so this one is -2^31. */
const LAST = 0x7fffffff;

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const TABLE_WRITES = Cost.tableWrites;
const { WIDE, GENERATION, PINNED, DOOMED, CODE_SHIFT, WORN, slackOf, isNarrow, narrowOf, unitsIn, askedIn } =
  entryState;
const { entryOf, GENERATION_STEP, PER_GENERATION } = entryState;

/** Words of the record of an entry: block, or `~next` while free, and state. */
const RECORD_BITS = 1;
const STATE = 1;

/**
 * The handle table: one entry for each object, which alone knows where the object is. A ref is
 * `generation * 2^32 + index + 1`; the generation of an entry goes up at each free, so a ref that outlives its object is
 * told from the next user of the entry until generations run out, when the entry is retired or, if told to, wraps.
 *
 * Free entries are reused last in, first out, by default. Pages of entries are mapped at their first use. Where they can
 * be given back, one empty page is kept against thrashing, and of a page that goes its highest generation stays, from
 * which all its entries go on: a page is worn out with its first entry. Pins nest; the count lies beside the modelled
 * entry, and so do the sizes of the block and of the request and the alignment, which the model keeps in the header of the
 * block. The record here is as short as the modelled entry: what decides about speed is how many of them stay in cache.
 */
export class HandleEntries {
  readonly stale: StaleUses;
  /** State of the entry that `giveNarrow` freed last, while its object lived. */
  given = 0;
  private readonly costs: Costs;
  /** The generation after which an entry is worn out or starts again; as an integer, to compare without a conversion. */
  private readonly lastGeneration: number;
  /** Whether an entry whose generations are used up is never used again. */
  readonly retires: boolean;
  private readonly pages: EntryPages;
  private words = new Int32Array(512 << RECORD_BITS);
  /** The rest of what is known of WIDE objects. */
  private readonly wide = new WideRecords();
  /** Entries ever used, and entries mapped. */
  private used = 0;
  private mapped = 0;
  private firstFree = LAST;
  /** The free entries where the list through `firstFree` does not do. */
  private readonly others: FreeEntries | undefined;
  /** Where pages are given back. */
  private readonly livePages: LivePages | undefined;

  constructor(space: AddressSpace, options: TableOptions) {
    this.stale = new StaleUses(space);
    this.costs = space.costs;
    this.lastGeneration = (options.generations - 1) | 0;
    this.retires = options.retireOnWrap;
    this.pages = new EntryPages(space, options.entryBytes, options.releaseTablePages, options.freeOrder === "lowest");
    this.livePages = options.releaseTablePages ? new LivePages(this.pages.perPage) : undefined;
    const plain = options.freeOrder === "lifo" && !options.releaseTablePages;
    this.others = plain ? undefined : new FreeEntries(options.freeOrder);
  }

  /** Makes sure that `take` has an entry to give. `false` without memory for a page of them. */
  ready(): boolean {
    return this.isReady() || this.readyRare();
  }

  /** Whether `take` has an entry to give without further ado. */
  isReady(): boolean {
    return this.firstFree !== LAST || this.used < this.mapped;
  }

  /** The entry that `take` will give, after `ready`. */
  peek(): number {
    if (this.firstFree !== LAST) return this.firstFree;
    return this.others === undefined || this.others.isEmpty() ? this.used : this.others.peek();
  }

  /** Takes back the page that `ready` mapped, when it turns out that no entry is needed. */
  unready(): void {
    const { perPage } = this.pages;
    if (this.mapped - this.used < perPage) return;
    this.mapped -= perPage;
    this.pages.shrink();
  }

  /**
   * Gives a free entry to the object of `asked` bytes in `block` of `units`, whose payload starts at a multiple of
   * 16 << `code`. `ready` must have said yes.
   */
  take(block: number, units: number, asked: number, code: number): number {
    const { words } = this;
    let index = this.firstFree;
    if (index === LAST) index = this.takeRare();
    else this.firstFree = ~words[index << RECORD_BITS];
    words[index << RECORD_BITS] = block;
    this.costs[TABLE_WRITES] += 1;
    // The state of a free entry is its generation.
    const slack = slackOf(units, asked);
    if (code === 0 && isNarrow(units, slack)) words[(index << RECORD_BITS) | STATE] |= narrowOf(units, slack);
    else this.takeWide(index, units, asked, code);
    return index;
  }

  /** The entry's object is gone: refs to it are stale from now on. */
  give(index: number): void {
    const { words } = this;
    const at = index << RECORD_BITS;
    const generation = (words[at | STATE] & GENERATION) + 1;
    this.costs[TABLE_WRITES] += 1;
    if (generation > this.lastGeneration || this.others !== undefined) {
      this.giveRare(index, generation);
      return;
    }
    words[at | STATE] = generation;
    words[at] = ~this.firstFree;
    this.firstFree = index;
  }

  /** `find` and `give` in one for nearly all objects: returns the block. -1, and nothing is done, where more is to do. */
  giveNarrow(ref: Ref): number {
    const { words } = this;
    const index = ((ref | 0) - 1) | 0;
    const at = index << RECORD_BITS;
    if (index < 0 || index >= this.used) return -1;
    const block = words[at];
    const state = words[at | STATE];
    const generation = state & GENERATION;
    if (block < 0 || generation !== ((ref * PER_GENERATION) | 0) || (state & WIDE) !== 0) return -1;
    if (generation >= this.lastGeneration || this.others !== undefined) return -1;
    this.costs[TABLE_WRITES] += 1;
    this.given = state;
    words[at | STATE] = (generation + 1) | 0;
    words[at] = ~this.firstFree;
    this.firstFree = index;
    return block;
  }

  /** The ref of a live entry. */
  refOf(index: number): Ref {
    return ((this.stateOf(index) & GENERATION) * GENERATION_STEP + index + 1) as Ref;
  }

  /** The entry of a live object; -1 for a stale ref, which is counted. */
  find(ref: Ref): number {
    const index = this.lookUp(ref);
    return index >= 0 && !this.isDoomed(index) ? index : this.refuse(ref);
  }

  /** As `find`, but finds an object that was freed while pinned too. */
  findPinned(ref: Ref): number {
    const index = this.lookUp(ref);
    return index >= 0 ? index : this.refuse(ref);
  }

  /** State of an entry, see `entry-state.ts`. */
  stateOf(index: number): number {
    return this.words[(index << RECORD_BITS) | STATE];
  }

  /** Block of a live entry. */
  blockOf(index: number): number {
    return this.words[index << RECORD_BITS];
  }

  /** Units of the block of a live entry. */
  unitsOf(index: number): number {
    const bits = this.stateOf(index);
    return (bits & WIDE) === 0 ? unitsIn(bits) : this.wide.unitsOf(index);
  }

  /** Bytes that the program asked for. */
  askedOf(index: number): number {
    const bits = this.stateOf(index);
    return (bits & WIDE) === 0 ? askedIn(bits) : this.wide.askedOf(index);
  }

  /** The block of a live entry has `units`, of which the program asked for `asked` bytes. */
  setSize(index: number, units: number, asked: number): void {
    const at = (index << RECORD_BITS) + STATE;
    const state = this.words[at];
    const slack = slackOf(units, asked);
    if ((state & WIDE) === 0 && isNarrow(units, slack)) {
      this.words[at] = (state & GENERATION) | narrowOf(units, slack);
      return;
    }
    this.widen(index);
    this.wide.set(index, units, asked);
  }

  /** Alignment code of the object: its payload starts at a multiple of 16 << code. */
  codeOf(index: number): number {
    const state = this.stateOf(index);
    return (state & WIDE) === 0 ? 0 : state >>> CODE_SHIFT;
  }

  /** The object is in `block` now. */
  point(index: number, block: number): void {
    this.words[index << RECORD_BITS] = block;
    this.costs[TABLE_WRITES] += 1;
  }

  isPinned(index: number): boolean {
    return (this.stateOf(index) & PINNED) === PINNED;
  }

  /** Whether the object was freed while pinned, and waits for its last unpin. */
  isDoomed(index: number): boolean {
    return (this.stateOf(index) & DOOMED) === DOOMED;
  }

  pin(index: number): void {
    this.widen(index);
    this.wide.pin(index, 1);
    this.words[(index << RECORD_BITS) + STATE] |= PINNED;
    this.costs[Cost.pins] += 1;
    this.costs[TABLE_WRITES] += 1;
  }

  /** Takes one pin away. An object without pins is left alone. */
  unpin(index: number): void {
    if (!this.isPinned(index)) return;
    if (this.wide.pin(index, -1) === 0) this.words[(index << RECORD_BITS) + STATE] &= ~PINNED | WIDE;
    this.costs[TABLE_WRITES] += 1;
  }

  /** Marks a pinned object as freed: only `findPinned` finds it now. */
  doom(index: number): void {
    this.words[(index << RECORD_BITS) + STATE] |= DOOMED;
    this.costs[Cost.deferredFrees] += 1;
    this.costs[TABLE_WRITES] += 1;
  }

  /** Calls `visit` with each live entry, in order. */
  eachLive(visit: (index: number) => void): void {
    for (let index = 0; index < this.used; index++) if (this.words[index << RECORD_BITS] >= 0) visit(index);
  }

  /** Generation of a live entry, or the one that a free entry serves next. */
  generationOf(index: number): number {
    return this.stateOf(index) & GENERATION;
  }

  walk(map: HeapMap): void {
    this.pages.walk(map);
  }

  private takeWide(index: number, units: number, asked: number, code: number): void {
    this.wide.add(index, units, asked, this.words.length >> RECORD_BITS);
    this.words[(index << RECORD_BITS) + STATE] |= WIDE | (code << CODE_SHIFT);
  }

  /** Gives an object a record of its own. */
  private widen(index: number): void {
    const state = this.stateOf(index);
    if ((state & WIDE) !== 0) return;
    this.wide.add(index, this.unitsOf(index), this.askedOf(index), this.words.length >> RECORD_BITS);
    this.words[(index << RECORD_BITS) + STATE] = (state & GENERATION) | WIDE;
  }

  /** The entry that a ref names, if its generation is the one of the ref; else -1. */
  private lookUp(ref: Ref): number {
    const index = entryOf(ref);
    const isLive = index >= 0 && index < this.used && this.blockOf(index) >= 0;
    return isLive && this.generationOf(index) === ((ref * PER_GENERATION) | 0) ? index : -1;
  }

  /** Counts a ref that names no live object. */
  private refuse(ref: Ref): number {
    return this.stale.count(entryOf(ref), Math.floor(ref * PER_GENERATION));
  }

  private readyRare(): boolean {
    if (this.others !== undefined && !this.others.isEmpty()) return true;
    return this.restore() || this.grow();
  }

  /** An entry where the list through `firstFree` has none. */
  private takeRare(): number {
    const index = this.others === undefined || this.others.isEmpty() ? this.used++ : this.others.take();
    this.livePages?.took(index);
    return index;
  }

  /** `give` where the generations are used up or the free entries are elsewhere. */
  private giveRare(index: number, generation: number): void {
    const { words, others } = this;
    const at = index << RECORD_BITS;
    const worn = this.retires && generation > this.lastGeneration;
    if (worn) words[at + STATE] = (generation - 1) | WORN;
    else words[at + STATE] = generation <= this.lastGeneration ? generation : 0;
    if (!worn && others === undefined) {
      words[at] = ~this.firstFree;
      this.firstFree = index;
      return;
    }
    words[at] = ~LAST;
    if (!worn) others?.add(index);
    const page = this.livePages?.gave(index, this.used) ?? -1;
    if (page >= 0) this.drop(page);
  }

  /** Gives a page without live entries back; what stays is its highest generation. */
  private drop(page: number): void {
    const { words, others, pages } = this;
    const first = page * pages.perPage;
    let floor = 0;
    for (let index = first; index < first + pages.perPage; index++) {
      const state = words[(index << RECORD_BITS) + STATE];
      if (state > floor) floor = state;
      // A retired entry is in no list.
      if ((state & WORN) === 0) others?.remove(index);
    }
    // A worn-out entry has the highest state there is.
    const isWorn = (floor & WORN) !== 0;
    for (let index = first; index < first + pages.perPage; index++) words[(index << RECORD_BITS) + STATE] = floor;
    pages.drop(page, isWorn);
  }

  /** Maps a page again that was given back. `false` where there is none or no memory. */
  private restore(): boolean {
    if (this.livePages === undefined) return false;
    const page = this.pages.restore();
    if (page < 0) return false;
    const first = page * this.pages.perPage;
    for (let index = first + this.pages.perPage - 1; index >= first; index--) this.others?.add(index);
    this.costs[TABLE_WRITES] += this.pages.perPage;
    return true;
  }

  private grow(): boolean {
    const { pages } = this;
    if (!pages.grow()) return false;
    this.mapped += pages.perPage;
    while (this.mapped << RECORD_BITS > this.words.length) this.words = grown(this.words, this.words.length * 2);
    this.livePages?.grow(pages.count);
    return true;
  }
}
