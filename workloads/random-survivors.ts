import { defaultsOf, type OptionTable } from "../memory/options.js";
import { randomFor } from "../memory/random.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

/** Options of `randomSurvivors`; `size` in bytes. */
export interface RandomSurvivorsOptions {
  blocks: number;
  size: number;
  survivors: number;
}

const options: OptionTable<RandomSurvivorsOptions> = {
  blocks: { kind: "integer", min: 1, max: 1e8, default: 100_000, help: "blocks allocated in a row" },
  size: { kind: "bytes", min: 1, max: 1 << 30, default: 64, help: "bytes of each block" },
  survivors: { kind: "number", min: 0, max: 1, default: 0.01, help: "chance of each block to live on" },
};

/**
 * Blocks of one size, of which each survives with the same chance f, whatever the others do. A pool of k blocks stays
 * with probability 1 - (1-f)^k, while compaction needs the share f: why one object in a hundred can hold half of memory.
 */
export const randomSurvivors: WorkloadSpec<RandomSurvivorsOptions> = {
  name: "random-survivors",
  title: "Blocks of one size, few of which survive",
  source: "Maas et al., Learning-based memory allocation for C++ server workloads (LLAMA), ASPLOS 2020",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [{ blocks: 20_000, size: 512, survivors: 0.1 }],
  generate(seed, given) {
    const random = randomFor("random-survivors", seed);
    const builder = new TraceBuilder("random-survivors");
    builder.phase("fill");
    const blocks = Array.from({ length: given.blocks }, () => builder.allocate(given.size));
    builder.phase("free");
    for (const block of blocks) if (random.double() >= given.survivors) builder.free(block);
    builder.phase("survivors");
    return builder.build();
  },
};
