import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { randomFor } from "../../memory/random.js";
import { OP_MASK, Op } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { TraceCopy } from "../trace-copy.js";
import type { ModifierSpec } from "./modifier.js";

export interface PinnedOptions {
  share: number;
  hold: number;
}

const options: OptionTable<PinnedOptions> = {
  share: { kind: "number", min: 0, max: 1, default: 0.01, help: "chance of each block to be pinned at birth" },
  hold: {
    kind: "integer",
    min: 0,
    max: 1e9,
    default: 0,
    help: "events until the pin is taken back; 0: as long as it lives",
  },
};

/**
 * Some blocks must not move, because their raw address has escaped: to a system call, a C extension, a device. Each block is
 * pinned at birth with one chance, for life or for a number of events.
 */
export const pinned: ModifierSpec<PinnedOptions> = {
  name: "pinned",
  title: "with pinned blocks",
  source: "Wanninger et al., Alaska, ASPLOS 2024 (pin sets); the share is a factor, not a measurement",
  options,
  defaults: defaultsOf(options),
  apply(trace, seed, given) {
    const random = randomFor("pinned", seed);
    const builder = new TraceBuilder(trace.name);
    const copy = new TraceCopy(trace, builder);
    /** Births in each slot of the copy: a pin is taken back from the block that it was put on, or not at all. */
    const births = new Uint32Array(trace.slots);
    const waiting: { readonly due: number; readonly slot: number; readonly birth: number }[] = [];
    let first = 0;
    for (let i = 0; i < trace.length; i++) {
      for (; first < waiting.length && waiting[first].due <= i; first++) {
        const { slot, birth } = waiting[first];
        if (births[slot] === birth && builder.pinsOf(slot) > 0) builder.unpin(slot);
      }
      copy.event(i);
      const code = trace.op[i] & OP_MASK;
      const slot = code === Op.allocate || code === Op.free ? copy.slotOf(trace.slot[i]) : -1;
      if (slot >= 0) births[slot]++;
      if (code !== Op.allocate || random.double() >= given.share) continue;
      builder.pin(slot);
      if (given.hold > 0) waiting.push({ due: i + 1 + given.hold, slot, birth: births[slot] });
    }
    return builder.build();
  },
};
