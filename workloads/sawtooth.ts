import { defaultsOf, type OptionTable } from "../memory/options.js";
import { type Random, randomFor } from "../memory/random.js";
import { eventsOption } from "./events-option.js";
import { type SizeMix, sizeMix, sizeMixNames } from "./size-mixes.js";
import { SlotBag } from "./slot-bag.js";
import type { Trace } from "./trace.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

const orders = ["forward", "backward", "random"] as const;

export interface SawtoothOptions {
  events: number;
  live: number;
  survivors: number;
  teeth: number;
  order: (typeof orders)[number];
  sizes: SizeMix;
}

const options: OptionTable<SawtoothOptions> = {
  events: eventsOption,
  live: { kind: "integer", min: 1, max: 1e7, default: 20_000, help: "blocks allocated in each tooth" },
  survivors: { kind: "number", min: 0, max: 1, default: 0.05, help: "chance of a block to outlive its tooth" },
  teeth: { kind: "integer", min: 1, max: 1e6, default: 4, help: "teeth that a survivor outlives" },
  order: {
    kind: "choice",
    values: orders,
    default: "forward",
    help: "order of the frees: as allocated, the reverse, random",
  },
  sizes: { kind: "choice", values: sizeMixNames, default: "small", help: "mix of block sizes" },
};

/** The blocks of one tooth in the order in which they die. */
function dyingOrder(slots: Uint32Array, order: SawtoothOptions["order"], random: Random): Uint32Array {
  if (order === "backward") slots.reverse();
  if (order === "random") {
    const bag = new SlotBag();
    for (const slot of slots) bag.add(slot);
    for (let i = 0; i < slots.length; i++) slots[i] = bag.takeAny(random);
  }
  return slots;
}

function generate(seed: number, given: SawtoothOptions): Trace {
  const random = randomFor("sawtooth", seed);
  const builder = new TraceBuilder("sawtooth");
  const sizes = sizeMix(given.sizes);
  /** Survivors of the last teeth, oldest first. */
  const old: number[][] = [];
  const more = (): boolean => builder.length < given.events;
  while (more()) {
    builder.phase("fill");
    const slots = new Uint32Array(given.live);
    for (let i = 0; i < given.live && more(); i++) slots[i] = builder.allocate(sizes.draw(random));
    if (!more()) break;
    builder.phase("drain");
    const survivors: number[] = [];
    for (const slot of dyingOrder(slots, given.order, random)) {
      if (random.double() < given.survivors) survivors.push(slot);
      else if (more()) builder.free(slot);
    }
    old.push(survivors);
    const dying = old.length > given.teeth ? (old.shift() ?? []) : [];
    for (const slot of dying) if (more()) builder.free(slot);
  }
  return builder.build();
}

/**
 * Fills and drains over and over, as a server does with each batch or a compiler with each pass; a few blocks of each
 * tooth outlive some teeth and hold on to the memory between them.
 */
export const sawtooth: WorkloadSpec<SawtoothOptions> = {
  name: "sawtooth",
  title: "Sawtooth with survivors",
  source:
    "Wilson, Johnstone, Neely & Boles, Dynamic Storage Allocation, IWMM 1995: peaks of live memory, and what outlives them",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [{ order: "backward" }, { order: "random", survivors: 0.2 }, { survivors: 0, sizes: "mixed", live: 2000 }],
  generate,
};
