/** What the program asks for, whatever the allocator: followed from the trace columns alone. */
import { OP_MASK, Op, type Trace } from "../../workloads/trace.js";

type Columns = Pick<Trace, "op" | "slot" | "size" | "slots" | "length">;

/** In place of the size of a block that does not live. */
const DEAD = -1;

/** Live bytes and the allocation clock, event by event. */
export class Demand {
  /** Bytes asked for and not freed. */
  live = 0;
  /** Live blocks. */
  blocks = 0;
  /** Bytes allocated so far: sizes of allocations, and by how much reallocations grew blocks. */
  allocated = 0;
  /** Objects allocated so far. */
  allocations = 0;
  /** Bytes last asked for in each slot; -1 for one whose block was freed. */
  private readonly sizes: Float64Array;
  private readonly trace: Columns;

  constructor(trace: Columns) {
    this.trace = trace;
    this.sizes = new Float64Array(trace.slots).fill(DEAD);
  }

  /** Bytes asked for in a slot; negative where no block lives. */
  sizeOf(slot: number): number {
    return this.sizes[slot];
  }

  /** Takes event `i`, which must follow the last one taken. Returns how far the allocation clock went. */
  take(i: number): number {
    const slot = this.trace.slot[i];
    switch (this.trace.op[i] & OP_MASK) {
      case Op.allocate: {
        const size = this.trace.size[i];
        this.sizes[slot] = size;
        this.live += size;
        this.allocated += size;
        this.blocks++;
        this.allocations++;
        return size;
      }
      case Op.free:
        // A free of what was freed before is the allocator's to count.
        if (this.sizes[slot] === DEAD) return 0;
        this.live -= this.sizes[slot];
        this.blocks--;
        this.sizes[slot] = DEAD;
        return 0;
      case Op.reallocate: {
        if (this.sizes[slot] === DEAD) return 0;
        const growth = this.trace.size[i] - this.sizes[slot];
        this.sizes[slot] += growth;
        this.live += growth;
        if (growth <= 0) return 0;
        this.allocated += growth;
        return growth;
      }
      default:
        return 0;
    }
  }
}

/** Peak of the demand. */
export interface DemandPeak {
  /** Largest live bytes. */
  readonly bytes: number;
  /** First event after which that many were live. */
  readonly event: number;
}

/** The moment of largest demand (t* of Johnstone & Wilson 1998, measure #2). */
export function peakOf(trace: Columns): DemandPeak {
  const demand = new Demand(trace);
  let bytes = 0;
  let event = 0;
  for (let i = 0; i < trace.length; i++) {
    demand.take(i);
    if (demand.live > bytes) {
      bytes = demand.live;
      event = i;
    }
  }
  return { bytes, event };
}
