/**
 * The replay loop. V8 shares type feedback among all users of one function, and a loop that has seen five allocator
 * classes takes twice as long, so each class gets a copy of this module of its own: see `replay.ts`.
 */
import { type Allocator, isCompacting, isPhaseAware, none, type Ref } from "../allocators/allocator.js";
import type { FootprintLog } from "../memory/footprint-log.js";
import { alignmentOf, OP_MASK, Op, staleOpOf, type Trace } from "../workloads/trace.js";

// An imported constant is looked up at each use (V8 11), a module's own is folded.
const ALLOCATE = Op.allocate;
const FREE = Op.free;
const NONE = none;

/** How many events ahead a ref is looked at. */
const AHEAD = 4;

/** Keeps V8 from leaving out looks at what nobody asks for. */
const lookedAt = new Float64Array(1);

/** Numbers of a trace event that the loop needs. */
type Columns = Pick<Trace, "op" | "slot" | "size">;

/** The program dereferences a block. */
function access(allocator: Allocator, ref: Ref, times: number): void {
  if (isCompacting(allocator)) allocator.access(ref, times);
  else for (let n = times; n > 0; n--) allocator.addressOf(ref);
}

/** The program does `op` to a block that is gone. What the allocator says to that is not its affair. */
function useStale(allocator: Allocator, op: Op, ref: Ref, size: number): void {
  if (op === Op.free) allocator.free(ref);
  else if (op === Op.reallocate) allocator.reallocate(ref, size);
  else if (op === Op.access) access(allocator, ref, size);
  else if (isCompacting(allocator)) {
    if (op === Op.pin) allocator.pin(ref);
    else if (op === Op.unpin) allocator.unpin(ref);
  }
}

/** Everything but a plain allocate or free. `false` where memory was refused. */
function runRare(allocator: Allocator, trace: Columns, refs: Float64Array, i: number): boolean {
  const op = trace.op[i];
  const slot = trace.slot[i];
  const ref = refs[slot] as Ref;
  switch (op & OP_MASK) {
    case Op.allocate: {
      const made = allocator.allocate(trace.size[i], alignmentOf(op));
      if (made === none) return false;
      refs[slot] = made;
      return true;
    }
    case Op.reallocate: {
      const moved = allocator.reallocate(ref, trace.size[i]);
      if (moved === none) return false;
      refs[slot] = moved;
      return true;
    }
    case Op.access:
      access(allocator, ref, trace.size[i]);
      return true;
    case Op.pin:
      if (isCompacting(allocator)) allocator.pin(ref);
      return true;
    case Op.unpin:
      if (isCompacting(allocator)) allocator.unpin(ref);
      return true;
    case Op.phase:
      if (isPhaseAware(allocator)) allocator.phase(slot);
      return true;
    case Op.stale:
      useStale(allocator, staleOpOf(op), ref, trace.size[i]);
      return true;
    default:
      return true;
  }
}

/**
 * Runs events `from` to `to` (exclusive). `refs` holds the ref of each slot. Returns `to`, or the index of the event
 * that the allocator had no memory for, which has changed nothing.
 */
export function replaySegment(
  allocator: Allocator,
  trace: Columns,
  refs: Float64Array,
  log: FootprintLog,
  from: number,
  to: number,
): number {
  const { op, slot, size } = trace;
  const last = slot.length - 1;
  let sum = 0;
  for (let i = from; i < to; i++) {
    log.now = i;
    // The ref of an event to come is on its way from memory while this one runs: 3 to 10 % with 5e4 live blocks.
    const ahead = slot[i + AHEAD < last ? i + AHEAD : last];
    if (ahead < refs.length) sum += refs[ahead];
    const code = op[i];
    if (code === ALLOCATE) {
      const place = slot[i];
      const ref = allocator.allocate(size[i]);
      if (ref === NONE) return i;
      refs[place] = ref;
    } else if (code === FREE) {
      allocator.free(refs[slot[i]] as Ref);
    } else if (!runRare(allocator, trace, refs, i)) {
      return i;
    }
  }
  lookedAt[0] = sum;
  return to;
}
