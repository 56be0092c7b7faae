import { OP_MASK, Op, type Trace } from "./trace.js";

/** Bytes live in the course of a trace. */
export interface LiveBytes {
  readonly peak: number;
  /** After each of the events asked for. */
  readonly at: Float64Array;
}

/** The peak of live bytes, and the live bytes after the first n events for each n of `moments`, which ascend. */
export function liveBytesOf(trace: Trace, moments: ArrayLike<number> = []): LiveBytes {
  const sizes = new Float64Array(trace.slots);
  const at = new Float64Array(moments.length);
  let live = 0;
  let peak = 0;
  let next = 0;
  for (let i = 0; i < trace.length; i++) {
    for (; next < at.length && moments[next] <= i; next++) at[next] = live;
    const code = trace.op[i] & OP_MASK;
    const slot = trace.slot[i];
    if (code === Op.free) live -= sizes[slot];
    else if (code === Op.allocate || code === Op.reallocate) {
      // A block that is allocated has no bytes yet, whatever its slot held before.
      live += code === Op.allocate ? trace.size[i] : trace.size[i] - sizes[slot];
      sizes[slot] = trace.size[i];
      if (live > peak) peak = live;
    }
  }
  at.fill(live, next);
  return { peak, at };
}
