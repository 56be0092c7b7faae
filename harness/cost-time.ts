/** Counts into time, by a named set of coefficients in which single ones can be replaced. */
import { type CoefficientSet, type Coefficients, coefficients } from "../memory/coefficients.js";
import { type CostName, type Costs, costNames } from "../memory/costs.js";
import { InputError, unknownName } from "../memory/errors.js";
import { parseSelector } from "../memory/options.js";

/** A set as it is listed. */
export interface CostSet {
  readonly name: CoefficientSet;
  readonly title: string;
  readonly source: string;
  /** Nanoseconds for each; a counter that is not named costs nothing. */
  readonly coefficients: Coefficients;
}

/** Every named set. */
export const costSets: Readonly<Record<CoefficientSet, CostSet>> = {
  raw: {
    name: "raw",
    title: "Measured: a plain slide, page faults, accesses through a table in the third-level cache",
    source: "docs/metrics.md: a 2-core virtual machine, AMD EPYC",
    coefficients: coefficients.raw,
  },
  anchorage: {
    name: "anchorage",
    title: "Anchorage's published passes, all its bookkeeping included",
    source: "Wanninger et al., ASPLOS 2024, artifact: spacing of the eight passes on Redis",
    coefficients: coefficients.anchorage,
  },
  redis: {
    name: "redis",
    title: "Redis' active defragmentation, which finds each object through the keyspace",
    source: "docs/redis.md: looks counted in a run of Redis 4.0.2",
    coefficients: coefficients.redis,
  },
  redis72: {
    name: "redis72",
    title: "The same on the servers of the Alaska artifact",
    source: "docs/redis.md: courses of memory under Redis 7.2",
    coefficients: coefficients.redis72,
  },
};

/** The set that counts are turned into time by where none is named. */
export const defaultCosts = "raw";

/**
 * The coefficients that `name` or `name:counter=nanoseconds,...` means. Throws an `InputError` for an unknown set or
 * counter and for a coefficient that is not a number from 0 up.
 */
export function coefficientsOf(selector: string = defaultCosts): Coefficients {
  const { name, options } = parseSelector(selector);
  const names = Object.keys(costSets);
  if (!names.includes(name)) throw unknownName("set of costs", name, names);
  const replaced = Object.entries(options).map(([counter, text]) => {
    if (!(costNames as readonly string[]).includes(counter)) throw unknownName("counter", counter, costNames);
    const ns = text.trim() === "" ? Number.NaN : Number(text);
    if (ns >= 0 && Number.isFinite(ns)) return [counter, ns];
    throw new InputError(`costs "${selector}": ${counter}="${text}" is not a number of nanoseconds from 0 up`);
  });
  return { ...costSets[name as CoefficientSet].coefficients, ...Object.fromEntries(replaced) };
}

/** Coefficients in the order of the counters: 0 for those that cost nothing. */
export function weightsOf(set: Coefficients): Float64Array {
  return Float64Array.from(costNames, (name) => set[name] ?? 0);
}

/** Virtual milliseconds of all counts. */
export function millisecondsOf(costs: Costs | Readonly<Record<CostName, number>>, set: Coefficients): number {
  const count = (name: CostName, i: number): number => (costs instanceof Float64Array ? costs[i] : costs[name]);
  return 1e-6 * costNames.reduce((sum, name, i) => sum + count(name, i) * (set[name] ?? 0), 0);
}
