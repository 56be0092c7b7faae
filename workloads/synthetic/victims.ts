/** Which block of the synthetic workload dies next. */
import { InputError } from "../../memory/errors.js";
import { power } from "../../memory/exact-math.js";
import type { Random } from "../../memory/random.js";
import { Deadlines } from "../deadlines.js";
import { type Distribution, exponential, mixture, pareto } from "../distributions.js";
import { SlotBag } from "../slot-bag.js";

export const lifetimeKinds = ["random", "fifo", "lifo", "exponential", "heavy-tail", "generational"] as const;
export type LifetimeKind = (typeof lifetimeKinds)[number];

/** The live blocks, in whatever order they die. */
export interface Victims {
  /** A block is born as the `step`-th of all. */
  add(slot: number, size: number, step: number): void;
  /** Removes and returns the block that dies; there is one. */
  take(): number;
}

class RandomVictims implements Victims {
  private readonly bag = new SlotBag();
  private readonly random: Random;

  constructor(random: Random) {
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
  private readonly bag = new SlotBag();

  add(slot: number): void {
    this.bag.add(slot);
  }

  take(): number {
    return this.bag.takeLast();
  }
}

/** Each block gets a deadline at birth: all the same for the order of birth, else by a lifetime. */
class ByDeadline implements Victims {
  private readonly deadlines = new Deadlines();
  private readonly lifetime: (size: number) => number;

  constructor(lifetime: (size: number) => number) {
    this.lifetime = lifetime;
  }

  add(slot: number, size: number, step: number): void {
    this.deadlines.add(slot, step + this.lifetime(size));
  }

  take(): number {
    return this.deadlines.take();
  }
}

/** Lifetimes in births, with a mean of `mean`. */
const lifetimes: Readonly<Record<"exponential" | "heavy-tail" | "generational", (mean: number) => Distribution>> = {
  exponential: (mean) => exponential(Math.max(1, mean)),
  /** A Pareto variable of shape 1.2 over six decades, whose mean is 5.6215 times its least value. */
  "heavy-tail": (mean) => {
    const shape = 1.2;
    const span = 1_000_000;
    const factor = ((shape / (shape - 1)) * (1 - power(span, 1 - shape))) / (1 - power(span, -shape));
    const low = Math.max(1, mean / factor);
    return pareto(shape, low, low * span);
  },
  /** 90 % die young, 9 % live 50 times and 1 % 2000 times as long: as `generations` of `churn`. */
  generational: (mean) => {
    const young = Math.max(1, mean / (0.9 + 0.09 * 50 + 0.01 * 2000));
    return mixture([
      [0.9, exponential(young)],
      [0.09, exponential(50 * young)],
      [0.01, exponential(2000 * young)],
    ]);
  },
};

/** Sizes that the mean of size^exponent is taken over. */
const SAMPLE = 65_536;

/** A factor on the lifetime of each size: (size)^exponent over its mean, so that lifetimes keep their mean. */
function sizeFactor(exponent: number, sizes: Distribution, random: Random): (size: number) => number {
  if (exponent === 0) return () => 1;
  let sum = 0;
  for (let i = 0; i < SAMPLE; i++) sum += power(Math.max(1, sizes.draw(random)), exponent);
  const perUnit = SAMPLE / sum;
  return (size) => power(Math.max(1, size), exponent) * perUnit;
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
      return new RandomVictims(random);
    case "lifo":
      return new YoungestFirst();
    case "fifo":
      return new ByDeadline(() => 0);
    default: {
      const drawn = lifetimes[kind](live);
      const factor = sizeFactor(bySize, sizes, random);
      return new ByDeadline((size) => drawn.draw(random) * factor(size));
    }
  }
}
