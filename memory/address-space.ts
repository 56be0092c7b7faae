/**
 * The simulated operating system: hands out addresses and pages and does all the counting of footprint, so no allocator
 * can hide memory. There are no real bytes behind the addresses.
 *
 * Layout, so that common addresses are small integers: `map` serves from 64 KiB upwards, lowest first, and moves on to
 * 2^42 when the first GiB is full; `reserve` serves from 1 GiB upwards. Everything lies below 2^43.
 */
import { Cost, createCosts, type Costs } from "./costs.js";
import { HeapError, InputError } from "./errors.js";
import { FootprintLog } from "./footprint-log.js";
import { RangeList } from "./range-list.js";

/** A byte offset in the simulated address space, below 2^53; 0 is never valid. */
export type Address = number;

/** What a mapping is for: heap pages count when touched, meta and table pages from the moment they are mapped. */
export const Use = { heap: 0, meta: 1, table: 2 } as const;
export type Use = (typeof Use)[keyof typeof Use];

export interface AddressSpace {
  /** 4096: the unit of residence and release. */
  readonly pageSize: number;
  /** Bytes obtained and not returned, all uses. */
  readonly mapped: number;
  /** Bytes of heap pages that have a frame; frames shared by `alias` count once. */
  readonly resident: number;
  /** `resident` + mapped for meta + mapped for table: what the process costs the machine (docs/metrics.md). */
  readonly footprint: number;
  readonly peakMapped: number;
  readonly peakResident: number;
  readonly peakFootprint: number;
  /** Counters of the whole simulated machine; the allocator adds its own. */
  readonly costs: Costs;
  readonly log: FootprintLog;
  /** Mapped bytes by use. */
  mappedFor(use: Use): number;
  /** Maps whole pages, at a multiple of `alignment` (a power of two). Returns 0 at the limit. */
  map(bytes: number, alignment: number, use: Use): Address;
  /**
   * Sets addresses aside without memory: nothing is mapped and nothing counted until `commit`. At most 2^40 bytes.
   * Throws an `InputError` when the address space itself is used up.
   */
  reserve(bytes: number, alignment: number): Address;
  /** Maps whole pages at a place inside a reservation. `false` at the limit, and nothing is changed. */
  commit(at: Address, bytes: number, use: Use): boolean;
  /** Gives whole mapped pages back. The addresses of a reservation stay reserved. */
  unmap(at: Address, bytes: number): void;
  /** The program or allocator writes these bytes: their pages become resident. */
  touch(at: Address, bytes: number): void;
  /** Gives the frames of whole pages back; they stay mapped and are zero at the next touch. Returns pages released. */
  discard(at: Address, bytes: number): number;
  /** From now on the pages at `to` share the frames of those at `from`; the frames `to` had are given back. */
  alias(from: Address, to: Address, bytes: number): void;
  /** Resident bytes (heap) or mapped bytes (meta, table) within a mapped range: its share of the footprint. */
  footprintOf(at: Address, bytes: number): number;
  /** Calls `visit` for each maximal run of mapped pages of one use, in address order. */
  regions(visit: (start: Address, bytes: number, use: Use) => void): void;
}

const PAGE = 4096;
const PER_PAGE = 1 / PAGE;
const CHUNK_BITS = 12;
const CHUNK = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK - 1;

const LOW_START = 16;
const LOW_END = 2 ** 18; // 1 GiB in pages
const HIGH_START = 2 ** 30; // 2^42 in pages
const HIGH_END = 2 ** 31 - 1;

// State of a page: 0 unmapped, else MAPPED | use << 1 | RESIDENT | SHARED.
const MAPPED = 1;
const USE_SHIFT = 1;
const USE_MASK = 3 << USE_SHIFT;
const RESIDENT = 8;
const SHARED = 16;
const HEAP_RESIDENT = MAPPED | RESIDENT;

/** Frames shared by several pages. */
interface Frame {
  pages: number;
  resident: boolean;
}

