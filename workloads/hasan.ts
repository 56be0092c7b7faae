import { InputError } from "../memory/errors.js";
import { isPowerOfTwo } from "../memory/exact-math.js";
import { defaultsOf, type OptionTable } from "../memory/options.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

/** Options of `hasan`, in bytes. */
export interface HasanOptions {
  live: number;
  smallest: number;
}

const options: OptionTable<HasanOptions> = {
  live: { kind: "bytes", min: 4, max: 1 << 30, default: 1 << 20, help: "bytes that are live at most, a power of two" },
  smallest: { kind: "bytes", min: 1, max: 1 << 28, default: 64, help: "bytes of the first blocks, a power of two" },
};

/**
 * The basic strategy of Hasan, Chang and Gharaibeh: fill up to M live with blocks of one size, free the first of each
 * pair of neighbours, double the size, and so on up to M / 2. No hole is ever as large as the next size, so first fit in
 * address order ends with M (log2(M/n) + 1) / 2. It reads no addresses: neighbours are those of first fit. Mesh's
 * "fragmenter" is the same with 512 bytes and 128 MiB.
 */
export const hasan: WorkloadSpec<HasanOptions> = {
  name: "hasan",
  title: "Doubling sizes, every other block freed",
  source: "Hasan, Chang & Gharaibeh, 2010, basic strategy; Powers et al., Mesh, PLDI 2019 (fragmenter)",
  seeded: false,
  options,
  defaults: defaultsOf(options),
  variants: [{ live: 65536, smallest: 16 }],
  generate(_seed, given) {
    for (const name of ["live", "smallest"] as const) {
      if (!isPowerOfTwo(given[name]))
        throw new InputError(`hasan: option ${name}: ${given[name]} is not a power of two`);
    }
    if (given.live < 2 * given.smallest) {
      throw new InputError(`hasan: option live: ${given.live} is below two blocks of ${given.smallest} bytes`);
    }
    const builder = new TraceBuilder("hasan");
    let held: number[] = [];
    let live = 0;
    for (let size = given.smallest; size < given.live; size *= 2) {
      builder.phase(`blocks of ${size}`);
      for (; live + size <= given.live; live += size) held.push(builder.allocate(size));
      if (2 * size >= given.live) break;
      held.forEach((block, i) => {
        if (i % 2 === 0) builder.free(block);
      });
      held = held.filter((_, i) => i % 2 === 1);
      live /= 2;
    }
    return builder.build();
  },
};
