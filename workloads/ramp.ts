import { InputError } from "../memory/errors.js";
import { defaultsOf, type OptionTable } from "../memory/options.js";
import { randomFor } from "../memory/random.js";
import { eventsOption } from "./events-option.js";
import { SlotBag } from "./slot-bag.js";
import type { Trace } from "./trace.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

export interface RampOptions {
  events: number;
  live: number;
  freed: number;
  band: number;
  bands: number;
}

const options: OptionTable<RampOptions> = {
  events: eventsOption,
  live: { kind: "integer", min: 1, max: 1e7, default: 50_000, help: "blocks live at each peak" },
  freed: {
    kind: "number",
    min: 0,
    max: 1,
    default: 0.95,
    help: "share of the blocks, chosen at random, freed at a peak",
  },
  band: { kind: "bytes", min: 1, max: 1_048_576, default: 64, help: "width of a band of sizes" },
  bands: {
    kind: "integer",
    min: 1,
    max: 1024,
    default: 8,
    help: "bands, from the smallest sizes up, before the first comes again",
  },
};

function generate(seed: number, given: RampOptions): Trace {
  const random = randomFor("ramp", seed);
  const builder = new TraceBuilder("ramp");
  const blocks = new SlotBag();
  const kept = given.live - Math.round(given.live * given.freed);
  if (kept === given.live)
    throw new InputError(`ramp: option freed: ${given.freed} of ${given.live} blocks is none: raise it`);
  for (let round = 0; builder.length < given.events; round++) {
    const band = round % given.bands;
    const smallest = band * given.band + 1;
    builder.phase(`grow ${band}`);
    while (blocks.size < given.live && builder.length < given.events) {
      blocks.add(builder.allocate(smallest + random.below(given.band)));
    }
    if (builder.length === given.events) break;
    builder.phase(`shrink ${band}`);
    while (blocks.size > kept && builder.length < given.events) builder.free(blocks.takeAny(random));
  }
  return builder.build();
}

/**
 * Grows to a peak, frees a random share of all blocks and grows again with the next band of sizes. What survives is
 * strewn over the heap: an allocator that returns whole pools or arenas shows here whether it can.
 */
export const ramp: WorkloadSpec<RampOptions> = {
  name: "ramp",
  title: "Ramps with changing sizes",
  source: "Powers et al., Mesh, PLDI 2019: the Ruby test (fill, keep a random share, fill with longer strings)",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [{ freed: 0.5 }, { live: 5000, bands: 2, band: 16 }],
  generate,
};