class PagedAddressSpace implements AddressSpace {
  readonly pageSize = PAGE;
  readonly costs = createCosts();
  readonly log = new FootprintLog();
  readonly #limit: number;
  /** Page states in chunks of 4096 pages; a missing chunk is wholly unmapped. */
  readonly #directory: (Uint8Array | undefined)[] = [];
  readonly #low = new RangeList(LOW_START, LOW_END);
  readonly #high = new RangeList(HIGH_START, HIGH_END);
  readonly #mappedFor = new Float64Array(3);
  readonly #shared = new Map<number, Frame>();
  #nextReservation = LOW_END;
  #mapped = 0;
  #resident = 0;
  #peakMapped = 0;
  #peakResident = 0;
  #peakFootprint = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get mapped(): number {
    return this.#mapped;
  }
  get resident(): number {
    return this.#resident;
  }
  get footprint(): number {
    return this.#resident + this.#mappedFor[Use.meta] + this.#mappedFor[Use.table];
  }
  get peakMapped(): number {
    return this.#peakMapped;
  }
  get peakResident(): number {
    return this.#peakResident;
  }
  get peakFootprint(): number {
    return this.#peakFootprint;
  }

  mappedFor(use: Use): number {
    return this.#mappedFor[use];
  }

  map(bytes: number, alignment: number, use: Use): Address {
    const pages = Math.ceil(bytes * PER_PAGE);
    if (pages <= 0 || this.#mapped + pages * PAGE > this.#limit) return 0;
    const step = Math.max(1, alignment * PER_PAGE);
    let page = this.#low.take(pages, step);
    if (page < 0) page = this.#high.take(pages, step);
    if (page < 0) return 0;
    this.#setMapped(page, pages, use);
    return page * PAGE;
  }

  reserve(bytes: number, alignment: number): Address {
    const step = Math.max(1, alignment * PER_PAGE);
    const page = Math.ceil(this.#nextReservation / step) * step;
    const end = page + Math.ceil(bytes * PER_PAGE);
    if (end > HIGH_START) throw new InputError(`the simulated address space has no ${bytes} bytes left to reserve`);
    this.#nextReservation = end;
    return page * PAGE;
  }

  commit(at: Address, bytes: number, use: Use): boolean {
    const first = Math.floor(at * PER_PAGE);
    const pages = Math.ceil((at + bytes) * PER_PAGE) - first;
    if (this.#mapped + pages * PAGE > this.#limit) return false;
    if (first < LOW_END || first + pages > this.#nextReservation) {
      throw new HeapError("structure", `commit of [${at}, ${at + bytes}) lies outside every reservation`);
    }
    this.#setMapped(first, pages, use);
    return true;
  }

  unmap(at: Address, bytes: number): void {
    const first = Math.floor(at * PER_PAGE);
    const end = Math.ceil((at + bytes) * PER_PAGE);
    this.costs[Cost.osCalls] += 1;
    for (let page = first; page < end; page++) {
      const state = this.#state(page);
      if (state === 0) throw new HeapError("unmapped", `unmap of page at ${page * PAGE}, which is not mapped`);
      if ((state & RESIDENT) !== 0 || (state & SHARED) !== 0) this.#dropFrame(page, state);
      this.#mappedFor[(state & USE_MASK) >> USE_SHIFT] -= PAGE;
      this.#setState(page, 0);
    }
    this.#mapped -= (end - first) * PAGE;
    if (end <= LOW_END) this.#low.give(first, end - first);
    else if (first >= HIGH_START) this.#high.give(first, end - first);
    this.log.record(this.footprint);
  }

  touch(at: Address, bytes: number): void {
    const first = (at * PER_PAGE) | 0;
    const last = ((at + bytes - 1) * PER_PAGE) | 0;
    if (first === last) {
      const chunk = this.#directory[first >>> CHUNK_BITS];
      if (chunk !== undefined && chunk[first & CHUNK_MASK] === HEAP_RESIDENT) return;
    }
    if (bytes > 0) this.#touchPages(first, last);
  }

  discard(at: Address, bytes: number): number {
    const first = Math.ceil(at * PER_PAGE);
    const end = Math.floor((at + bytes) * PER_PAGE);
    if (end <= first) return 0;
    let released = 0;
    for (let page = first; page < end; page++) {
      const state = this.#state(page);
      if (state === 0) throw new HeapError("unmapped", `discard of page at ${page * PAGE}, which is not mapped`);
      if ((state & RESIDENT) === 0 || (state & USE_MASK) !== Use.heap) continue;
      if ((state & SHARED) !== 0) {
        const frame = this.#frame(page);
        if (!frame.resident) continue;
        frame.resident = false;
      } else {
        this.#setState(page, state & ~RESIDENT);
      }
      this.#resident -= PAGE;
      released++;
    }
    this.costs[Cost.osCalls] += 1;
    this.costs[Cost.releaseCalls] += 1;
    this.costs[Cost.pagesReleased] += released;
    if (released > 0) this.log.record(this.footprint);
    return released;
  }

  alias(from: Address, to: Address, bytes: number): void {
    const source = Math.floor(from * PER_PAGE);
    const target = Math.floor(to * PER_PAGE);
    const pages = Math.ceil(bytes * PER_PAGE);
    this.costs[Cost.osCalls] += 1;
    for (let i = 0; i < pages; i++) {
      const a = this.#state(source + i);
      const b = this.#state(target + i);
      if (a === 0 || b === 0) throw new HeapError("unmapped", "alias of pages that are not mapped");
      if ((a & SHARED) !== 0 && this.#shared.get(source + i) === this.#shared.get(target + i)) continue;
      let frame = this.#shared.get(source + i);
      if (frame === undefined) {
        frame = { pages: 1, resident: (a & RESIDENT) !== 0 };
        this.#shared.set(source + i, frame);
        this.#setState(source + i, a | SHARED | RESIDENT);
      }
      this.#dropFrame(target + i, b);
      frame.pages++;
      this.#shared.set(target + i, frame);
      this.#setState(target + i, (b & ~RESIDENT) | SHARED | RESIDENT);
    }
    this.log.record(this.footprint);
  }

  footprintOf(at: Address, bytes: number): number {
    let total = 0;
    const end = at + bytes;
    for (let page = Math.floor(at * PER_PAGE); page * PAGE < end; page++) {
      const state = this.#state(page);
      const counts =
        (state & USE_MASK) !== Use.heap ? state !== 0 : (state & SHARED) !== 0 ? this.#ownsFrame(page) : (state & RESIDENT) !== 0;
      if (counts) total += Math.min(end, (page + 1) * PAGE) - Math.max(at, page * PAGE);
    }
    return total;
  }

  regions(visit: (start: Address, bytes: number, use: Use) => void): void {
    let start = -1;
    let use: Use = Use.heap;
    const flush = (end: number): void => {
      if (start >= 0) visit(start * PAGE, (end - start) * PAGE, use);
      start = -1;
    };
    let previous = -1;
    this.#directory.forEach((chunk, index) => {
      if (chunk === undefined) return;
      if (index !== previous + 1) flush((previous + 1) << CHUNK_BITS);
      previous = index;
      for (let i = 0; i < CHUNK; i++) {
        const state = chunk[i];
        const page = index * CHUNK + i;
        const pageUse = ((state & USE_MASK) >> USE_SHIFT) as Use;
        if (start >= 0 && (state === 0 || pageUse !== use)) flush(page);
        if (state !== 0 && start < 0) {
          start = page;
          use = pageUse;
        }
      }
    });
    flush((previous + 1) << CHUNK_BITS);
  }

  #touchPages(first: number, last: number): void {
    let faults = 0;
    for (let page = first; page <= last; page++) {
      const state = this.#state(page);
      if (state === 0) throw new HeapError("unmapped", `touch of page at ${page * PAGE}, which is not mapped`);
      if ((state & USE_MASK) !== Use.heap) continue;
      if ((state & SHARED) !== 0) {
        const frame = this.#frame(page);
        if (frame.resident) continue;
        frame.resident = true;
      } else if ((state & RESIDENT) !== 0) {
        continue;
      } else {
        this.#setState(page, state | RESIDENT);
      }
      faults++;
    }
    if (faults === 0) return;
    this.#resident += faults * PAGE;
    this.costs[Cost.pageFaults] += faults;
    if (this.#resident > this.#peakResident) this.#peakResident = this.#resident;
    this.#recordGrowth();
  }

  #recordGrowth(): void {
    const footprint = this.footprint;
    if (footprint > this.#peakFootprint) this.#peakFootprint = footprint;
    this.log.record(footprint);
  }

  #setMapped(first: number, pages: number, use: Use): void {
    this.costs[Cost.osCalls] += 1;
    for (let page = first; page < first + pages; page++) {
      if (this.#state(page) !== 0) throw new HeapError("overlap", `page at ${page * PAGE} is mapped twice`);
      this.#setState(page, MAPPED | (use << USE_SHIFT));
    }
    this.#mapped += pages * PAGE;
    this.#mappedFor[use] += pages * PAGE;
    if (this.#mapped > this.#peakMapped) this.#peakMapped = this.#mapped;
    if (use !== Use.heap) this.#recordGrowth();
  }

  #state(page: number): number {
    return this.#directory[page >>> CHUNK_BITS]?.[page & CHUNK_MASK] ?? 0;
  }

  #setState(page: number, state: number): void {
    const index = page >>> CHUNK_BITS;
    let chunk = this.#directory[index];
    if (chunk === undefined) {
      chunk = new Uint8Array(CHUNK);
      this.#directory[index] = chunk;
    }
    chunk[page & CHUNK_MASK] = state;
  }

  #frame(page: number): Frame {
    const frame = this.#shared.get(page);
    if (frame === undefined) throw new HeapError("structure", `page at ${page * PAGE} is marked shared but has no frame`);
    return frame;
  }

  /** A shared frame is attributed to the lowest page that shows it. */
  #ownsFrame(page: number): boolean {
    const frame = this.#frame(page);
    if (!frame.resident) return false;
    for (const [other, shown] of this.#shared) if (shown === frame && other < page) return false;
    return true;
  }

  /** The page at `page` stops showing its frame; the frame goes when no page shows it. */
  #dropFrame(page: number, state: number): void {
    if ((state & SHARED) !== 0) {
      const frame = this.#frame(page);
      this.#shared.delete(page);
      frame.pages--;
      if (frame.pages === 0 && frame.resident) this.#resident -= PAGE;
    } else if ((state & RESIDENT) !== 0 && (state & USE_MASK) === Use.heap) {
      this.#resident -= PAGE;
    }
  }
}

/** A new, empty address space that maps at most `limit` bytes (default: no limit). */
export function createAddressSpace(limit = Number.POSITIVE_INFINITY): AddressSpace {
  return new PagedAddressSpace(limit);
}
