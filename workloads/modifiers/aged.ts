import { InputError } from "../../memory/errors.js";
import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { type Random, randomFor } from "../../memory/random.js";
import { type Distribution, exponential } from "../distributions.js";
import { liveBytesOf } from "../live-bytes.js";
import { type SizeMix, sizeMix, sizeMixNames } from "../size-mixes.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { TraceCopy } from "../trace-copy.js";
import type { ModifierSpec } from "./modifier.js";

export interface AgedOptions {
  occupancy: number;
  litter: "own" | SizeMix;
  run: number;
  room: number;
}

const options: OptionTable<AgedOptions> = {
  occupancy: {
    kind: "number",
    min: 0.01,
    max: 0.95,
    default: 0.5,
    help: "share of the old heap's bytes that are live",
  },
  litter: {
    kind: "choice",
    values: ["own", ...sizeMixNames],
    default: "own",
    help: "sizes of the litter: those of the workload's own allocations, or a mix",
  },
  run: {
    kind: "number",
    min: 1,
    max: 1e6,
    default: 1,
    help: "mean number of neighbours in age that live or die together",
  },
  room: {
    kind: "number",
    min: 0,
    max: 1000,
    default: 1,
    help: "bytes free between the litter, as a multiple of the most that the workload has live",
  },
};

/** Sizes of allocations of the trace, each as often as it occurs. */
function ownSizes(trace: Trace): Distribution {
  const sizes = trace.size.filter((_, i) => (trace.op[i] & OP_MASK) === Op.allocate);
  if (sizes.length === 0) throw new InputError(`aged: ${trace.name} allocates nothing: name a mix with litter=`);
  return { draw: (random) => sizes[random.below(sizes.length)] };
}

/** Frees blocks in random order. */
function freeAll(builder: TraceBuilder, slots: number[], random: Random): void {
  for (let left = slots.length; left > 0; left--) {
    const at = random.below(left);
    builder.free(slots[at]);
    slots[at] = slots[left - 1];
  }
}

/** Litter: fills a heap, then frees all but a share of it. */
function litter(builder: TraceBuilder, random: Random, sizes: Distribution, bytes: number, given: AgedOptions): void {
  const runs = exponential(given.run);
  const dead: number[] = [];
  builder.phase("litter");
  let left = 0;
  let lives = false;
  for (let filled = 0; filled < bytes; left--) {
    if (left === 0) {
      left = runs.draw(random);
      lives = random.double() < given.occupancy;
    }
    const size = sizes.draw(random);
    const slot = builder.allocate(size);
    // Blocks of no bytes take room too.
    filled += Math.max(1, size);
    if (!lives) dead.push(slot);
  }
  freeAll(builder, dead, random);
  builder.phase("aged");
}

/**
 * The workload on a heap that was used before: it was filled, and a random share `1 - occupancy` freed again, in random order.
 * The rest stays for ever. The old heap is as large as needed for its free bytes to hold the whole workload: whatever the
 * footprint grows beyond it is the price of holes that do not fit. How much that is depends on the allocator, which may also
 * give pages back that happen to be empty.
 */
export const aged: ModifierSpec<AgedOptions> = {
  name: "aged",
  title: "on a littered heap",
  source:
    "Powers et al., Mesh, PLDI 2019, Ruby test (fill, keep a random share); the ageing of file systems, Smith & Seltzer, SIGMETRICS 1997",
  options,
  defaults: defaultsOf(options),
  apply(trace, seed, given) {
    const random = randomFor("aged", seed);
    const builder = new TraceBuilder(trace.name);
    const sizes = given.litter === "own" ? ownSizes(trace) : sizeMix(given.litter);
    const room = liveBytesOf(trace).peak * given.room;
    litter(builder, random, sizes, Math.max(1, room / (1 - given.occupancy)), given);
    const copy = new TraceCopy(trace, builder);
    for (let i = 0; i < trace.length; i++) copy.event(i);
    return builder.build();
  },
};
