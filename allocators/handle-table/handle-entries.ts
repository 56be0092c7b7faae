import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import type { Ref } from "../allocator.js";

/** Bytes of an entry: in the model 36 bits of address in units, 20 of generation, 7 of pins and 1 for "free". */
const ENTRY_BYTES = 8;
/** Entries mapped at a time: one page of them. */
const CHUNK = 512;
/** Their records are indexed by int32, four words each. */
const MAX_ENTRIES = 1 << 29;
const RESERVED = 0x80000000 * ENTRY_BYTES;

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

/**
 * The handle table: one entry for each object, which alone knows where the object is. A ref is
 * `generation * 2^32 + index + 1`; the generation of an entry goes up at each free, so a ref that outlives its object is
 * told from the next user of the entry until generations run out, when the entry is retired or, if told to, wraps.
 *
 * Free entries are reused last in, first out. Pages of entries are mapped under `Use.table` at their first use and never
 * given back. Pins nest; the count lies beside the modelled entry, whose 7 bits hold 127, and so do the size that the
 * program asked for and the alignment, which the model keeps in the header of the block.
 */
export class HandleEntries {
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly base: Address;
  private readonly generations: number;
  private readonly retires: boolean;
  /** Four words an entry: block, or `~next` while free; state; bytes asked for, unsigned; pins. */
  private words = new Int32Array(CHUNK << RECORD_BITS);
  /** Entries ever used, and entries mapped. */
  private used = 0;
  private mapped = 0;
  private firstFree = LAST;

  /** `generations` for each entry; then it is retired, or starts again at 0 if not `retires`. */
  constructor(space: AddressSpace, generations: number, retires: boolean) {
    this.space = space;
    this.costs = space.costs;
    this.generations = generations;
    this.retires = retires;
    this.base = space.reserve(RESERVED, space.pageSize);
  }

  /** Makes sure that `take` has an entry to give. `false` without memory for a page of them. */
  ready(): boolean {
    return this.firstFree !== LAST || this.used < this.mapped || this.grow();
  }

  /** Takes back the page that `ready` mapped, when it turns out that no entry is needed. */
  unready(): void {
    if (this.mapped - this.used < CHUNK) return;
    this.mapped -= CHUNK;
    this.space.unmap(this.base + this.mapped * ENTRY_BYTES, CHUNK * ENTRY_BYTES);
  }

  /**
   * Gives a free entry to the object of `asked` bytes in `block`, whose payload starts at a multiple of 16 << `code`.
   * `ready` must have said yes.
   */
  take(block: number, asked: number, code: number): number {
    const { words } = this;
    let index = this.firstFree;
    if (index === LAST) index = this.used++;
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
    const wraps = generation >= this.generations;
    this.costs[TABLE_WRITES] += 1;
    if (wraps && this.retires) {
      words[at + STATE] = generation;
      words[at] = ~LAST;
      return;
    }
    words[at + STATE] = wraps ? 0 : generation;
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
    this.costs[STALE_HANDLES] += 1;
    return -1;
  }

  /** As `find`, but finds an object that was freed while pinned too. */
  findPinned(ref: Ref): number {
    const index = (ref | 0) - 1;
    if (this.isLive(index) && (this.stateOf(index) & GENERATION) === ((ref * PER_GENERATION) | 0)) return index;
    this.costs[STALE_HANDLES] += 1;
    return -1;
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

  walk(map: HeapMap): void {
    map.add(this.base, this.mapped * ENTRY_BYTES, Kind.table);
  }

  private isLive(index: number): boolean {
    return index >= 0 && index < this.used && this.words[index << RECORD_BITS] >= 0;
  }

  private stateOf(index: number): number {
    return this.words[(index << RECORD_BITS) + STATE];
  }

  private grow(): boolean {
    const bytes = CHUNK * ENTRY_BYTES;
    if (this.mapped + CHUNK > MAX_ENTRIES) return false;
    if (!this.space.commit(this.base + this.mapped * ENTRY_BYTES, bytes, Use.table)) return false;
    this.mapped += CHUNK;
    if (this.mapped << RECORD_BITS > this.words.length) {
      const words = new Int32Array(this.words.length * 2);
      words.set(this.words);
      this.words = words;
    }
    return true;
  }
}
