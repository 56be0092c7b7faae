import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { randomFor } from "../../memory/random.js";
import { eventsOption } from "../events-option.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import type { WorkloadSpec } from "../workload.js";

export interface LarsonOptions {
  events: number;
  threads: number;
  blocks: number;
  rounds: number;
  smallest: number;
  largest: number;
  turn: number;
}

const options: OptionTable<LarsonOptions> = {
  events: eventsOption,
  threads: { kind: "integer", min: 1, max: 1024, default: 4, help: "threads at work at any time" },
  blocks: { kind: "integer", min: 1, max: 1e6, default: 5000, help: "blocks that each thread holds" },
  rounds: {
    kind: "integer",
    min: 1,
    max: 1e6,
    default: 1,
    help: "times that a thread replaces each of its blocks, on average, before it ends",
  },
  smallest: { kind: "bytes", min: 1, max: 1 << 20, default: 8, help: "smallest size" },
  largest: { kind: "bytes", min: 1, max: 1 << 20, default: 1000, help: "largest size" },
  turn: {
    kind: "integer",
    min: 1,
    max: 1e6,
    default: 64,
    help: "replacements of one thread before the next has its turn",
  },
};

function generate(seed: number, given: LarsonOptions): Trace {
  const random = randomFor("larson", seed);
  const builder = new TraceBuilder("larson");
  const { threads, blocks, events } = given;
  const low = Math.min(given.smallest, given.largest);
  const high = Math.max(given.smallest, given.largest);
  const held = Array.from({ length: threads }, () => new Int32Array(blocks).fill(-1));
  const ids = Array.from({ length: threads }, (_, i) => i);
  const replaced = new Float64Array(threads);
  const life = blocks * given.rounds;
  let next = threads;
  builder.phase("fill");
  for (let worker = 0; worker < threads; worker++) {
    builder.thread(worker);
    for (let i = 0; i < blocks && builder.length < events; i++)
      held[worker][i] = builder.allocate(random.between(low, high));
  }
  if (builder.length < events) builder.phase("serve");
  for (let worker = 0; builder.length < events; worker = (worker + 1) % threads) {
    builder.thread(ids[worker]);
    for (let i = 0; i < given.turn && builder.length < events; i++) {
      const victim = random.below(blocks);
      builder.free(held[worker][victim]);
      if (builder.length < events) held[worker][victim] = builder.allocate(random.between(low, high));
    }
    replaced[worker] += given.turn;
    if (replaced[worker] < life) continue;
    // The thread ends and hands its blocks to a new one, which will free what another has allocated.
    ids[worker] = next++;
    replaced[worker] = 0;
  }
  return builder.build();
}

/**
 * Larson and Krishnan's server: each thread replaces random ones of its blocks and after a while hands them all to a new
 * thread, so most blocks are freed by another thread than asked for them. Threads take turns in a fixed order. Allocators here
 * have no thread caches (docs/limits.md); what is left of the benchmark is random replacement of uniform sizes.
 */
export const larson: WorkloadSpec<LarsonOptions> = {
  name: "larson",
  title: "Larson's server threads",
  source: "Larson & Krishnan, Memory allocation for long-running server applications, ISMM 1998",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { threads: 1, blocks: 1000 },
    { threads: 8, blocks: 500, rounds: 10, largest: 500, turn: 1 },
  ],
  generate,
};
