/**
 * Segments of mimalloc 2 (segment.c): 32 MiB of 512 slices of 64 KiB, the first of which holds the descriptors of the
 * others. Spans of slices are pages in use or free; free spans of all segments wait in bins. Slices are numbered from
 * the base of the heap.
 */
import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { Bitset } from "../../memory/bitset.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { IndexList } from "../../memory/index-list.js";

export const SLICE = 65536;
/** Slices of a segment. */
const SLICES = 512;
const SEGMENT_BITS = 9;
const SEGMENT = SLICE * SLICES;
/** Addresses set aside: 32 GiB. */
const RESERVED = 0x800000000;
const SEGMENTS = RESERVED / SEGMENT;
/** Bytes of the segment's own fields and of the descriptor of a slice (mi_slice_t), as assumed here. */
const HEAD = 256;
const DESCRIPTOR = 96;
/** A freed segment waits this many delays before its pages are given back (arena_purge_mult). */
const SEGMENT_DELAYS = 10;

/** What a span is, at its first and its last slice. */
const FREE = 1;
const USED = 2;

/** The bin of a free span (mi_slice_bin): exact to 7 slices, then 8 to 10, 11 and 12, 13 and 14, four to a doubling. */
export function spanBin(slices: number): number {
  const last = slices - 1;
  const lg = 31 - Math.clz32(last);
  return lg <= 2 ? slices : ((lg << 2) | ((last >> (lg - 2)) & 3)) - 4;
}

const SPAN_BINS = spanBin(SLICES) + 1;

export class Segments {
  readonly base: Address;
  /** By slice of a page, and by the last slice of a free span: the first slice. */
  first: Int32Array;
  /** By first slice: slices of the span. */
  private count: Int32Array;
  private state: Uint8Array;
  /** By slice: whether it has memory, and whether that waits to be given back. */
  private committed: Uint8Array;
  private waiting: Uint8Array;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly free = new IndexList(SPAN_BINS);
  /** By segment: pages in it, and when its waiting slices are due; 0: none wait. */
  private readonly used = new Int32Array(SEGMENTS);
  private readonly due = new Float64Array(SEGMENTS);
  /** Segments made and then freed, and the number ever made. */
  private readonly unused = new Bitset();
  private made: number;
  private readonly delay: number;
  private readonly extension: number;
  private now: number;

  /** No segments. Free slices are given back `delay` milliseconds after they were freed; each further one in a segment puts that off by `extension`. */
  constructor(space: AddressSpace, delay: number, extension: number) {
    this.base = space.reserve(RESERVED, SEGMENT);
    this.first = new Int32Array(0);
    this.count = new Int32Array(0);
    this.state = new Uint8Array(0);
    this.committed = new Uint8Array(0);
    this.waiting = new Uint8Array(0);
    this.space = space;
    this.costs = space.costs;
    this.made = 0;
    this.delay = delay;
    this.extension = extension;
    this.now = 0;
  }

  /** Slices of the segments ever made. */
  get end(): number {
    return this.made << SEGMENT_BITS;
  }

  tick(now: number): void {
    this.now = now;
  }

  /** Slices of a span in use. */
  slicesOf(at: number): number {
    return this.count[at];
  }

  /** A span of `slices` slices with memory; its first slice, or -1 where there is no memory. */
  allocate(slices: number): number {
    let at = this.find(slices);
    if (at < 0 && !this.makeSegment()) return -1;
    if (at < 0) at = this.find(slices);
    if (at < 0) return -1;
    this.removeFree(at);
    const rest = this.count[at] - slices;
    if (rest > 0) {
      this.costs[Cost.splits] += 1;
      this.addFree(at + slices, rest);
    }
    this.mark(at, slices, USED);
    for (let slice = at; slice < at + slices; slice++) this.first[slice] = at;
    const segment = at >> SEGMENT_BITS;
    this.used[segment]++;
    if (!this.commit(at, slices)) {
      this.release(at);
      return -1;
    }
    this.waiting.fill(0, at, at + slices);
    this.space.touch(this.headOf(segment) + HEAD + (at & (SLICES - 1)) * DESCRIPTOR, slices * DESCRIPTOR);
    this.purgeIfDue(segment);
    return at;
  }

  /** Takes the span of a page back, and the segment with its last page. */
  release(at: number): void {
    const segment = at >> SEGMENT_BITS;
    const slices = this.count[at];
    this.coalesce(at, slices);
    if (--this.used[segment] === 0) this.freeSegment(segment);
    else {
      this.schedule(segment, at, slices);
      this.purgeIfDue(segment);
    }
  }

  /** Adds headers and free slices to a map, and calls `visit` for each page. */
  walk(map: HeapMap, visit: (slice: number, slices: number) => void): void {
    for (let at = 0; at < this.end; ) {
      const isHead = (at & (SLICES - 1)) === 0;
      const slices = isHead ? 1 : this.count[at];
      if (!isHead && this.state[at] === USED) visit(at, slices);
      else {
        const kind = isHead && !this.unused.has(at >> SEGMENT_BITS) ? Kind.header : Kind.free;
        for (let slice = at; slice < at + slices; slice++) {
          if (this.committed[slice] !== 0) map.add(this.base + slice * SLICE, SLICE, kind);
        }
      }
      at += slices;
    }
  }

  /** The first span of the lowest bins that is large enough. */
  private find(slices: number): number {
    for (let bin = spanBin(slices); bin < SPAN_BINS; bin++) {
      for (let at = this.free.first(bin); at >= 0; at = this.free.next(at)) {
        this.costs[Cost.listHops] += 1;
        if (this.count[at] >= slices) return at;
      }
    }
    return -1;
  }

