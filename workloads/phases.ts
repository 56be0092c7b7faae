import { grown } from "../memory/columns.js";
import { power } from "../memory/exact-math.js";
import { defaultsOf, type OptionTable } from "../memory/options.js";
import { type Random, randomFor } from "../memory/random.js";
import { type Distribution, logNormal } from "./distributions.js";
import { eventsOption } from "./events-option.js";
import { SlotBag } from "./slot-bag.js";
import type { Trace } from "./trace.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

export interface PhasesOptions {
  events: number;
  live: number;
  phases: number;
  survivors: number;
  age: number;
  smallest: number;
  growth: number;
  cycle: number;
}

const options: OptionTable<PhasesOptions> = {
  events: { ...eventsOption, default: 750_000 },
  live: { kind: "bytes", min: 4096, max: 1_099_511_627_776, default: 2_097_152, help: "bytes live in every phase" },
  phases: { kind: "integer", min: 1, max: 10_000, default: 6, help: "phases, each with an equal share of the events" },
  survivors: { kind: "number", min: 0, max: 1, default: 0.1, help: "chance of a block to outlive its phase" },
  age: { kind: "integer", min: 1, max: 10_000, default: 3, help: "further phases that a survivor outlives" },
  smallest: { kind: "bytes", min: 8, max: 65536, default: 48, help: "median size in the first phase" },
  growth: { kind: "number", min: 1, max: 16, default: 1.5, help: "factor from a phase's median size to the next" },
  cycle: { kind: "integer", min: 1, max: 64, default: 6, help: "phases until the first median comes again" },
};

/** Spread of the sizes of a phase about their median, in natural logarithms: most within a third. */
const SIGMA = 0.25;
const LARGEST = 262_144;

/** Sizes of a phase: log-normal, within a factor of three of the median. */
function sizesOf(phase: number, given: PhasesOptions): Distribution {
  const wanted = given.smallest * power(given.growth, phase % given.cycle);
  const median = Math.min(LARGEST, Math.round(wanted));
  return logNormal(median, SIGMA, Math.max(1, Math.floor(median / 3)), median * 3);
}

/** The program between its phases. */
class PhasedHeap {
  private readonly builder: TraceBuilder;
  private readonly random: Random;
  private readonly events: number;
  /** Size of the block in each slot. */
  private sizes = new Float64Array(4096);
  private liveBytes = 0;
  /** Blocks of this phase, and the survivors of those before, oldest first. */
  private young = new SlotBag();
  private readonly old: SlotBag[] = [];

  constructor(builder: TraceBuilder, random: Random, events: number) {
    this.builder = builder;
    this.random = random;
    this.events = events;
  }

  /** Fills up to `live` bytes and then replaces random blocks of this phase until so many events are over. */
  run(sizes: Distribution, live: number, until: number): void {
    const end = Math.min(until, this.events);
    let size = sizes.draw(this.random);
    while (this.builder.length < end) {
      if (this.liveBytes + size <= live) {
        this.allocate(size);
        size = sizes.draw(this.random);
      } else if (this.young.size > 0) this.free(this.young.takeAny(this.random));
      else return; // survivors alone fill the heap
    }
  }

  /** Most blocks of this phase die, in random order, and the survivors of the phase `age` phases ago. */
  end(survivors: number, age: number): void {
    const kept = new SlotBag();
    while (this.young.size > 0 && this.builder.length < this.events) {
      const slot = this.young.takeAny(this.random);
      if (this.random.double() < survivors) kept.add(slot);
      else this.free(slot);
    }
    this.young = new SlotBag();
    this.old.push(kept);
    const dying = this.old.length > age ? this.old.shift() : undefined;
    while (dying !== undefined && dying.size > 0 && this.builder.length < this.events) {
      this.free(dying.takeAny(this.random));
    }
  }

  private allocate(size: number): void {
    const slot = this.builder.allocate(size);
    if (slot >= this.sizes.length) {
      this.sizes = grown(this.sizes, 2 * slot);
    }
    this.sizes[slot] = size;
    this.liveBytes += size;
    this.young.add(slot);
  }

  private free(slot: number): void {
    this.builder.free(slot);
    this.liveBytes -= this.sizes[slot];
  }
}

function generate(seed: number, given: PhasesOptions): Trace {
  const builder = new TraceBuilder("phases");
  const heap = new PhasedHeap(builder, randomFor("phases", seed), given.events);
  for (let phase = 0; phase < given.phases && builder.length < given.events; phase++) {
    builder.phase(`phase ${phase}`);
    heap.run(sizesOf(phase, given), given.live, Math.floor(((phase + 1) * given.events) / given.phases));
    heap.end(given.survivors, given.age);
  }
  return builder.build();
}

/**
 * Phases that all need the same memory but other sizes: the survivors of a phase lie strewn between the holes that it leaves, and
 * those do not fit the blocks of the next. The footprint grows although the demand does not: the classic maker of fragmentation.
 */
export const phases: WorkloadSpec<PhasesOptions> = {
  name: "phases",
  title: "Phases with changing sizes",
  source: "Wilson, Johnstone, Neely & Boles, Dynamic Storage Allocation, IWMM 1995: phase behaviour of programs",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [{ growth: 1 }, { survivors: 0.3, age: 1 }, { phases: 12, cycle: 2, live: 1024 * 1024 }],
  generate,
};
