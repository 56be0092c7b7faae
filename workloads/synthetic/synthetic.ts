import { InputError } from "../../memory/errors.js";
import { power } from "../../memory/exact-math.js";
import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { randomFor } from "../../memory/random.js";
import { profileNames } from "../profiles/profiles.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import type { WorkloadSpec } from "../workload.js";
import { type SizeOptions, sizeKinds, sizesOf } from "./sizes.js";
import { type LifetimeKind, lifetimeKinds, victimsOf } from "./victims.js";

export interface SyntheticOptions extends SizeOptions {
  events: number;
  live: number;
  lifetimes: LifetimeKind;
  bySize: number;
  ramp: number;
  drain: number;
  shifts: number;
  shift: number;
}

const options: OptionTable<SyntheticOptions> = {
  events: { kind: "integer", min: 1, max: 1e9, default: 500_000, help: "events in all" },
  live: { kind: "integer", min: 1, max: 1e7, default: 20_000, help: "blocks live in the steady state" },
  sizes: { kind: "choice", values: sizeKinds, default: "log-normal", help: "distribution of sizes" },
  size: { kind: "bytes", min: 1, max: 32_768, default: 64, help: "point, mean or median of the sizes" },
  sigma: { kind: "number", min: 0.01, max: 4, default: 0.8, help: "spread of log-normal parts in natural logarithms" },
  zipf: { kind: "number", min: 0, max: 8, default: 1, help: "exponent of sizes=zipf" },
  observed: {
    kind: "choice",
    values: profileNames.tcmalloc,
    default: "beta",
    help: "whose sizes up to 64K sizes=observed and sizes=zipf take, see `tcmalloc`",
  },
  lifetimes: { kind: "choice", values: lifetimeKinds, default: "exponential", help: "which block dies next" },
  bySize: {
    kind: "number",
    min: -4,
    max: 4,
    default: 0,
    help: "exponent with which the mean lifetime grows with the size; below 0 large blocks die young",
  },
  ramp: { kind: "number", min: 0, max: 1, default: 0.1, help: "share of the events in which the heap grows" },
  drain: { kind: "number", min: 0, max: 1, default: 0, help: "share of the events in which it shrinks to nothing" },
  shifts: { kind: "integer", min: 0, max: 1000, default: 0, help: "changes of the sizes within the steady state" },
  shift: { kind: "number", min: 1 / 64, max: 64, default: 1.5, help: "factor on all sizes at each change" },
};

/** Sizes shift up this often before they start over, so that they stay within bounds. */
const SHIFT_CYCLE = 6;

/** Phases as events at which they end, with the course of live blocks between. */
interface Plan {
  readonly ramp: number;
  readonly steady: number;
  /** Live blocks wanted after so many events. */
  wanted(event: number): number;
}

function planOf(given: SyntheticOptions): Plan {
  const ramp = Math.round(given.events * given.ramp);
  const drain = Math.round(given.events * given.drain);
  const steady = given.events - drain;
  if (ramp > steady) {
    throw new InputError(`synthetic: options ramp and drain: ${given.ramp} + ${given.drain} is more than all events`);
  }
  if (drain > 0 && drain < given.live) {
    throw new InputError(
      `synthetic: option drain: ${drain} events do not free ${given.live} blocks: raise drain or events`,
    );
  }
  if (given.events < given.live + 4) {
    throw new InputError(
      `synthetic: option events: ${given.events} events do not fill ${given.live} blocks: raise it, or lower live`,
    );
  }
  return {
    ramp,
    steady,
    wanted: (event) => {
      if (event < ramp) return Math.ceil((given.live * event) / ramp);
      return event < steady ? given.live : Math.ceil((given.live * (given.events - event)) / drain);
    },
  };
}

function generate(seed: number, given: SyntheticOptions): Trace {
  const plan = planOf(given);
  const random = randomFor("synthetic", seed);
  const builder = new TraceBuilder("synthetic");
  let sizes = sizesOf(given, 1);
  const victims = victimsOf(given.lifetimes, given.live, given.bySize, sizes, random);
  const stretch = (plan.steady - plan.ramp) / (given.shifts + 1);
  let shifts = 0;
  let steps = 0;
  let live = 0;
  builder.phase("ramp");
  let phase = 0;
  while (builder.length < given.events) {
    const now = builder.length;
    if (phase === 0 && now >= plan.ramp && live >= given.live) {
      phase = 1;
      builder.phase("steady");
    } else if (phase === 1 && shifts < given.shifts && now >= plan.ramp + (shifts + 1) * stretch && now < plan.steady) {
      sizes = sizesOf(given, power(given.shift, ++shifts % SHIFT_CYCLE));
      builder.phase(`shift ${shifts}`);
    } else if (phase === 1 && now >= plan.steady && given.drain > 0) {
      phase = 2;
      builder.phase("drain");
    } else if (live === 0 || live < plan.wanted(now)) {
      const size = sizes.draw(random);
      victims.add(builder.allocate(size), size, steps++);
      live++;
    } else {
      builder.free(victims.take());
      live--;
    }
  }
  return builder.build();
}

/**
 * A heap of any sizes, lifetimes and phases. The phases fix how many blocks are live after each event; the lifetimes, drawn at
 * birth and counted in births, fix the order of deaths: the block whose time is up first, or is overdue longest, dies. So
 * the number of live blocks is exact, and lifetimes are as drawn but for its fluctuations, which a fixed number rules out.
 */
export const synthetic: WorkloadSpec<SyntheticOptions> = {
  name: "synthetic",
  title: "Any sizes, lifetimes and phases",
  source:
    "Wilson, Johnstone, Neely & Boles, IWMM 1995, section 2 (ramps, peaks, plateaus); Barrett & Zorn, PLDI 1993 (lifetimes)",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { sizes: "point", lifetimes: "lifo" },
    { sizes: "uniform", lifetimes: "fifo", drain: 0.3 },
    { sizes: "bimodal", lifetimes: "generational", shifts: 3 },
    { sizes: "observed", lifetimes: "heavy-tail", live: 5000 },
    { sizes: "zipf", lifetimes: "random", observed: "sigma" },
    { bySize: -1, live: 5000 },
  ],
  generate,
};
