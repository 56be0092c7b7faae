import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { randomFor } from "../../memory/random.js";
import { exponential } from "../distributions.js";
import { eventsOption } from "../events-option.js";
import { type SizeMix, sizeMix, sizeMixNames } from "../size-mixes.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import type { WorkloadSpec } from "../workload.js";

export interface GcSurvivorsOptions {
  events: number;
  lifetime: number;
  nursery: number;
  major: number;
  sizes: SizeMix;
}

const options: OptionTable<GcSurvivorsOptions> = {
  events: eventsOption,
  lifetime: { kind: "number", min: 1, max: 1e8, default: 10_000, help: "mean lifetime in allocations, exponential" },
  nursery: { kind: "integer", min: 1, max: 1e8, default: 20_000, help: "allocations from one collection to the next" },
  major: {
    kind: "integer",
    min: 1,
    max: 1000,
    default: 4,
    help: "every so many collections one looks at old objects too",
  },
  sizes: { kind: "choice", values: sizeMixNames, default: "small", help: "mix of object sizes" },
};

/** An object until it is swept: its slot, and the number of the allocation at which it becomes unreachable. */
interface Objects {
  readonly slots: number[];
  readonly deaths: number[];
}

const none = (): Objects => ({ slots: [], deaths: [] });

function generate(seed: number, given: GcSurvivorsOptions): Trace {
  const random = randomFor("gc-survivors", seed);
  const builder = new TraceBuilder("gc-survivors");
  const sizes = sizeMix(given.sizes);
  const lifetimes = exponential(given.lifetime);
  let old = none();
  let young = none();
  let now = 0;
  const over = (): boolean => builder.length >= given.events;

  /** Frees what is dead, in the order of birth as a sweep does; the living become old. */
  const sweep = (objects: Objects, survivors: Objects): void => {
    objects.slots.forEach((slot, i) => {
      if (objects.deaths[i] > now) {
        survivors.slots.push(slot);
        survivors.deaths.push(objects.deaths[i]);
      } else if (!over()) builder.free(slot);
    });
  };

  builder.phase("mutate");
  for (let collection = 1; !over(); collection++) {
    for (let i = 0; i < given.nursery && !over(); i++) {
      young.slots.push(builder.allocate(sizes.draw(random)));
      young.deaths.push(now++ + lifetimes.draw(random));
    }
    if (over()) break;
    const major = collection % given.major === 0;
    builder.phase(major ? "major collection" : "minor collection");
    const survivors = major ? none() : old;
    if (major) sweep(old, survivors);
    sweep(young, survivors);
    old = survivors;
    young = none();
    if (!over()) builder.phase("mutate");
  }
  return builder.build();
}

/**
 * What a heap under a mark-sweep collector with sticky marks sees: nothing is freed until a collection, then all that died
 * since, in the order of birth. A minor collection frees young objects only, so what died old waits for a major one. Of
 * lifetime m and nursery T, a share (m - 1) (1 - (1 - 1/m)^T) / T of the young survives.
 */
export const gcSurvivors: WorkloadSpec<GcSurvivorsOptions> = {
  name: "gc-survivors",
  title: "Sweeps of a garbage collector",
  source: "Demers et al., Combining generational and conservative garbage collection, POPL 1990 (sticky marks)",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { major: 1 },
    { lifetime: 500, nursery: 5000, sizes: "few" },
    { lifetime: 30_000, nursery: 10_000, major: 8 },
  ],
  generate,
};
