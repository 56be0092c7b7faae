import { Counts, quantilesAt, quantilesOfCounts } from "./quantiles.js";
import { alignmentOf, OP_MASK, Op, type Trace } from "./trace.js";

/** The p-quantile of n values is the least value that at least p n of them do not exceed. */
export interface Quantiles {
  readonly p10: number;
  readonly p25: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

/** How many different sizes occur, and how many of the commonest cover a share of all allocations. */
export interface DistinctSizes {
  readonly all: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
}

/** What a trace asks for; nothing in it depends on an allocator. Bytes are bytes asked for, exact to 2^53. */
export interface TraceSummary {
  readonly name: string;
  readonly digest: string;
  /** All events, marks included. */
  readonly events: number;
  readonly allocations: number;
  readonly reallocations: number;
  readonly frees: number;
  /** Dereferences: the sum of the counts of all access events. */
  readonly accesses: number;
  readonly pins: number;
  readonly phases: number;
  /** Threads that issue at least one event. */
  readonly threads: number;
  /** Allocations that ask for more than the usual alignment. */
  readonly alignedAllocations: number;
  /** Named allocation sites; 0 where the reader knows none. */
  readonly sites: number;
  readonly peakLiveBytes: number;
  /** The first event after which `peakLiveBytes` are live. */
  readonly peakEvent: number;
  readonly peakLiveBlocks: number;
  readonly endLiveBytes: number;
  readonly endLiveBlocks: number;
  /** Sizes of all allocations, and by how much reallocations grew blocks: the clock of `lifetimeBytes`. */
  readonly totalBytes: number;
  /** Of the allocations, as are the quantiles and the number of sizes; 0 where there are none. */
  readonly meanSize: number;
  readonly sizeQuantiles: Quantiles;
  readonly distinctSizes: DistinctSizes;
  /** Events from birth to free, of the blocks that are freed. */
  readonly lifetimeEvents: Quantiles;
  /** Bytes allocated from birth to free, its own included, of the blocks that are freed. */
  readonly lifetimeBytes: Quantiles;
}

const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999] as const;

function named([p10, p25, p50, p75, p90, p99, p999]: readonly number[]): Quantiles {
  return { p10, p25, p50, p75, p90, p99, p999 };
}

function distinctOf(counts: Float64Array): DistinctSizes {
  const commonest = counts.toSorted().reverse();
  const total = counts.reduce((sum, count) => sum + count, 0);
  const covering = (share: number): number => {
    let covered = 0;
    let sizes = 0;
    while (covered < share * total) covered += commonest[sizes++];
    return sizes;
  };
  return { all: commonest.length, p90: covering(0.9), p99: covering(0.99), p999: covering(0.999) };
}

function threadsOf(trace: Trace): number {
  const { at, id } = trace.threads;
  const seen = new Set(id);
  if (trace.length > 0 && (at.length === 0 || at[0] > 0)) seen.add(0);
  return seen.size;
}

/** Live bytes and blocks, and their peaks, over one pass. */
class LiveSet {
  bytes = 0;
  peakBytes = 0;
  peakEvent = 0;
  blocks = 0;
  peakBlocks = 0;
  allocatedBytes = 0;

  change(bytes: number, event: number): void {
    this.bytes += bytes;
    if (bytes > 0) this.allocatedBytes += bytes;
    if (this.bytes <= this.peakBytes) return;
    this.peakBytes = this.bytes;
    this.peakEvent = event;
  }

  born(): void {
    this.blocks++;
    if (this.blocks > this.peakBlocks) this.peakBlocks = this.blocks;
  }
}

/** Walks a trace once, in linear time. */
export function summarise(trace: Trace): TraceSummary {
  const counts = countEvents(trace);
  const sizes = new Counts();
  const lifeEvents = new Float64Array(counts[Op.free]);
  const lifeBytes = new Float64Array(counts[Op.free]);
  const size = new Float64Array(trace.slots);
  const birthEvent = new Float64Array(trace.slots);
  const birthBytes = new Float64Array(trace.slots);
  const live = new LiveSet();
  let births = 0;
  let deaths = 0;
  let accesses = 0;
  let aligned = 0;
  let allSizes = 0;
  for (let event = 0; event < trace.length; event++) {
    const op = trace.op[event];
    const slot = trace.slot[event];
    const bytes = trace.size[event];
    switch (op & OP_MASK) {
      case Op.allocate:
        if (alignmentOf(op) > 0) aligned++;
        birthEvent[slot] = event;
        birthBytes[slot] = live.allocatedBytes;
        births++;
        sizes.add(bytes);
        allSizes += bytes;
        size[slot] = bytes;
        live.born();
        live.change(bytes, event);
        break;
      case Op.reallocate:
        live.change(bytes - size[slot], event);
        size[slot] = bytes;
        break;
      case Op.free:
        lifeEvents[deaths] = event - birthEvent[slot];
        lifeBytes[deaths++] = live.allocatedBytes - birthBytes[slot];
        live.change(-size[slot], event);
        live.blocks--;
        break;
      case Op.access:
        accesses += bytes;
    }
  }
  const sorted = sizes.sorted();
  return {
    name: trace.name,
    digest: trace.digest,
    events: trace.length,
    allocations: births,
    reallocations: counts[Op.reallocate],
    frees: deaths,
    accesses,
    pins: counts[Op.pin],
    phases: counts[Op.phase],
    threads: threadsOf(trace),
    alignedAllocations: aligned,
    sites: trace.sites.names.length,
    peakLiveBytes: live.peakBytes,
    peakEvent: live.peakEvent,
    peakLiveBlocks: live.peakBlocks,
    endLiveBytes: live.bytes,
    endLiveBlocks: live.blocks,
    totalBytes: live.allocatedBytes,
    meanSize: births === 0 ? 0 : allSizes / births,
    sizeQuantiles: named(quantilesOfCounts(sorted, SHARES)),
    distinctSizes: distinctOf(sorted.counts),
    lifetimeEvents: named(quantilesAt(lifeEvents, deaths, SHARES)),
    lifetimeBytes: named(quantilesAt(lifeBytes, deaths, SHARES)),
  };
}

function countEvents(trace: Trace): Uint32Array {
  const counts = new Uint32Array(OP_MASK + 1);
  for (let event = 0; event < trace.length; event++) counts[trace.op[event] & OP_MASK]++;
  return counts;
}
