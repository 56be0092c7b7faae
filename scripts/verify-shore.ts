/** Shore 1975: which of first and best fit is better depends on how the sizes vary. */
import { none, type Ref } from "../allocators/allocator.js";
import { allocatorArm } from "../harness/arm.js";
import { interval } from "../harness/statistics/interval.js";
import { createAddressSpace } from "../memory/address-space.js";
import { ln } from "../memory/exact-math.js";
import { type Random, randomFor } from "../memory/random.js";
import { atLeast, atMost, type Check, type Target, within } from "./verification.js";
import { type PolicyFit, policyFits, WORD } from "./verify-fits.js";

/** Words of the store: whole pages. */
const STORE = 32768;
const STEPS = 12_000;
const SEEDS = 24;

const clamp = (value: number, most: number): number => Math.max(1, Math.min(most, value));
const exponential = (random: Random, mean: number): number => clamp(Math.ceil(-ln(1 - random.double()) * mean), 4096);

/** A sum of twelve uniform numbers less six: mean 0 and variance 1. */
function nearlyNormal(random: Random): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.double();
  return sum;
}

/** Sizes of mean about 256 words, by rising coefficient of variation; points that best fit uses more than first fit. */
const sizes: Readonly<Record<string, { draw: (random: Random) => number; points: number }>> = {
  uniform: { draw: (random) => random.between(1, 512), points: 1.902 },
  normal: { draw: (random) => clamp(Math.round(256 + 64 * nearlyNormal(random)), 1024), points: 1.518 },
  exponential: { draw: (random) => exponential(random, 256), points: 0.13 },
  hyperexponential: { draw: (random) => exponential(random, random.double() < 0.1 ? 1270 : 143), points: -1.815 },
};

/** A store that is kept full: what does not fit waits until random blocks have been freed. Mean share in use, percent. */
function use(fit: PolicyFit, draw: (random: Random) => number, seed: number): number {
  const random = randomFor("shore", seed);
  const space = createAddressSpace(STORE * WORD);
  const arm = allocatorArm(policyFits[fit]);
  const heap = arm.spec.create(space, arm.options);
  const live: { ref: Ref; words: number }[] = [];
  let used = 0;
  let sum = 0;
  for (let step = 0; step < STEPS; step++) {
    const words = draw(random);
    let ref = heap.allocate(words * WORD);
    while (ref === none) {
      const i = random.below(live.length);
      heap.free(live[i].ref);
      used -= live[i].words;
      live[i] = live[live.length - 1];
      live.pop();
      ref = heap.allocate(words * WORD);
    }
    live.push({ ref, words });
    used += words;
    space.log.clear();
    if (step >= STEPS / 4) sum += used;
  }
  return (100 * sum) / ((STEPS * 3) / 4) / STORE;
}

const SIGN = "Shore 1975, CACM 18(8): end of the 95 % interval over seeds on the side of 0";
const SIZE = "Shore 1975, CACM 18(8), by an independent simulation with 40 seeds; 0.5 points";

function checks(): Check[] {
  return Object.entries(sizes).flatMap(([name, { draw, points }]) => {
    const seeds = Array.from({ length: SEEDS }, (_, i) => i + 1);
    const differences = seeds.map((seed) => use("best fit", draw, seed) - use("first fit", draw, seed));
    const { mean, low, high } = interval(differences);
    const size = within(`best - first, points, ${name}`, points, 0.5, mean, SIZE);
    if (points > 1) return [size, atLeast(`best - first, low end, ${name}`, 0, low, SIGN)];
    if (points < -1) return [size, atMost(`best - first, high end, ${name}`, 0, high, SIGN)];
    return [size];
  });
}

export const shore: Target = {
  name: "shore",
  title: "Best fit wins on uniform and normal sizes, first fit on hyperexponential ones",
  quick: false,
  run: checks,
};
