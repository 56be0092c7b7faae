import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";

/** Sizes and addresses in the heap are in units of 16 bytes: one unit is a header, and every payload is whole units. */
export const UNIT = 16;

/** Most units a heap can have (8 GiB): places and sums of two of them are int32. */
const MAX_UNITS = 1 << 29;

/** Units at the start of a free block that the allocator writes: the header and two links. */
export const FREE_HEAD_UNITS = 2;

// V8 folds a constant of the module, but loads and checks an exported one at each use.
const FREE_UNITS = FREE_HEAD_UNITS;
const FREE_HEAD = 32;

const UNIT_BITS = 4;
/** A page is 2^8 units. */
const PAGE_BITS = 8;
const PAGE_UNITS = 1 << PAGE_BITS;

/**
 * The memory under a contiguous heap: maps it in steps at its end, and gives back what compaction leaves empty. Places
 * are in units from the base.
 */
export class HeapPages {
  private readonly space: AddressSpace;
  private readonly base: Address;
  private readonly growth: number;
  private readonly minHole: number;
  private readonly minTail: number;
  /** Units that the heap may have. */
  private readonly limit: number;
  /** Units mapped, and the highest that was part of a block since it was mapped. */
  private end = 0;
  private highest = 0;
  /** 1 for each page known to be resident: nobody else gives pages of this heap back, so it need not be asked again. */
  private resident = new Uint8Array(1024);
  /** All pages below this unit are known to be resident: one look instead of two for nearly every touch. */
  warm = 0;

  /**
   * Maps `growth` bytes at a time and at most `limit`; gives back holes of `minHolePages` and tails of `minTailPages`
   * and more.
   */
  constructor(space: AddressSpace, growth: number, minHolePages: number, minTailPages: number, limit: number) {
    this.space = space;
    this.growth = Math.ceil(growth / space.pageSize) * space.pageSize;
    this.minHole = minHolePages * space.pageSize;
    this.minTail = minTailPages * space.pageSize;
    this.limit = Math.min(MAX_UNITS, Math.floor(limit / UNIT));
    this.base = space.reserve(MAX_UNITS * UNIT, space.pageSize);
  }

  addressAt(unit: number): Address {
    return this.base + unit * UNIT;
  }

  /** Units from `unit` to the first place at which a block has its payload at a multiple of `alignment` bytes. */
  leadTo(unit: number, alignment: number): number {
    const past = this.addressAt(unit + 1) % alignment;
    if (past === 0) return 0;
    const lead = (alignment - past) / UNIT;
    // A gap of one unit is too small for a free block.
    return lead === 1 ? 1 + alignment / UNIT : lead;
  }

  /** Makes [0, units) usable. `false` without memory, and nothing is changed. */
  extendTo(units: number): boolean {
    if (units > this.limit || (units > this.end && !this.grow(units))) return false;
    if (units > this.highest) this.highest = units;
    return true;
  }

  /** `bytes`, at least one, at `unit` are written. */
  touch(unit: number, bytes: number): void {
    const last = unit + ((bytes - 1) >>> UNIT_BITS);
    if (last >= this.warm) this.touchPages(unit, last, bytes);
  }

  /** Header and links of a free block are written. */
  touchFree(unit: number): void {
    if (((unit + FREE_UNITS) | 0) > this.warm) this.touch(unit, FREE_HEAD);
  }

  /** Gives the whole pages behind the links of a free block back. */
  releaseHole(unit: number, units: number): void {
    const { pageSize } = this.space;
    const start = Math.ceil((this.addressAt(unit) + FREE_HEAD) / pageSize) * pageSize;
    const end = Math.floor(this.addressAt(unit + units) / pageSize) * pageSize;
    if (end - start < this.minHole) return;
    this.space.discard(start, end - start);
    this.forget((start - this.base) / pageSize, (end - this.base) / pageSize);
  }

  /** Gives the pages above the heap's `top` back if enough of them have been in use. */
  releaseTail(top: number): void {
    const { pageSize } = this.space;
    const perPage = pageSize / UNIT;
    const keep = Math.ceil(top / perPage) * perPage;
    const used = Math.ceil(this.highest / perPage) * perPage;
    if ((used - keep) * UNIT < this.minTail) return;
    this.space.unmap(this.addressAt(keep), (this.end - keep) * UNIT);
    this.forget(keep >> PAGE_BITS, this.end >> PAGE_BITS);
    this.end = keep;
    this.highest = Math.min(this.highest, keep);
  }

  /** What lies above the heap's `top`. */
  walk(map: HeapMap, top: number): void {
    map.add(this.addressAt(top), (this.highest - top) * UNIT, Kind.free);
    map.add(this.addressAt(this.highest), (this.end - this.highest) * UNIT, Kind.fresh);
  }

  /** As `touch`, for the units `unit` to `lastUnit`. */
  private touchPages(unit: number, lastUnit: number, bytes: number): void {
    const { resident } = this;
    const first = unit >> PAGE_BITS;
    const last = lastUnit >> PAGE_BITS;
    if (resident[first] !== 0 && (first === last || (resident[last] !== 0 && last === first + 1))) return;
    this.space.touch(this.addressAt(unit), bytes);
    resident.fill(1, first, last + 1);
    let warm = this.warm >> PAGE_BITS;
    while (warm < resident.length && resident[warm] !== 0) warm++;
    this.warm = warm << PAGE_BITS;
  }

  /** The pages from `first` up to, not including, `end` have been given back. */
  private forget(first: number, end: number): void {
    this.resident.fill(0, first, end);
    this.warm = Math.min(this.warm, first << PAGE_BITS);
  }

  private grow(units: number): boolean {
    const at = this.addressAt(this.end);
    const missing = (units - this.end) * UNIT;
    const room = Math.ceil((this.limit - this.end) / PAGE_UNITS) * PAGE_UNITS * UNIT;
    // Near the limit a step may be too much where the pages that are needed are not.
    const needed = Math.ceil(missing / this.space.pageSize) * this.space.pageSize;
    let bytes = Math.min(Math.ceil(missing / this.growth) * this.growth, room);
    if (!this.space.commit(at, bytes, Use.heap)) {
      bytes = needed;
      if (!this.space.commit(at, bytes, Use.heap)) return false;
    }
    this.end += bytes / UNIT;
    const pages = this.end >> PAGE_BITS;
    if (pages > this.resident.length) this.resident = grown(this.resident, pages * 2);
    return true;
  }
}
