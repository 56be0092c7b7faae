import { InputError } from "../../memory/errors.js";
import { isPowerOfTwo } from "../../memory/exact-math.js";
import { defaultsOf, type OptionTable } from "../../memory/options.js";
import type { ProgramHeap, ProgramSpec } from "../program.js";

/** Options of `poolPinning`; sizes in bytes. */
export interface PoolPinningOptions {
  live: number;
  pool: number;
  header: number;
  step: number;
  largest: number;
  order: "ascending" | "descending";
  marks: "all" | "doublings";
}

const options: OptionTable<PoolPinningOptions> = {
  live: { kind: "bytes", min: 4096, max: 1 << 30, default: 4 << 20, help: "bytes that are live at most" },
  pool: { kind: "bytes", min: 256, max: 1 << 24, default: 16384, help: "unit of one size class, a power of two" },
  header: { kind: "bytes", min: 0, max: 4096, default: 48, help: "bytes of a unit that hold no block" },
  step: { kind: "bytes", min: 8, max: 4096, default: 16, help: "distance of the size classes" },
  largest: { kind: "bytes", min: 8, max: 1 << 20, default: 512, help: "the largest size class" },
  order: { kind: "choice", values: ["ascending", "descending"], default: "ascending", help: "order of the classes" },
  marks: {
    kind: "choice",
    values: ["all", "doublings"],
    default: "all",
    help: "marks behind every class, or where the size is the step times a power of two",
  },
};

/** Fills as many whole units as `room` bytes do with blocks of one size, then frees all but the first in each. Returns the bytes kept. */
function pinClass(heap: ProgramHeap, size: number, room: number, pool: number, header: number): number {
  const inUnit = Math.floor((pool - header) / size);
  const blocks = Math.floor(room / (size * inUnit)) * inUnit;
  const pinned = new Set<number>();
  const victims: number[] = [];
  let last = -1;
  for (let i = 0; i < blocks; i++) {
    const block = heap.allocate(size);
    const unit = Math.floor(heap.addressOf(block) / pool);
    // Most blocks lie in the unit of the one before: a look at the set would take half of the time.
    if (unit === last || pinned.has(unit)) victims.push(block);
    else pinned.add(unit);
    last = unit;
  }
  for (const block of victims) heap.free(block);
  return pinned.size * size;
}

function run(heap: ProgramHeap, _seed: number, given: PoolPinningOptions): void {
  const { live, pool, header, step, largest, order, marks } = given;
  if (!isPowerOfTwo(pool)) throw new InputError(`pool-pinning: option pool: ${pool} is not a power of two`);
  if (largest < step) throw new InputError(`pool-pinning: option largest: ${largest} is below the step ${step}`);
  if (header + largest > pool) {
    throw new InputError(
      `pool-pinning: option largest: ${largest} and a header of ${header} do not fit a pool of ${pool}`,
    );
  }
  const classes: number[] = [];
  for (let size = step; size <= largest; size += step) classes.push(size);
  if (order === "descending") classes.reverse();
  let kept = 0;
  for (const size of classes) {
    kept += pinClass(heap, size, live - kept, pool, header);
    if (marks === "all" || isPowerOfTwo(size / step)) heap.phase(`class ${size}`);
  }
}

/**
 * For each size class in turn: fill whole pools up to `live` bytes, then keep one block in each, the first. A pool that
 * holds a block serves no other class, so each class needs new pools, though next to nothing is live.
 */
export const poolPinning: ProgramSpec<PoolPinningOptions> = {
  name: "pool-pinning",
  title: "One block kept in each pool, class by class",
  source:
    "the argument against simple segregated storage of Robson 1971 (fill one size, free, fill the next), for pools as in CPython's obmalloc.c",
  seeded: false,
  options,
  defaults: defaultsOf(options),
  variants: [
    { order: "descending", live: 1 << 20 },
    { pool: 4096, live: 1 << 20 },
  ],
  run,
};
