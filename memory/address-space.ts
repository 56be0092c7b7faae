/**
 * The simulated operating system: hands out addresses and pages and does all the counting of footprint, so no allocator
 * can hide memory. There are no real bytes behind the addresses.
 */
import { AddressRanges } from "./address-ranges.js";
import { Cost, type Costs, createCosts } from "./costs.js";
import { HeapError } from "./errors.js";
import { FootprintLog } from "./footprint-log.js";
import { PAGES, PageTable } from "./page-table.js";

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
  /** Gives whole mapped pages back, from the start of a page. The addresses of a reservation stay reserved. */
  unmap(at: Address, bytes: number): void;
  /**
   * Resizes a heap mapping without shared frames (Linux mremap, MREMAP_MAYMOVE): a smaller one loses its last pages, a
   * larger one moves with its frames. Returns where it is, or 0 at the limit.
   */
  remap(at: Address, bytes: number, newBytes: number): Address;
  /** The program or allocator writes these bytes: their pages become resident. */
  touch(at: Address, bytes: number): void;
  /** Gives the frames of the whole heap pages inside back; they stay mapped and read 0. Returns frames released. */
  discard(at: Address, bytes: number): number;
  /** From now on the heap pages at `to` share the frames of those at `from`; the frames `to` had are given back. */
  alias(from: Address, to: Address, bytes: number): void;
  /** Resident bytes (heap) or mapped bytes (meta, table) within a mapped range: its share of the footprint. */
  footprintOf(at: Address, bytes: number): number;
  /** The lowest address that shows the same byte of memory: `at` itself unless its page shares a frame. */
  frameOf(at: Address): Address;
  /** Calls `visit` for each maximal run of mapped pages of one use, in address order. */
  regions(visit: (start: Address, bytes: number, use: Use) => void): void;
}

const PAGE = 4096;
const PER_PAGE = 1 / PAGE;

// State of a page: 0 unmapped, else MAPPED | use << 1 | RESIDENT | SHARED | RELEASED. Meta and table are always resident.
const MAPPED = 1;
const USE_SHIFT = 1;
const USE_MASK = 3 << USE_SHIFT;
const RESIDENT = 8;
/** Several pages show one frame; they are all resident or none is. */
const SHARED = 16;
/** Given back by `discard` and not touched since: the next touch is a refault. */
const RELEASED = 32;
const HEAP_RESIDENT = MAPPED | RESIDENT;

class PagedAddressSpace implements AddressSpace {
  readonly pageSize = PAGE;
  readonly costs = createCosts();
  readonly log = new FootprintLog();
  peakMapped = 0;
  peakResident = 0;
  peakFootprint = 0;
  mapped = 0;
  resident = 0;
  private readonly limit: number;
  private readonly table = new PageTable();
  private readonly ranges = new AddressRanges(PAGES - 1);
  /** Mapped bytes by use. */
  private readonly uses = new Float64Array(3);
  /** The pages that show the same frame as a shared page, itself included, ascending; one list for all of them. */
  private readonly sharers = new Map<number, number[]>();

  constructor(limit: number) {
    this.limit = limit;
  }

  get footprint(): number {
    return this.resident + this.uses[Use.meta] + this.uses[Use.table];
  }

  mappedFor(use: Use): number {
    return this.uses[use];
  }

  map(bytes: number, alignment: number, use: Use): Address {
    const pages = Math.ceil(bytes * PER_PAGE);
    if (!(pages > 0) || this.mapped + pages * PAGE > this.limit) return 0;
    const first = this.ranges.take(pages, Math.max(1, alignment * PER_PAGE));
    if (first < 0) return 0;
    this.mapPages(first, pages, use);
    return first * PAGE;
  }

  reserve(bytes: number, alignment: number): Address {
    return this.ranges.reserve(Math.ceil(bytes * PER_PAGE), Math.max(1, alignment * PER_PAGE)) * PAGE;
  }

  commit(at: Address, bytes: number, use: Use): boolean {
    if (bytes === 0) return true;
    const first = this.firstPage("commit", at);
    const end = Math.ceil((at + bytes) * PER_PAGE);
    if (this.mapped + (end - first) * PAGE > this.limit) return false;
    if (!this.ranges.isReserved(first, end)) {
      throw new HeapError("structure", `commit of [${at}, ${at + bytes}) lies outside every reservation`);
    }
    if (this.table.get(first) !== 0 || this.table.runEnd(first, end) < end) {
      throw new HeapError("overlap", `commit of [${at}, ${at + bytes}) maps pages that are mapped already`);
    }
    this.mapPages(first, end - first, use);
    return true;
  }

