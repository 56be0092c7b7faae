import { InputError } from "../memory/errors.js";
import { defaultsOf, type OptionTable } from "../memory/options.js";
import { type Random, randomFor } from "../memory/random.js";
import { type Distribution, exponential, mixture, pareto, point } from "./distributions.js";
import { eventsOption } from "./events-option.js";
import { type SizeMix, sizeMix, sizeMixNames } from "./size-mixes.js";
import type { Trace } from "./trace.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

/** Lifetime distributions with a mean of `live` allocations, so that by Little's law `live` blocks are live. */
const lifetimes = {
  exponential: (live: number) => exponential(live),
  fixed: (live: number) => point(live),
  /** 90 % die young, 9 % live 50 times and 1 % 2000 times as long (the generational hypothesis). */
  generations: (live: number) => {
    const young = live / (0.9 + 0.09 * 50 + 0.01 * 2000);
    return mixture([
      [0.9, exponential(Math.max(1, young))],
      [0.09, exponential(Math.max(1, 50 * young))],
      [0.01, exponential(Math.max(1, 2000 * young))],
    ]);
  },
  /** Three decades of equal weight: shape 1, whose mean is low * ln 1000 / (1 - 1/1000). */
  "heavy-tail": (live: number) => {
    const low = Math.max(1, live / 6.914669948931059);
    return pareto(1, low, 1000 * low);
  },
} as const;

export interface ChurnOptions {
  events: number;
  live: number;
  sizes: SizeMix;
  victims: "random" | keyof typeof lifetimes;
}

const options: OptionTable<ChurnOptions> = {
  events: eventsOption,
  live: { kind: "integer", min: 1, max: 1e7, default: 20_000, help: "blocks live in the steady state" },
  sizes: { kind: "choice", values: sizeMixNames, default: "small", help: "mix of block sizes" },
  victims: {
    kind: "choice",
    values: ["random", ...Object.keys(lifetimes)],
    default: "random",
    help: "which block dies: any with the same chance, or at the end of a lifetime of this kind",
  },
};

/** Each step frees a block, any with the same chance, and allocates another. All slots are live between steps. */
function replaceAtRandom(builder: TraceBuilder, random: Random, sizes: Distribution, given: ChurnOptions): void {
  while (builder.length < given.events) {
    builder.free(random.below(given.live));
    if (builder.length < given.events) builder.allocate(sizes.draw(random));
  }
}

/** Blocks wait for their death in a list for each step; those of one step die in the order of birth, youngest first. */
class Deaths {
  private readonly first: Int32Array;
  private readonly next: Int32Array;

  constructor(steps: number, slots: number) {
    this.first = new Int32Array(steps).fill(-1);
    this.next = new Int32Array(slots);
  }

  /** A death behind the last step never comes. */
  schedule(slot: number, step: number): void {
    if (step >= this.first.length) return;
    this.next[slot] = this.first[step];
    this.first[step] = slot;
  }

  /** The next block that dies at a step, or -1. */
  take(step: number): number {
    const slot = this.first[step];
    if (slot >= 0) this.first[step] = this.next[slot];
    return slot;
  }
}

/** Each step frees the blocks whose time has come and allocates one. */
function replaceByLifetime(builder: TraceBuilder, random: Random, sizes: Distribution, given: ChurnOptions): void {
  const kind = given.victims as keyof typeof lifetimes;
  const lifetime: Distribution = lifetimes[kind](given.live);
  const deaths = new Deaths(given.events, given.events);
  for (let step = 0; builder.length < given.events; step++) {
    if (step === given.live) builder.phase("churn");
    for (let slot = deaths.take(step); slot >= 0 && builder.length < given.events; slot = deaths.take(step)) {
      builder.free(slot);
    }
    if (builder.length < given.events) {
      deaths.schedule(builder.allocate(sizes.draw(random)), step + lifetime.draw(random));
    }
  }
}

function generate(seed: number, given: ChurnOptions): Trace {
  const random = randomFor("churn", seed);
  const builder = new TraceBuilder("churn");
  const sizes = sizeMix(given.sizes);
  if (given.events < given.live + 3) {
    throw new InputError(
      `churn: option events: ${given.events} events do not fill ${given.live} blocks: raise it, or lower live`,
    );
  }
  builder.phase("fill");
  if (given.victims !== "random") replaceByLifetime(builder, random, sizes, given);
  else {
    for (let i = 0; i < given.live; i++) builder.allocate(sizes.draw(random));
    builder.phase("churn");
    replaceAtRandom(builder, random, sizes, given);
  }
  return builder.build();
}

/**
 * Steady state: `live` blocks, and from then on each new block takes the place of another. The basis of the average-case theory
 * (Knuth's fifty-percent rule), not a likeness of a real program.
 */
export const churn: WorkloadSpec<ChurnOptions> = {
  name: "churn",
  title: "Steady-state churn",
  source: "Knuth, The Art of Computer Programming 1, section 2.5; Shore, CACM 18(8), 1975",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { victims: "exponential" },
    { victims: "fixed", sizes: "uniform" },
    { victims: "generations", sizes: "few" },
    { victims: "heavy-tail", sizes: "mixed" },
  ],
  generate,
};
