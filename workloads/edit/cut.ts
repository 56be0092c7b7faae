import { InputError } from "../../memory/errors.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { TraceCopy } from "../trace-copy.js";

/** Blocks that are live after the first `events` events. */
function inherited(trace: Trace, events: number) {
  const op = new Int16Array(trace.slots).fill(-1);
  const size = new Float64Array(trace.slots);
  const birth = new Float64Array(trace.slots);
  const pins = new Uint32Array(trace.slots);
  for (let i = 0; i < events; i++) {
    const code = trace.op[i] & OP_MASK;
    const slot = trace.slot[i];
    if (code === Op.allocate || code === Op.reallocate) size[slot] = trace.size[i];
    if (code === Op.allocate) {
      op[slot] = trace.op[i];
      birth[slot] = i;
      pins[slot] = 0;
    } else if (code === Op.free) op[slot] = -1;
    else if (code === Op.pin) pins[slot]++;
    else if (code === Op.unpin) pins[slot]--;
  }
  const slots = Array.from(op.keys()).filter((slot) => op[slot] >= 0);
  return { slots: slots.sort((a, b) => birth[a] - birth[b]), op, size, pins };
}

/**
 * Events `from` to `to` (exclusive). What is live at `from` is allocated first, in the order of birth with the size and pins
 * that it has by then, between the marks `inherited` and `cut`; what is live at `to` stays. Throws an `InputError` unless
 * 0 <= from < to <= length.
 */
export function cutTrace(trace: Trace, from: number, to: number): Trace {
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from < to && to <= trace.length)) {
    throw new InputError(
      `${trace.name}: events ${from} to ${to}: expected whole numbers, the first below the second, up to ${trace.length}`,
    );
  }
  const builder = new TraceBuilder(trace.name);
  const copy = new TraceCopy(trace, builder);
  const { slots, op, size, pins } = inherited(trace, from);
  if (slots.length > 0) {
    builder.phase("inherited");
    for (const slot of slots) {
      copy.inherit(slot, op[slot], size[slot]);
      for (let n = pins[slot]; n > 0; n--) builder.pin(copy.slotOf(slot));
    }
    builder.phase("cut");
  }
  for (let i = from; i < to; i++) copy.event(i);
  return builder.build();
}
