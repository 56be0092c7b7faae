/**
 * Distributions of sizes (bytes) and lifetimes (a count of whatever the workload takes for its clock): all draw whole numbers, with
 * the same bits everywhere.
 */
import { InputError } from "../memory/errors.js";
import { exp, ln, power } from "../memory/exact-math.js";
import type { Random } from "../memory/random.js";

export interface Distribution {
  /** The next number; takes only from `random`. */
  draw(random: Random): number;
}

/** The most different values a table may have. */
const MAX_VALUES = 1 << 20;

/**
 * Draws an index with a probability in proportion to its weight, in constant time: Walker's alias method with the set-up of
 * Vose, "A linear algorithm for generating random numbers with a given distribution", IEEE TSE 17(9), 1991.
 */
export class AliasTable {
  /** In column i: the probability of i itself; the rest belongs to `other[i]`. */
  private readonly own: Float64Array;
  private readonly other: Uint32Array;

  /** Throws an `InputError` unless weights are finite, none below 0 and one above. */
  constructor(weights: ArrayLike<number>) {
    const n = weights.length;
    const total = totalOf(weights);
    this.own = Float64Array.from(weights, (weight) => (weight * n) / total);
    this.other = Uint32Array.from(weights, (_, i) => i);
    const order = new Uint32Array(n);
    let small = 0;
    let large = n;
    for (let i = 0; i < n; i++) order[this.own[i] < 1 ? small++ : --large] = i;
    // order[next, small) holds columns that are not full, order[large, n) those that can give.
    for (let next = 0; next < small && large < n; next++) {
      const poor = order[next];
      const rich = order[large];
      this.other[poor] = rich;
      this.own[rich] -= 1 - this.own[poor];
      if (this.own[rich] < 1) {
        // The giver has become poor: it joins the poor, whose end is where the rich begin.
        large++;
        small++;
      }
    }
    // What rounding has left over is full.
    for (let i = 0; i < n; i++) if (this.other[i] === i) this.own[i] = 1;
  }

  draw(random: Random): number {
    const column = random.below(this.own.length);
    return random.double() < this.own[column] ? column : this.other[column];
  }
}

function totalOf(weights: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    if (!(weights[i] >= 0 && weights[i] < Infinity))
      throw new InputError(`weight ${weights[i]}: expected a number from 0 up`);
    total += weights[i];
  }
  if (total > 0) return total;
  throw new InputError("a distribution needs at least one weight above 0");
}

class Table implements Distribution {
  private readonly values: Float64Array;
  private readonly columns: AliasTable;

  constructor(values: ArrayLike<number>, weights: ArrayLike<number>) {
    if (values.length !== weights.length || values.length > MAX_VALUES) {
      throw new InputError(
        `${values.length} values with ${weights.length} weights: expected as many, at most ${MAX_VALUES}`,
      );
    }
    this.values = Float64Array.from(values);
    this.columns = new AliasTable(weights);
  }

  draw(random: Random): number {
    return this.values[this.columns.draw(random)];
  }
}

/** Values with their weights: a recorded histogram, for instance. */
export function histogram(values: ArrayLike<number>, weights: ArrayLike<number>): Distribution {
  return new Table(values, weights);
}

/** Each whole number from `low` to `high` with the weight that a function gives it. */
function weighted(low: number, high: number, weight: (value: number) => number): Distribution {
  if (!(Number.isSafeInteger(low) && Number.isSafeInteger(high) && low <= high && high - low < MAX_VALUES)) {
    throw new InputError(
      `values from ${low} to ${high}: expected whole numbers in order, at most ${MAX_VALUES} of them`,
    );
  }
  const values = Float64Array.from({ length: high - low + 1 }, (_, i) => low + i);
  return new Table(values, values.map(weight));
}

/** Always `value`. */
export function point(value: number): Distribution {
  return { draw: () => value };
}

/** Each whole number from `low` to `high`, both included, equally often. */
export function uniform(low: number, high: number): Distribution {
  return { draw: (random) => random.between(low, high) };
}

/** P(k) in proportion to 1/k from `low` (at least 1) to `high`: every octave equally often. */
export function logUniform(low: number, high: number): Distribution {
  return weighted(low, high, (value) => 1 / value);
}

/** The log-normal density at the whole numbers from `low` (at least 1) to `high`; `sigma` is in natural logarithms. */
export function logNormal(median: number, sigma: number, low: number, high: number): Distribution {
  const centre = ln(median);
  return weighted(low, high, (value) => {
    const z = (ln(value) - centre) / sigma;
    return exp(-0.5 * z * z) / value;
  });
}

/** Zipf's law: P(k) in proportion to k^-exponent from 1 to `n`. */
export function zipf(n: number, exponent: number): Distribution {
  return weighted(1, n, (rank) => power(rank, -exponent));
}

/** Draws from one of several, chosen by weight: two modes, or several generations. */
export function mixture(parts: readonly (readonly [weight: number, Distribution])[]): Distribution {
  const choice = new AliasTable(parts.map(([weight]) => weight));
  const members = parts.map(([, member]) => member);
  return { draw: (random) => (members[choice.draw(random)] as Distribution).draw(random) };
}

/** Without memory: P(X > k) = (1 - 1/mean)^k for k = 0, 1, 2... and the mean is `mean` (at least 1). */
export function exponential(mean: number): Distribution {
  if (!(mean >= 1)) throw new InputError(`mean ${mean}: expected at least 1`);
  if (mean === 1) return point(1);
  const scale = 1 / ln(1 - 1 / mean);
  // 1 - double() is above 0, and its logarithm over ln(1 - 1/mean) is exponential; rounding up makes it geometric.
  return { draw: (random) => Math.max(1, Math.ceil(ln(1 - random.double()) * scale)) };
}

/**
 * A heavy tail: the whole part of a Pareto variable bounded to [low, high], so that for whole k in that range
 * P(X >= k) = ((low/k)^shape - (low/high)^shape) / (1 - (low/high)^shape).
 */
export function pareto(shape: number, low: number, high: number): Distribution {
  if (!(shape > 0 && low >= 1 && high > low)) {
    throw new InputError(`Pareto of shape ${shape} from ${low} to ${high}: expected shape > 0 and 1 <= low < high`);
  }
  const cut = 1 - power(low / high, shape);
  return { draw: (random) => Math.floor(low * exp(-ln(1 - random.double() * cut) / shape)) };
}
