/** Options that depend on the trace: an allocator whose spec has `fit` is made to measure before a replay. */
import type { AnyAllocatorSpec, SizeDemand } from "../allocators/allocator.js";
import { OP_MASK, Op, type Trace } from "../workloads/trace.js";

/** By size asked for: the events that blocks of that size lived, summed. Blocks that are never freed live to the end. */
export function sizeDemand(trace: Trace): SizeDemand {
  const born = new Float64Array(trace.slots);
  const size = new Float64Array(trace.slots).fill(-1);
  const lived = new Map<number, number>();
  const settle = (slot: number, now: number): void => {
    if (size[slot] >= 0) lived.set(size[slot], (lived.get(size[slot]) ?? 0) + now - born[slot]);
  };
  for (let i = 0; i < trace.length; i++) {
    const op = trace.op[i] & OP_MASK;
    if (op > Op.reallocate) continue;
    const slot = trace.slot[i];
    settle(slot, i);
    born[slot] = i;
    size[slot] = op === Op.free ? -1 : trace.size[i];
  }
  for (let slot = 0; slot < trace.slots; slot++) settle(slot, trace.length);
  const sizes = Float64Array.from(lived.keys()).sort();
  return { size: sizes, weight: Float64Array.from(sizes, (bytes) => lived.get(bytes) ?? 0) };
}

/** The options a trace is replayed with. */
export function fittedOptions<Options extends object>(spec: AnyAllocatorSpec, options: Options, trace: Trace): Options {
  return spec.fit === undefined ? options : spec.fit({ ...spec.defaults, ...options }, () => sizeDemand(trace));
}
