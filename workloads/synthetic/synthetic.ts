import { InputError } from "../../memory/errors.js";
import { power } from "../../memory/exact-math.js";
import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { randomFor } from "../../memory/random.js";
import { eventsOption } from "../events-option.js";
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
  events: eventsOption,
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
  /** Births until the ramp is over. */
  readonly settled: number;
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
    settled: Math.max(given.live, Math.ceil((ramp + given.live) / 2)),
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
    } else if (live === 0 || !(phase === 1 ? victims.due(steps, live, given.live) : live >= plan.wanted(now))) {
      // Of the births on the ramp as many are residents as are live when it is over.
      const resident = steps < plan.settled && random.double() * plan.settled < given.live;
      const size = (resident ? victims.residents : sizes).draw(random);
      victims.add(builder.allocate(size), size, steps++, plan.settled, resident);
      live++;
    } else {
      builder.free(victims.take());
      live--;
    }
  }
  return builder.build();
}

/**
 * A heap of any sizes, lifetimes and phases. Lifetimes are drawn at birth and counted in births; in the steady state each birth
 * is preceded by the deaths that are due, so that by Little's law `live` blocks are live in the mean (exactly so for the
 * orders `random`, `fifo` and `lifo`, which have no lifetimes). Ramp and drain fix the number of live blocks instead, and the
 * block due first dies first. The ramp makes the blocks of the steady state with the rest of life that such blocks have, so
 * that it is steady from the start.
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
