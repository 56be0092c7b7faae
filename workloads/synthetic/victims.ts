/** Which block of the synthetic workload dies next. */
import { InputError } from "../../memory/errors.js";
import { power } from "../../memory/exact-math.js";
import type { Random } from "../../memory/random.js";
import { Deadlines } from "../deadlines.js";
import { type Distribution, exponential, histogram, mixture, pareto } from "../distributions.js";
import { SlotBag } from "../slot-bag.js";

export const lifetimeKinds = ["random", "fifo", "lifo", "exponential", "heavy-tail", "generational"] as const;
export type LifetimeKind = (typeof lifetimeKinds)[number];

/** The live blocks, in whatever order they die. */
export interface Victims {
  /** Sizes of the blocks that are there when the steady state begins: where lifetimes differ by size, not those of births. */
  readonly residents: Distribution;
  /**
   * A block is born as the `step`-th of all. The steady state begins at step `settled`, with the residents; all others that
   * are born before it die before it.
   */
  add(slot: number, size: number, step: number, settled: number, resident: boolean): void;
  /** Whether in the steady state a block dies before the `step`-th birth, when `live` of `wanted` blocks are there. */
  due(step: number, live: number, wanted: number): boolean;
  /** Removes and returns the block that dies; there is one. */
  take(): number;
}

/** Kinds without lifetimes keep the number of blocks. */
const whenFull = (_step: number, live: number, wanted: number): boolean => live >= wanted;

class RandomVictims implements Victims {
  readonly residents: Distribution;
  readonly due = whenFull;
  private readonly bag = new SlotBag();
  private readonly random: Random;

  constructor(sizes: Distribution, random: Random) {
    this.residents = sizes;
    this.random = random;
  }

  add(slot: number): void {
    this.bag.add(slot);
  }

  take(): number {
    return this.bag.takeAny(this.random);
  }
}

class YoungestFirst implements Victims {
  readonly residents: Distribution;
  readonly due = whenFull;
  private readonly bag = new SlotBag();

  constructor(sizes: Distribution) {
    this.residents = sizes;
  }

  add(slot: number): void {
    this.bag.add(slot);
  }

  take(): number {
    return this.bag.takeLast();
  }
}

class OldestFirst implements Victims {
  readonly residents: Distribution;
  readonly due = whenFull;
  private readonly deadlines = new Deadlines();

  constructor(sizes: Distribution) {
    this.residents = sizes;
  }

  add(slot: number, _size: number, step: number): void {
    this.deadlines.add(slot, step);
  }

  take(): number {
    return this.deadlines.take();
  }
}

/** Lifetimes of blocks at birth, and what is left of the life of those that a look at any moment finds. */
interface Lifetimes {
  readonly whole: Distribution;
  readonly rest: Distribution;
}

/** Each block gets a deadline at birth. */
class ByDeadline implements Victims {
  readonly residents: Distribution;
  private readonly deadlines = new Deadlines();
  private readonly lifetimes: Lifetimes;
  private readonly factor: (size: number) => number;
  private readonly random: Random;

  constructor(lifetimes: Lifetimes, bySize: SizeFactor, random: Random) {
    this.lifetimes = lifetimes;
    this.factor = bySize.factor;
    this.residents = bySize.residents;
    this.random = random;
  }

  add(slot: number, size: number, step: number, settled: number, resident: boolean): void {
    const { whole, rest } = this.lifetimes;
    const life = (resident ? rest : whole).draw(this.random) * this.factor(size);
    if (resident) this.deadlines.add(slot, settled + life);
    else this.deadlines.add(slot, step < settled ? Math.min(settled, step + life) : step + life);
  }

  due(step: number): boolean {
    return this.deadlines.next <= step;
  }

  take(): number {
    return this.deadlines.take();
  }
}

/** Shape and span of the heavy tail: six decades. */
const SHAPE = 1.2;
const SPAN = 1_000_000;
/** Mean of a Pareto variable so bounded over its least value: shape/(shape-1) (1 - span^(1-shape)) / (1 - span^-shape). */
const SPREAD = ((SHAPE / (SHAPE - 1)) * (1 - power(SPAN, 1 - SHAPE))) / (1 - power(SPAN, -SHAPE));
/** 90 % die young, 9 % live 50 times and 1 % 2000 times as long: as `generations` of `churn`. */
const GENERATIONS = [
  [0.9, 1],
  [0.09, 50],
  [0.01, 2000],
] as const;

/**
 * Lifetimes in births, with a mean of `mean`. The rest of life is a uniform share of a lifetime drawn in proportion to its length
 * (renewal theory: Feller, An Introduction to Probability Theory 2, chapter XI): for a Pareto variable, one of a shape less by 1.
 */
const lifetimes: Readonly<Record<"exponential" | "heavy-tail" | "generational", (mean: number) => Lifetimes>> = {
  exponential: (mean) => {
    const whole = exponential(Math.max(1, mean));
    return { whole, rest: whole };
  },
  "heavy-tail": (mean) => {
    const low = Math.max(1, mean / SPREAD);
    const lengthBiased = pareto(SHAPE - 1, low, low * SPAN);
    const rest = { draw: (random: Random) => Math.floor(random.double() * lengthBiased.draw(random)) };
    return { whole: pareto(SHAPE, low, low * SPAN), rest };
  },
  generational: (mean) => {
    const young = mean / GENERATIONS.reduce((sum, [weight, times]) => sum + weight * times, 0);
    const parts = GENERATIONS.map(([weight, times]) => [weight, exponential(Math.max(1, young * times))] as const);
    const present = parts.map(([weight, part], i) => [weight * GENERATIONS[i][1], part] as const);
    return { whole: mixture(parts), rest: mixture(present) };
  },
};

/** How lifetimes depend on the size. */
interface SizeFactor {
  readonly factor: (size: number) => number;
  readonly residents: Distribution;
}

/** Sizes that the mean of size^exponent is taken over. */
const SAMPLE = 65_536;

/**
 * A factor on the lifetime of each size, size^exponent over its mean, so that lifetimes keep their mean; of a size that
 * lives longer more blocks are there at any moment.
 */
function sizeFactor(exponent: number, sizes: Distribution, random: Random): SizeFactor {
  if (exponent === 0) return { factor: () => 1, residents: sizes };
  const sample = Float64Array.from({ length: SAMPLE }, () => Math.max(1, sizes.draw(random)));
  const powers = sample.map((size) => power(size, exponent));
  const mean = powers.reduce((sum, value) => sum + value, 0) / SAMPLE;
  return {
    factor: (size) => power(Math.max(1, size), exponent) / mean,
    residents: histogram(sample, powers),
  };
}

/**
 * Victims of a kind for a heap of `live` blocks. `bySize` is the exponent with which the mean lifetime grows with the size.
 * Throws an `InputError` where lifetimes by size are asked of an order that has no lifetimes.
 */
export function victimsOf(
  kind: LifetimeKind,
  live: number,
  bySize: number,
  sizes: Distribution,
  random: Random,
): Victims {
  if (bySize !== 0 && (kind === "random" || kind === "fifo" || kind === "lifo")) {
    throw new InputError(
      `synthetic: option bySize: ${kind} has no lifetimes: give 0, or lifetimes=exponential, heavy-tail or generational`,
    );
  }
  switch (kind) {
    case "random":
      return new RandomVictims(sizes, random);
    case "lifo":
      return new YoungestFirst(sizes);
    case "fifo":
      return new OldestFirst(sizes);
    default:
      return new ByDeadline(lifetimes[kind](live), sizeFactor(bySize, sizes, random), random);
  }
}
