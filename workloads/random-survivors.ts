import { defaultsOf, type OptionTable } from "../memory/options.js";
import { randomFor } from "../memory/random.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

/** Options of `randomSurvivors`; `size` in bytes. */
export interface RandomSurvivorsOptions {
  blocks: number;
  size: number;
  survivors: number;
  pinned: number;
  pinEvery: number;
}

const options: OptionTable<RandomSurvivorsOptions> = {
  blocks: { kind: "integer", min: 1, max: 1e8, default: 100_000, help: "blocks allocated in a row" },
  size: { kind: "bytes", min: 1, max: 1 << 30, default: 64, help: "bytes of each block" },
  survivors: { kind: "number", min: 0, max: 1, default: 0.01, help: "chance of each block to live on" },
  pinned: { kind: "number", min: 0, max: 1, default: 0, help: "chance of each survivor to be pinned" },
  pinEvery: {
    kind: "integer",
    min: 0,
    max: 1e8,
    default: 0,
    help: "the first of so many blocks in a row survives and is pinned; 0: none is",
  },
};

/**
 * Blocks of one size, of which each survives with the same chance f, whatever the others do. A pool of k blocks stays
 * with probability 1 - (1-f)^k, while compaction needs the share f: why one object in a hundred can hold half of memory.
 *
 * Some of the survivors may be pinned, by chance or one in each row of so many blocks: as many as fill a page are the worst
 * case for compaction, a pin on every page.
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
    const isSpaced = (i: number): boolean => given.pinEvery > 0 && i % given.pinEvery === 0;
    const survives = blocks.map((_, i) => random.double() < given.survivors || isSpaced(i));
    if (given.pinned > 0 || given.pinEvery > 0) {
      const chance = randomFor("random-survivors pins", seed);
      builder.phase("pin");
      blocks.forEach((block, i) => {
        if (isSpaced(i) || (survives[i] && chance.double() < given.pinned)) builder.pin(block);
      });
    }
    builder.phase("free");
    blocks.forEach((block, i) => {
      if (!survives[i]) builder.free(block);
    });
    builder.phase("survivors");
    return builder.build();
  },
};
