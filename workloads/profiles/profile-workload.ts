/** Workloads from the published size profiles of Google's servers. */

import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { type Random, randomFor } from "../../memory/random.js";
import { AliasTable } from "../distributions.js";
import { eventsOption } from "../events-option.js";
import { SlotBag } from "../slot-bag.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import type { WorkloadSpec } from "../workload.js";
import { cutProfile, profileNamed, profileNames, type SizeProfile } from "./profiles.js";
import { ChangingWeights } from "./weights.js";

export interface ProfileOptions {
  profile: string;
  events: number;
  heap: number;
  largest: number;
}

function optionsOf(profiles: readonly string[], first: string): OptionTable<ProfileOptions> {
  return {
    profile: { kind: "choice", values: profiles, default: first, help: "which of the published programs" },
    events: eventsOption,
    heap: {
      kind: "bytes",
      min: 65_536,
      max: 1_099_511_627_776,
      default: 16_777_216,
      help: "bytes live in the steady state",
    },
    largest: {
      kind: "bytes",
      min: 16,
      max: Number.POSITIVE_INFINITY,
      default: 262_144,
      help: "sizes above are left out; 256K is where TCMalloc's size classes end",
    },
  };
}

/** The live blocks of each size, and which of them dies next. */
class Population {
  private readonly blocks: readonly SlotBag[];
  /** Death rate of one block of each size, and of all live blocks of it. */
  private readonly rate: Float64Array;
  private readonly deaths: ChangingWeights;

  constructor(rate: Float64Array) {
    this.rate = rate;
    this.blocks = Array.from(rate, () => new SlotBag(8));
    this.deaths = new ChangingWeights(rate.length);
  }

  get deathRate(): number {
    return this.deaths.total;
  }

  add(size: number, slot: number): void {
    this.blocks[size].add(slot);
    this.settle(size);
  }

  take(random: Random): number {
    const size = this.deaths.draw(random);
    const slot = this.blocks[size].takeAny(random);
    this.settle(size);
    return slot;
  }

  private settle(size: number): void {
    this.deaths.set(size, this.blocks[size].size * this.rate[size]);
  }
}

/** Sum of the products of two columns. */
function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function generateFrom(name: string, seed: number, profile: SizeProfile, given: ProfileOptions): Trace {
  const random = randomFor(name, seed);
  const builder = new TraceBuilder(`${name}-${given.profile}`);
  const { sizes, rates, live } = profile;
  // By Little's law a block of a size with `n` live and births at rate `r` dies at rate r/n.
  const scale = given.heap / dot(sizes, live);
  const population = new Population(rates.map((rate, i) => rate / (live[i] * scale)));
  const born = new AliasTable(rates);
  const present = new AliasTable(live);
  const births = rates.reduce((sum, rate) => sum + rate, 0);
  builder.phase("fill");
  for (let bytes = 0; bytes < given.heap && builder.length < given.events; ) {
    const i = present.draw(random);
    bytes += sizes[i];
    population.add(i, builder.allocate(sizes[i]));
  }
  if (builder.length < given.events) builder.phase("steady");
  while (builder.length < given.events) {
    if (random.double() * (births + population.deathRate) < births) {
      const i = born.draw(random);
      population.add(i, builder.allocate(sizes[i]));
    } else builder.free(population.take(random));
  }
  return builder.build();
}

function profileWorkload(
  name: keyof typeof profileNames,
  facts: Pick<WorkloadSpec<ProfileOptions>, "title" | "source"> & {
    readonly variants: readonly Partial<ProfileOptions>[];
  },
): WorkloadSpec<ProfileOptions> {
  const options = optionsOf(profileNames[name], profileNames[name][0]);
  return {
    name,
    ...facts,
    seeded: true,
    options,
    defaults: defaultsOf(options),
    generate: (seed, given) =>
      generateFrom(name, seed, cutProfile(profileNamed(name, given.profile), given.largest), given),
  };
}

/**
 * Programs of Google's fleet as TCMalloc's benchmark models them: for each size a rate of births and a number of live
 * blocks, from which follows the mean lifetime; lifetimes are exponential, and which block of a size dies is chance. The heap
 * starts in its steady state. There is no correlation in time, no phase, no realloc and no thread; `largest` leaves out blocks
 * (up to 2e-4 of all requests, by profile) that would be larger than a heap of this size.
 */
export const tcmalloc = profileWorkload("tcmalloc", {
  title: "Google servers, published 2020 and 2021",
  source: "google/tcmalloc, testing/empirical_distributions.cc, before its removal on 2022-10-19 (Apache-2.0)",
  variants: [
    { profile: "sigma", heap: 4 * 1024 * 1024 },
    { profile: "uniform", largest: 512, heap: 1024 * 1024 },
  ],
});

/** The same model on the profiles that fleetbench published with data of 2022; see `tcmalloc`. */
export const fleetbench = profileWorkload("fleetbench", {
  title: "Google servers, data of 2022",
  source: "google/fleetbench, fleetbench/tcmalloc/distributions, commit 703e5e5 (Apache-2.0)",
  variants: [{ profile: "3", heap: 4 * 1024 * 1024 }],
});
