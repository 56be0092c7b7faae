/** One look at a heap: the share of its footprint that each kind of byte has, and the shape of its free space. */
import type { AddressSpace } from "../../memory/address-space.js";
import { type HeapMap, Kind, type KindName, kindNames } from "../../memory/heap-map.js";
import type { Demand } from "./demand.js";
import { freeShape } from "./free-shape.js";
import { type HeapExtent, heapExtent } from "./heap-extent.js";
import { freeBlocks } from "./linux-index.js";

/** What depends on where blocks lie. */
export interface PlacementShape extends HeapExtent {
  /** Free bytes in runs of at least 4 KiB. */
  readonly availableFor4K: number;
  /** Free bytes in runs of at least the mean size of an object: bytes allocated / objects allocated so far. */
  readonly availableForMean: number;
}

export interface Snapshot {
  /** Events that had run. */
  readonly event: number;
  /** Name of the moment: a phase label, "peak", "end", or "" for one of the evenly spaced ones. */
  readonly label: string;
  readonly allocated: number;
  readonly live: number;
  readonly liveBlocks: number;
  readonly footprint: number;
  readonly mapped: number;
  readonly resident: number;
  readonly meta: number;
  /** Bytes of the footprint of each kind; they sum to `footprint`. `live` is what was asked for, `padding` the rest. */
  readonly kinds: Readonly<Record<KindName, number>>;
  /** Free and fresh mapped bytes, their runs of adjacent pieces, and the longest run. */
  readonly freeBytes: number;
  readonly freeRuns: number;
  readonly largestFree: number;
  /** Free blocks of 2^i whole pages at each i, naturally aligned, as Linux lists them. */
  readonly freeBlocks: readonly number[];
  /** 1 - largestFree / freeBytes; 0 where nothing is free. */
  readonly external: number;
  /** 1 - live / bytes in blocks handed out; 0 where nothing is live. */
  readonly internal: number;
  /** Pieces of kind `header`: blocks, or pools in use. */
  readonly headers: number;
  /** Absent for an allocator without placement, a bound. */
  readonly placement?: PlacementShape;
}

/** What the program has asked for up to a look. */
type Asked = Pick<Demand, "live" | "blocks" | "allocated" | "allocations">;

/** 4 KiB whatever the page size of the space: the size that the metric names. */
const FOUR_KIB = 4096;

// An imported constant is looked up at each use (V8 11), a module's own is folded.
const LIVE = Kind.live;
const HEADER = Kind.header;
const FREE = Kind.free;

/** Live bytes of a range in frames that the footprint counts at another page: they lie there on bytes taken for free. */
function liveElsewhere(space: AddressSpace, start: number, end: number): number {
  let bytes = 0;
  for (let at = start; at < end; ) {
    const next = Math.min(end, at - (at % space.pageSize) + space.pageSize);
    const frame = space.frameOf(at);
    if (frame !== at) bytes += space.footprintOf(frame, next - at);
    at = next;
  }
  return bytes;
}

/**
 * Bytes of the footprint of each kind. A page counts as a whole or not at all, so one answer serves its pieces. A frame
 * that several pages show counts once, at the lowest: live bytes on the others are live there as well.
 */
function footprintByKind(map: HeapMap, space: AddressSpace): Float64Array {
  const totals = new Float64Array(kindNames.length);
  const perPage = 1 / space.pageSize;
  let page = -1;
  let counts = false;
  let elsewhere = 0;
  for (let i = 0; i < map.length; i++) {
    const start = map.start[i];
    const bytes = map.bytes[i];
    const first = Math.floor(start * perPage);
    if (start + bytes > (first + 1) * space.pageSize) {
      const counted = space.footprintOf(start, bytes);
      totals[map.kind[i]] += counted;
      if (counted < bytes && map.kind[i] === LIVE) elsewhere += liveElsewhere(space, start, start + bytes);
      continue;
    }
    if (first !== page) {
      page = first;
      counts = space.footprintOf(first * space.pageSize, 1) === 1;
    }
    if (counts) totals[map.kind[i]] += bytes;
    else if (map.kind[i] === LIVE) elsewhere += liveElsewhere(space, start, start + bytes);
  }
  totals[LIVE] += elsewhere;
  totals[FREE] -= elsewhere;
  return totals;
}

/**
 * Describes a walked heap. `map` is the walk of the allocator in `space` at this moment; `placeless` as its spec says.
 */
export function snapshot(
  map: HeapMap,
  space: AddressSpace,
  demand: Asked,
  event: number,
  label: string,
  placeless = false,
): Snapshot {
  const inFootprint = footprintByKind(map, space);
  let handedOut = 0;
  let headers = 0;
  for (let i = 0; i < map.length; i++) {
    const kind = map.kind[i];
    if (kind === LIVE) handedOut += map.bytes[i];
    else if (kind === HEADER) headers++;
  }
  // Payload asked for is always resident, so what is left of the blocks' resident bytes is rounding and slack.
  inFootprint[Kind.padding] += inFootprint[LIVE] - demand.live;
  inFootprint[LIVE] = demand.live;
  const meanSize = demand.allocations > 0 ? demand.allocated / demand.allocations : 0;
  const free = freeShape(map, [FOUR_KIB, meanSize]);
  const [availableFor4K, availableForMean] = free.available;
  return {
    event,
    label,
    allocated: demand.allocated,
    live: demand.live,
    liveBlocks: demand.blocks,
    footprint: space.footprint,
    mapped: space.mapped,
    resident: space.resident,
    meta: space.footprint - space.resident,
    kinds: Object.fromEntries(kindNames.map((name, k) => [name, inFootprint[k]])) as Record<KindName, number>,
    freeBytes: free.bytes,
    freeRuns: free.runs,
    largestFree: free.largest,
    freeBlocks: freeBlocks(map, space.pageSize),
    external: free.bytes > 0 ? 1 - free.largest / free.bytes : 0,
    internal: handedOut > 0 ? 1 - demand.live / handedOut : 0,
    headers,
    ...(placeless ? {} : { placement: { ...heapExtent(map), availableFor4K, availableForMean } }),
  };
}
