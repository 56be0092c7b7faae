import { defaultsOf, type OptionTable } from "../memory/options.js";
import { randomFor } from "../memory/random.js";
import { type SizeMix, sizeMix, sizeMixNames } from "./size-mixes.js";
import { SlotBag } from "./slot-bag.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

/** Options of `drain`. */
export interface DrainOptions {
  live: number;
  left: number;
  turnovers: number;
  sizes: SizeMix;
}

const options: OptionTable<DrainOptions> = {
  live: { kind: "integer", min: 1, max: 1e7, default: 50_000, help: "blocks live at the peak" },
  left: { kind: "number", min: 0, max: 1, default: 0.05, help: "share of them left after the drain" },
  turnovers: { kind: "number", min: 0, max: 1e6, default: 20, help: "times that what is left is replaced in the end" },
  sizes: { kind: "choice", values: sizeMixNames, default: "small", help: "mix of block sizes" },
};

/**
 * A peak, a drain of blocks chosen at random, and a long life of what is left, block for block replaced at random: what a
 * server does after its one busy hour. Structures that are as large as the peak stay so, or do not.
 */
export const drain: WorkloadSpec<DrainOptions> = {
  name: "drain",
  title: "One peak, then a long life at little",
  source: "Wilson, Johnstone, Neely & Boles, Dynamic Storage Allocation, IWMM 1995: a peak, then a plateau below it",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { live: 4000, left: 0.5, turnovers: 2, sizes: "mixed" },
    { live: 1000, left: 0 },
  ],
  generate(seed, given) {
    const random = randomFor("drain", seed);
    const builder = new TraceBuilder("drain");
    const sizes = sizeMix(given.sizes);
    const blocks = new SlotBag();
    const left = Math.round(given.live * given.left);
    builder.phase("fill");
    for (let i = 0; i < given.live; i++) blocks.add(builder.allocate(sizes.draw(random)));
    builder.phase("drain");
    for (let i = given.live; i > left; i--) builder.free(blocks.takeAny(random));
    builder.phase("plateau");
    for (let i = Math.round(left * given.turnovers); i > 0; i--) {
      builder.free(blocks.takeAny(random));
      blocks.add(builder.allocate(sizes.draw(random)));
    }
    return builder.build();
  },
};