  unmap(at: Address, bytes: number): void {
    if (bytes === 0) return;
    const first = this.firstPage("unmap", at);
    const end = Math.ceil((at + bytes) * PER_PAGE);
    this.requireMapped("unmap", first, end);
    for (let page = first; page < end; ) {
      const state = this.table.get(page);
      const stop = (state & SHARED) !== 0 ? page + 1 : this.table.runEnd(page, end);
      this.dropFrames(page, stop, state);
      this.uses[(state & USE_MASK) >> USE_SHIFT] -= (stop - page) * PAGE;
      page = stop;
    }
    this.table.fill(first, end, 0);
    this.mapped -= (end - first) * PAGE;
    this.ranges.give(first, end - first);
    this.costs[Cost.osCalls] += 1;
    this.log.record(this.footprint);
  }

  remap(at: Address, bytes: number, newBytes: number): Address {
    const first = this.firstPage("remap", at);
    const end = first + Math.ceil(bytes * PER_PAGE);
    const pages = Math.ceil(newBytes * PER_PAGE);
    const more = pages - (end - first);
    this.requireMapped("remap", first, end);
    if (more <= 0) this.unmap(at + pages * PAGE, -more * PAGE);
    if (more <= 0) return at;
    const to = this.mapped + more * PAGE > this.limit ? -1 : this.ranges.take(pages, 1);
    if (to < 0) return 0;
    this.table.move(first, end, to);
    this.ranges.give(first, end - first);
    this.mapPages(to + end - first, more, Use.heap);
    return to * PAGE;
  }

  touch(at: Address, bytes: number): void {
    const first = (at * PER_PAGE) | 0;
    const last = ((at + bytes - 1) * PER_PAGE) | 0;
    if (first === last && (this.table.get(first) & RESIDENT) !== 0) return;
    if (bytes > 0) this.touchPages(first, last + 1);
  }

  discard(at: Address, bytes: number): number {
    const first = Math.ceil(at * PER_PAGE);
    const end = Math.floor((at + bytes) * PER_PAGE);
    if (end <= first) return 0;
    this.requireMapped("discard", first, end);
    let released = 0;
    for (let page = first; page < end; ) {
      const state = this.table.get(page);
      const shared = (state & SHARED) !== 0;
      const stop = shared ? page + 1 : this.table.runEnd(page, end);
      if ((state & (USE_MASK | RESIDENT)) === RESIDENT) {
        if (shared) this.setSharers(page, (state & ~RESIDENT) | RELEASED);
        else this.table.fill(page, stop, MAPPED | RELEASED);
        released += stop - page;
      }
      page = stop;
    }
    this.resident -= released * PAGE;
    this.costs[Cost.osCalls] += 1;
    this.costs[Cost.releaseCalls] += 1;
    this.costs[Cost.pagesReleased] += released;
    if (released > 0) this.log.record(this.footprint);
    return released;
  }

  alias(from: Address, to: Address, bytes: number): void {
    if (bytes === 0) return;
    const source = this.firstPage("alias", from);
    const target = this.firstPage("alias", to);
    const pages = Math.ceil(bytes * PER_PAGE);
    for (let i = 0; i < pages; i++) this.aliasPage(source + i, target + i);
    this.costs[Cost.osCalls] += 1;
    this.log.record(this.footprint);
  }

  footprintOf(at: Address, bytes: number): number {
    let total = 0;
    const end = at + bytes;
    const last = Math.ceil(end * PER_PAGE);
    for (let page = Math.floor(at * PER_PAGE); page < last; ) {
      const state = this.table.get(page);
      const shared = (state & SHARED) !== 0;
      const stop = shared ? page + 1 : this.table.runEnd(page, last);
      const counts = (state & RESIDENT) !== 0 && (!shared || this.sharersOf(page)[0] === page);
      if (counts) total += Math.min(end, stop * PAGE) - Math.max(at, page * PAGE);
      page = stop;
    }
    return total;
  }

  frameOf(at: Address): Address {
    const page = Math.floor(at * PER_PAGE);
    if ((this.table.get(page) & SHARED) === 0) return at;
    return at + (this.sharersOf(page)[0] - page) * PAGE;
  }

  regions(visit: (start: Address, bytes: number, use: Use) => void): void {
    let start = 0;
    let current = 0;
    for (let page = 0; page < PAGES; ) {
      const state = this.table.get(page);
      const kind = state & (MAPPED | USE_MASK);
      if (kind !== current) {
        if (current !== 0) visit(start * PAGE, (page - start) * PAGE, ((current & USE_MASK) >> USE_SHIFT) as Use);
        start = page;
        current = kind;
      }
      page = this.table.runEnd(page, PAGES);
    }
  }