  /** The lowest segment that is not in use gets its first slice. */
  private makeSegment(): boolean {
    const reused = this.unused.first();
    const segment = reused >= 0 ? reused : this.made;
    if (segment === SEGMENTS) return false;
    const head = segment << SEGMENT_BITS;
    this.reach(head + SLICES);
    if (!this.commit(head, 1)) return false;
    if (reused >= 0) this.unused.clear(segment);
    else this.made++;
    this.due[segment] = 0;
    this.waiting.fill(0, head, head + SLICES);
    this.mark(head, 1, USED);
    this.addFree(head + 1, SLICES - 1);
    this.space.touch(this.headOf(segment), HEAD + DESCRIPTOR);
    return true;
  }

  /** A segment without pages keeps its memory for a while, as part of the arena. */
  private freeSegment(segment: number): void {
    const head = segment << SEGMENT_BITS;
    this.removeFree(head + 1);
    this.unused.set(segment);
    this.waiting.set(this.committed.subarray(head, head + SLICES), head);
    this.due[segment] = this.now + SEGMENT_DELAYS * this.delay;
    for (let other = this.unused.first(); other >= 0; other = this.unused.next(other + 1)) this.purgeIfDue(other);
  }

  private headOf(segment: number): Address {
    return this.base + segment * SEGMENT;
  }

  /** Gets memory for those slices that have none; what other slices hold without need goes where memory is short. */
  private commit(at: number, slices: number): boolean {
    if (this.commitRuns(at, slices)) return true;
    this.decommitFree();
    return this.commitRuns(at, slices);
  }

  private commitRuns(at: number, slices: number): boolean {
    for (let slice = at; slice < at + slices; slice++) {
      if (this.committed[slice] !== 0) continue;
      let end = slice + 1;
      while (end < at + slices && this.committed[end] === 0) end++;
      if (!this.space.commit(this.base + slice * SLICE, (end - slice) * SLICE, Use.heap)) return false;
      this.committed.fill(1, slice, end);
      slice = end;
    }
    return true;
  }

  /** Unmaps all free slices (mi_heap_collect with force, before a request fails). */
  private decommitFree(): void {
    for (let at = 0; at < this.end; ) {
      const isHead = (at & (SLICES - 1)) === 0;
      const free = isHead ? this.unused.has(at >> SEGMENT_BITS) : this.state[at] === FREE;
      const slices = isHead ? 1 : this.count[at];
      for (let slice = at; free && slice < at + slices; slice++) {
        if (this.committed[slice] === 0) continue;
        this.space.unmap(this.base + slice * SLICE, SLICE);
        this.committed[slice] = 0;
        this.waiting[slice] = 0;
      }
      at += slices;
    }
  }

  /** Slices just freed wait, and with them those of the segment that wait already (mi_segment_schedule_purge). */
  private schedule(segment: number, at: number, slices: number): void {
    if (this.delay === Number.POSITIVE_INFINITY) return;
    for (let slice = at; slice < at + slices; slice++) this.waiting[slice] = this.committed[slice];
    const due = this.due[segment];
    if (due === 0) this.due[segment] = this.now + this.delay;
    else if (due > this.now) this.due[segment] = due + this.extension;
    else if (due + this.extension > this.now) this.due[segment] = this.now + this.extension;
    if (this.delay === 0) this.due[segment] = this.now;
  }

  private purgeIfDue(segment: number): void {
    const due = this.due[segment];
    const never = this.delay === Number.POSITIVE_INFINITY || (due === 0 && this.delay > 0);
    if (never || due > this.now) return;
    this.due[segment] = 0;
    const end = (segment + 1) << SEGMENT_BITS;
    for (let slice = segment << SEGMENT_BITS; slice < end; slice++) {
      if (this.waiting[slice] === 0) continue;
      let stop = slice + 1;
      while (stop < end && this.waiting[stop] !== 0) stop++;
      this.space.discard(this.base + slice * SLICE, (stop - slice) * SLICE);
      this.waiting.fill(0, slice, stop);
      slice = stop;
    }
  }

  /** Joins a span that comes free with its free neighbours; the first slice of a segment is never free. */
  private coalesce(start: number, slices: number): void {
    let at = start;
    let total = slices;
    const next = start + slices;
    if ((next & (SLICES - 1)) !== 0 && this.state[next] === FREE) {
      this.costs[Cost.coalesces] += 1;
      total += this.count[next];
      this.removeFree(next);
    }
    if (this.state[start - 1] === FREE) {
      this.costs[Cost.coalesces] += 1;
      at = this.first[start - 1];
      total += this.count[at];
      this.removeFree(at);
    }
    this.addFree(at, total);
  }

  private mark(at: number, slices: number, state: number): void {
    this.count[at] = slices;
    this.state[at] = state;
    this.state[at + slices - 1] = state;
    this.first[at + slices - 1] = at;
  }

  private addFree(at: number, slices: number): void {
    this.mark(at, slices, FREE);
    this.free.pushFront(spanBin(slices), at);
  }

  private removeFree(at: number): void {
    this.free.remove(at);
  }

  /** Makes room for slices below `end`. */
  private reach(end: number): void {
    if (end <= this.first.length) return;
    const length = Math.max(end, 2 * this.first.length);
    this.first = grown(this.first, length);
    this.count = grown(this.count, length);
    this.state = grown(this.state, length);
    this.committed = grown(this.committed, length);
    this.waiting = grown(this.waiting, length);
  }
}
