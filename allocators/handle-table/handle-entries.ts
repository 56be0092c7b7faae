import type { AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import type { Ref } from "../allocator.js";
import { EntryPages } from "./entry-pages.js";
import { FreeEntries, type FreeOrder } from "./free-entries.js";

/** No free entry. Links are stored as `~next`, so this one is -2^31. */
const LAST = 0x7fffffff;

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const TABLE_WRITES = Cost.tableWrites;
const STALE_HANDLES = Cost.staleHandles;

/** Words of the record of an entry: 16 bytes, so that none straddles a cache line. */
const RECORD_BITS = 2;
const STATE = 1;
const ASKED = 2;
const PINS = 3;

/** The state: 21 bits of generation, two flags, and the alignment code of the object. */
const PINNED = 1 << 21;
const DOOMED = 1 << 22;
const GENERATION = PINNED - 1;
const CODE_SHIFT = 23;
/** What must equal the generation of a ref. */
const NAMED = GENERATION | DOOMED;

const GENERATION_STEP = 0x100000000;
const PER_GENERATION = 1 / GENERATION_STEP;

/** The entry that a ref names. */
export function entryOf(ref: Ref): number {
  return (ref | 0) - 1;
}

export interface TableOptions {
  /** How often an entry serves before it is worn out. */
  generations: number;
  /** Whether a worn-out entry is never used again; else its generations start anew. */
  retireOnWrap: boolean;
  /**
   * Bytes of an entry. 8 hold 36 bits of address in units, 20 of generation, 7 of pins and 1 for "free"; 4 hold 27 bits
   * of address, 4 of generation and 1 for "free", and pins are in the header of the block; 16 keep each in a word.
   */
  entryBytes: number;
  freeOrder: FreeOrder;
  /** Whether a page of the table without a live entry is given back. */
  releaseTablePages: boolean;
}

/**
 * The handle table: one entry for each object, which alone knows where the object is. A ref is
 * `generation * 2^32 + index + 1`; the generation of an entry goes up at each free, so a ref that outlives its object is
 * told from the next user of the entry until generations run out, when the entry is retired or, if told to, wraps.
 *
 * Free entries are reused last in, first out, by default. Pages of entries are mapped at their first use. Where they can
 * be given back, one empty page is kept against thrashing, and of a page that goes its highest generation stays, from
 * which all its entries go on: a page is worn out with its first entry. Pins nest; the count lies beside the modelled
 * entry, and so do the size that the program asked for and the alignment, which the model keeps in the header of the block.
 */
export class HandleEntries {
  /** The first use of a stale handle, a second free included: the event in which it came, entry and generation. */
  firstStale: { readonly event: number; readonly entry: number; readonly generation: number } | undefined;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly generations: number;
  private readonly retires: boolean;
  private readonly pages: EntryPages;
  /** Four words an entry: block, or `~next` while free; state; bytes asked for, unsigned; pins. */
  private words = new Int32Array(512 << RECORD_BITS);
  /** Entries ever used, and entries mapped. */
  private used = 0;
  private mapped = 0;
  private firstFree = LAST;
  /** The free entries where the list through `firstFree` does not do. */
  private readonly others: FreeEntries | undefined;
  private readonly releases: boolean;
  /** Where pages are given back: live entries of each page, and the empty page that is kept. */
  private livePer = new Int32Array(64);
  private spare = -1;

  constructor(space: AddressSpace, options: TableOptions) {
    this.firstStale = undefined;
    this.space = space;
    this.costs = space.costs;
    this.generations = options.generations;
    this.retires = options.retireOnWrap;
    this.releases = options.releaseTablePages;
    this.pages = new EntryPages(space, options.entryBytes, options.releaseTablePages);
    const plain = options.freeOrder === "lifo" && !options.releaseTablePages;
    this.others = plain ? undefined : new FreeEntries(options.freeOrder);
  }

  /** Makes sure that `take` has an entry to give. `false` without memory for a page of them. */
  ready(): boolean {
    return this.firstFree !== LAST || this.used < this.mapped || this.readyRare();
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
   * Gives a free entry to the object of `asked` bytes in `block`, whose payload starts at a multiple of 16 << `code`.
   * `ready` must have said yes.
   */
  take(block: number, asked: number, code: number): number {
    const { words } = this;
    let index = this.firstFree;
    if (index === LAST) index = this.takeRare();
    else this.firstFree = ~words[index << RECORD_BITS];
    const at = index << RECORD_BITS;
    words[at] = block;
    words[at + STATE] |= code << CODE_SHIFT;
    words[at + ASKED] = asked;
    this.costs[TABLE_WRITES] += 1;
    return index;
  }

  /** The entry's object is gone: refs to it are stale from now on. */
  give(index: number): void {
    const { words } = this;
    const at = index << RECORD_BITS;
    const generation = (words[at + STATE] & GENERATION) + 1;
    this.costs[TABLE_WRITES] += 1;
    if (generation >= this.generations || this.others !== undefined) {
      this.giveRare(index, generation);
      return;
    }
    words[at + STATE] = generation;
    words[at] = ~this.firstFree;
    this.firstFree = index;
  }

  /** The ref of a live entry. */
  refOf(index: number): Ref {
    return ((this.words[(index << RECORD_BITS) + STATE] & GENERATION) * GENERATION_STEP + index + 1) as Ref;
  }

  /** The entry of a live object; -1 for a stale ref, which is counted. */
  find(ref: Ref): number {
    const { words } = this;
    const index = (ref | 0) - 1;
    const at = index << RECORD_BITS;
    // The flag makes the state of an object freed while pinned differ from every generation.
    const named = index >= 0 && index < this.used && words[at] >= 0;
    if (named && (words[at + STATE] & NAMED) === ((ref * PER_GENERATION) | 0)) return index;
    return this.refuse(ref);
  }

  /** As `find`, but finds an object that was freed while pinned too. */
  findPinned(ref: Ref): number {
    const index = (ref | 0) - 1;
    if (this.isLive(index) && (this.stateOf(index) & GENERATION) === ((ref * PER_GENERATION) | 0)) return index;
    return this.refuse(ref);
  }

  /** Block of a live entry. */
  blockOf(index: number): number {
    return this.words[index << RECORD_BITS];
  }

  /** Bytes that the program asked for. */
  askedOf(index: number): number {
    return this.words[(index << RECORD_BITS) + ASKED] >>> 0;
  }
  setAsked(index: number, bytes: number): void {
    this.words[(index << RECORD_BITS) + ASKED] = bytes;
  }

  /** Alignment code of the object: its payload starts at a multiple of 16 << code. */
  codeOf(index: number): number {
    return this.stateOf(index) >>> CODE_SHIFT;
  }

  /** The object is in `block` now. */
  point(index: number, block: number): void {
    this.words[index << RECORD_BITS] = block;
    this.costs[TABLE_WRITES] += 1;
  }

  isPinned(index: number): boolean {
    return (this.stateOf(index) & PINNED) !== 0;
  }

  /** Whether the object was freed while pinned, and waits for its last unpin. */
  isDoomed(index: number): boolean {
    return (this.stateOf(index) & DOOMED) !== 0;
  }

  pin(index: number): void {
    const at = index << RECORD_BITS;
    this.words[at + PINS]++;
    this.words[at + STATE] |= PINNED;
    this.costs[Cost.pins] += 1;
    this.costs[TABLE_WRITES] += 1;
  }

  /** Takes one pin away. An object without pins is left alone. */
  unpin(index: number): void {
    const at = index << RECORD_BITS;
    if (this.words[at + PINS] === 0) return;
    this.words[at + PINS]--;
    if (this.words[at + PINS] === 0) this.words[at + STATE] &= ~PINNED;
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

  private isLive(index: number): boolean {
    return index >= 0 && index < this.used && this.words[index << RECORD_BITS] >= 0;
  }

  private stateOf(index: number): number {
    return this.words[(index << RECORD_BITS) + STATE];
  }

  /** Counts a ref that names no live object; -1. */
  private refuse(ref: Ref): number {
    this.costs[STALE_HANDLES] += 1;
    this.firstStale ??= {
      event: this.space.log.now,
      entry: entryOf(ref),
      generation: Math.floor(ref * PER_GENERATION),
    };
    return -1;
  }

  private readyRare(): boolean {
    if (this.others !== undefined && !this.others.isEmpty()) return true;
    return this.restore() || this.grow();
  }

  /** An entry where the list through `firstFree` has none. */
  private takeRare(): number {
    const index = this.others === undefined || this.others.isEmpty() ? this.used++ : this.others.take();
    if (this.releases) {
      const page = (index / this.pages.perPage) | 0;
      this.livePer[page]++;
      if (page === this.spare) this.spare = -1;
    }
    return index;
  }

  /** `give` where the generations are used up or the free entries are elsewhere. */
  private giveRare(index: number, generation: number): void {
    const { words, others, pages } = this;
    const at = index << RECORD_BITS;
    const worn = this.retires && generation >= this.generations;
    words[at + STATE] = worn || generation < this.generations ? generation : 0;
    if (!worn && others === undefined) {
      words[at] = ~this.firstFree;
      this.firstFree = index;
      return;
    }
    words[at] = ~LAST;
    if (!worn) others?.add(index);
    if (!this.releases) return;
    const page = (index / pages.perPage) | 0;
    this.livePer[page]--;
    // The page that `used` lies in is about to be used.
    if (this.livePer[page] > 0 || (page + 1) * pages.perPage > this.used) return;
    if (this.spare < 0) this.spare = page;
    else this.drop(page);
  }

  /** Gives a page without live entries back; what stays is its highest generation. */
  private drop(page: number): void {
    const { words, others, pages } = this;
    const first = page * pages.perPage;
    let floor = 0;
    for (let index = first; index < first + pages.perPage; index++) {
      const generation = words[(index << RECORD_BITS) + STATE] & GENERATION;
      if (generation > floor) floor = generation;
      // A retired entry is in no list.
      if (generation < this.generations || !this.retires) others?.remove(index);
    }
    const isWorn = this.retires && floor >= this.generations;
    for (let index = first; index < first + pages.perPage; index++) words[(index << RECORD_BITS) + STATE] = floor;
    pages.drop(page, isWorn);
  }

  /** Maps a page again that was given back. `false` where there is none or no memory. */
  private restore(): boolean {
    if (!this.releases) return false;
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
    while (this.mapped << RECORD_BITS > this.words.length) {
      const words = new Int32Array(this.words.length * 2);
      words.set(this.words);
      this.words = words;
    }
    while (pages.count > this.livePer.length) {
      const livePer = new Int32Array(this.livePer.length * 2);
      livePer.set(this.livePer);
      this.livePer = livePer;
    }
    return true;
  }
}