  private mapPages(first: number, pages: number, use: Use): void {
    const warm = use === Use.heap ? 0 : RESIDENT;
    this.table.fill(first, first + pages, MAPPED | (use << USE_SHIFT) | warm);
    this.costs[Cost.osCalls] += 1;
    this.mapped += pages * PAGE;
    this.uses[use] += pages * PAGE;
    if (this.mapped > this.peakMapped) this.peakMapped = this.mapped;
    if (use !== Use.heap) this.recordGrowth();
  }

  private touchPages(first: number, end: number): void {
    let [faults, refaults] = [0, 0];
    for (let page = first; page < end; ) {
      const state = this.table.get(page);
      if (state === 0) throw new HeapError("unmapped", `touch of the page at ${page * PAGE}, which is not mapped`);
      const shared = (state & SHARED) !== 0;
      const stop = shared ? page + 1 : this.table.runEnd(page, end);
      if ((state & RESIDENT) === 0) {
        if (shared) this.setSharers(page, (state & ~RELEASED) | RESIDENT);
        else this.table.fill(page, stop, HEAP_RESIDENT);
        faults += stop - page;
        if (state & RELEASED) refaults += stop - page;
      }
      page = stop;
    }
    if (faults === 0) return;
    this.costs[Cost.pageFaults] += faults;
    this.costs[Cost.refaults] += refaults;
    this.resident += faults * PAGE;
    if (this.resident > this.peakResident) this.peakResident = this.resident;
    this.recordGrowth();
  }

  private recordGrowth(): void {
    const footprint = this.footprint;
    if (footprint > this.peakFootprint) this.peakFootprint = footprint;
    this.log.record(footprint);
  }

  private aliasPage(source: number, target: number): void {
    const shown = this.table.get(source);
    const old = this.table.get(target);
    if ((shown & (MAPPED | USE_MASK)) !== MAPPED || (old & (MAPPED | USE_MASK)) !== MAPPED) {
      throw new HeapError("unmapped", `alias of ${source * PAGE} to ${target * PAGE}: both must be mapped heap pages`);
    }
    let sharers = this.sharers.get(source);
    if (source === target || (sharers !== undefined && sharers === this.sharers.get(target))) return;
    this.dropFrames(target, target + 1, old);
    if (sharers === undefined) {
      sharers = [source];
      this.sharers.set(source, sharers);
      this.table.set(source, shown | SHARED);
    }
    sharers.push(target);
    sharers.sort((a, b) => a - b);
    this.sharers.set(target, sharers);
    this.table.set(target, shown | SHARED);
  }

  private sharersOf(page: number): number[] {
    const sharers = this.sharers.get(page);
    if (sharers === undefined) throw new HeapError("structure", `the page at ${page * PAGE} shares a frame with none`);
    return sharers;
  }

  private setSharers(page: number, state: number): void {
    for (const other of this.sharersOf(page)) this.table.set(other, state);
  }

  /** Pages of one state stop showing their frames; a frame goes when no page shows it. A shared page comes alone. */
  private dropFrames(first: number, end: number, state: number): void {
    if ((state & SHARED) !== 0) {
      const sharers = this.sharersOf(first);
      sharers.splice(sharers.indexOf(first), 1);
      this.sharers.delete(first);
      if (sharers.length > 1) return;
      this.sharers.delete(sharers[0]);
      this.table.set(sharers[0], state & ~SHARED);
    } else if ((state & (USE_MASK | RESIDENT)) === RESIDENT) {
      this.resident -= (end - first) * PAGE;
    }
  }

  private firstPage(call: string, at: Address): number {
    if (at % PAGE === 0) return at * PER_PAGE;
    throw new HeapError("misaligned", `${call} at ${at}, which is not the start of a page`);
  }

  private requireMapped(call: string, first: number, end: number): void {
    for (let page = first; page < end; page = this.table.runEnd(page, end)) {
      if (this.table.get(page) !== 0) continue;
      throw new HeapError("unmapped", `${call} of the page at ${page * PAGE}, which is not mapped`);
    }
  }
}

/** A new, empty address space that maps at most `limit` bytes (default: no limit). */
export function createAddressSpace(limit = Number.POSITIVE_INFINITY): AddressSpace {
  return new PagedAddressSpace(limit);
}
