/** Where each allocation went: the placements of an allocator on a trace, event by event. */
import {
  type Allocator,
  hasArenas,
  isCompacting,
  isReorganizing,
  none,
  type Ref,
  unlogged,
} from "../allocators/allocator.js";
import { createAddressSpace } from "../memory/address-space.js";
import { alignmentOf, OP_MASK, Op, type Trace } from "../workloads/trace.js";
import type { AllocatorArm } from "./arm.js";
import { fittedOptions } from "./fit.js";
import { reachSafepoint, SEGMENT } from "./safepoint.js";

export interface Placement {
  /** Index of the event in the trace. */
  readonly event: number;
  readonly address: number;
  /** Ordinal of the arena and offset from its base, where the allocator has arenas and the block lies in one. */
  readonly arena?: number;
  readonly offset?: number;
}

function run(allocator: Allocator, trace: Trace, refs: Float64Array, i: number): Ref | undefined {
  const op = trace.op[i];
  const slot = trace.slot[i];
  const ref = refs[slot] as Ref;
  switch (op & OP_MASK) {
    case Op.allocate:
      return op === Op.allocate
        ? allocator.allocate(trace.size[i])
        : allocator.allocate(trace.size[i], alignmentOf(op));
    case Op.reallocate:
      return allocator.reallocate(ref, trace.size[i]);
    case Op.free:
      allocator.free(ref);
      return undefined;
    case Op.pin:
      if (isCompacting(allocator)) allocator.pin(ref);
      return undefined;
    case Op.unpin:
      if (isCompacting(allocator)) allocator.unpin(ref);
      return undefined;
    default:
      return undefined;
  }
}

/**
 * Placements in order, one for each allocate or reallocate; safepoints are where a session has them. Ends early, with
 * the return value `exhausted`, at the first event that found no memory.
 */
export function* placements(
  arm: AllocatorArm,
  trace: Trace,
  limit?: number,
): Generator<Placement, "completed" | "exhausted"> {
  const space = createAddressSpace(limit);
  const allocator = arm.spec.create(space, fittedOptions(arm.spec, arm.options, trace));
  const refs = new Float64Array(trace.slots);
  for (let i = 0; i < trace.length; i++) {
    let ref = run(allocator, trace, refs, i);
    if (ref === none && isReorganizing(allocator)) {
      allocator.compact(Number.POSITIVE_INFINITY, unlogged);
      ref = run(allocator, trace, refs, i);
    }
    if (ref === none) return "exhausted";
    if (ref !== undefined) {
      refs[trace.slot[i]] = ref;
      const place = hasArenas(allocator) ? allocator.placementOf(ref) : undefined;
      yield { event: i, address: allocator.addressOf(ref), ...place };
    }
    if ((i + 1) % SEGMENT === 0) reachSafepoint(allocator, i + 1);
    space.log.clear();
  }
  return "completed";
}
