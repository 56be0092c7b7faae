import { InputError } from "../../memory/errors.js";
import type { SizeDemand } from "../allocator.js";
import { type PymallocOptions, pymallocDefaults } from "./options.js";

function refuse(option: keyof PymallocOptions, reason: string): never {
  throw new InputError(`pymalloc: option ${option}: ${reason}`);
}

/** Steps of `step` bytes up to the threshold, which ends the last one short where it is no multiple. */
function linear(step: number, threshold: number): number[] {
  const sizes: number[] = [];
  for (let size = step; size < threshold; size += step) sizes.push(size);
  return [...sizes, threshold];
}

/** `perDoubling` equal steps from each power of two to the next, rounded up to multiples of the alignment. */
function geometric(perDoubling: number, align: number, threshold: number): number[] {
  const sizes = new Set<number>();
  for (let octave = align; octave < threshold; octave *= 2) {
    for (let k = 0; k < perDoubling; k++) sizes.add(Math.ceil((octave + (octave * k) / perDoubling) / align) * align);
  }
  return [...[...sizes].filter((size) => size < threshold), threshold];
}

function listed(text: string, align: number, threshold: number): number[] {
  if (text === "") refuse("spacing", "listed needs sizes, such as sizes=16+32+64+512");
  const sizes = text.split("+").map(Number);
  const odd = sizes.find((size) => size === 0 || size % align !== 0);
  if (odd !== undefined) refuse("sizes", `${odd} is not a multiple of the alignment ${align}`);
  const early = sizes.findIndex((size, i) => i > 0 && size <= sizes[i - 1]);
  if (early >= 0) refuse("sizes", `${sizes[early]} follows ${sizes[early - 1]}: give them ascending`);
  const largest = sizes[sizes.length - 1];
  if (largest !== threshold) refuse("sizes", `the largest is ${largest}, the threshold ${threshold}: make them equal`);
  return sizes;
}

/** The options that only one spacing reads. */
const spacingOptions = { step: "linear", perDoubling: "geometric", classes: "fitted", sizes: "listed" } as const;

/** An option of another spacing would be without effect, and a row of a table would claim that it had one. */
function checkSpacing(options: PymallocOptions): void {
  for (const name of ["step", "perDoubling", "classes", "sizes"] as const) {
    const spacing = spacingOptions[name];
    if (options.spacing === spacing || options[name] === pymallocDefaults[name]) continue;
    refuse(name, `it has no effect under spacing=${options.spacing}: give spacing=${spacing}, or leave it out`);
  }
}

/**
 * Block sizes of the classes in bytes, ascending: multiples of `align`, the last one the threshold. Throws an
 * `InputError` for a spacing that is no such list, and for an option of another spacing.
 */
export function classSizes(options: PymallocOptions, align: number): readonly number[] {
  const { threshold } = options;
  checkSpacing(options);
  if (threshold % align !== 0) refuse("threshold", `${threshold} is not a multiple of the alignment ${align}`);
  switch (options.spacing) {
    case "linear": {
      const step = options.step === 0 ? align : options.step;
      if (step % align !== 0) refuse("step", `${step} is not a multiple of the alignment ${align}`);
      return linear(step, threshold);
    }
    case "geometric":
      return geometric(options.perDoubling, align, threshold);
    case "listed":
      return listed(options.sizes, align, threshold);
    case "fitted":
      return refuse("spacing", "fitted is fitted to a trace, and there is none here: use listed and sizes");
  }
}

/** Weight of the demand by granules asked for: entry g is of requests of g granules, up to the threshold. */
function byGranules(demand: SizeDemand, align: number, threshold: number): Float64Array {
  const weight = new Float64Array(threshold / align + 1);
  demand.size.forEach((size, i) => {
    if (size >= 1 && size <= threshold) weight[Math.ceil(size / align)] += demand.weight[i];
  });
  return weight;
}

/**
 * The `classes` sizes that hold the demand in the fewest bytes of pools, by dynamic programming over the least size that
 * the i largest classes leave out. A block costs its share of a pool, so header and tail of a pool count; `share` gives
 * it in bytes for a block of so many granules, and never falls. Demand of equal cost goes to the larger classes.
 */
export function fittedSizes(
  demand: SizeDemand,
  classes: number,
  align: number,
  threshold: number,
  share: (granules: number) => number,
): number[] {
  const weight = byGranules(demand, align, threshold);
  const most = weight.length - 1;
  const count = Math.min(classes, most);
  const upTo = new Float64Array(most + 1);
  for (let g = 1; g <= most; g++) upTo[g] = upTo[g - 1] + weight[g];
  const shares = Float64Array.from({ length: most + 1 }, (_, g) => (g === 0 ? 0 : share(g)));

  // best[g]: least bytes for all requests of up to g granules, where g is the largest of k classes.
  let best = Float64Array.from(upTo, (sum, g) => sum * shares[g]);
  const below: Int32Array[] = [];
  for (let k = 2; k <= count; k++) {
    const next = new Float64Array(most + 1).fill(Number.POSITIVE_INFINITY);
    const from = new Int32Array(most + 1);
    for (let g = k; g <= most; g++) {
      for (let b = k - 1; b < g; b++) {
        const bytes = best[b] + (upTo[g] - upTo[b]) * shares[g];
        if (bytes < next[g]) {
          next[g] = bytes;
          from[g] = b;
        }
      }
    }
    below.push(from);
    best = next;
  }
  const sizes = [threshold];
  for (let k = below.length - 1, g = most; k >= 0; k--) {
    g = below[k][g];
    sizes.push(g * align);
  }
  return sizes.reverse();
}
