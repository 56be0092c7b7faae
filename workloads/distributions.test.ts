import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import { Random } from "../memory/random.js";
import {
  AliasTable,
  type Distribution,
  exponential,
  histogram,
  logNormal,
  logUniform,
  mixture,
  pareto,
  point,
  uniform,
  zipf,
} from "./distributions.js";
import { sizeMix, sizeMixNames } from "./size-mixes.js";

const DRAWS = 200_000;

function drawsOf(distribution: Distribution, seed = 1): number[] {
  const random = new Random(seed);
  return Array.from({ length: DRAWS }, () => distribution.draw(random));
}

/** How far a share of the draws lies from its probability, in standard deviations. */
function deviation(draws: readonly number[], probability: number, holds: (value: number) => boolean): number {
  const share = draws.filter(holds).length / draws.length;
  const sd = Math.sqrt((probability * (1 - probability)) / draws.length);
  return sd === 0 ? (share === probability ? 0 : Number.POSITIVE_INFINITY) : Math.abs(share - probability) / sd;
}

/** The worst deviation of P(X = k) over all k, for weights in proportion. */
function worst(draws: readonly number[], values: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const counts = new Map<number, number>();
  for (const draw of draws) counts.set(draw, (counts.get(draw) ?? 0) + 1);
  const deviations = values.map((value, i) => {
    const p = (weights[i] ?? 0) / total;
    const gap = Math.abs((counts.get(value) ?? 0) - draws.length * p);
    return p === 0 ? gap * Number.MAX_VALUE : gap / Math.sqrt(draws.length * p * (1 - p));
  });
  const known = new Set(values);
  return draws.every((draw) => known.has(draw)) ? Math.max(...deviations) : Number.POSITIVE_INFINITY;
}

const range = (low: number, high: number): number[] => Array.from({ length: high - low + 1 }, (_, i) => low + i);

describe("an alias table", () => {
  it("draws each index as often as its weight says", () => {
    const weights = [5, 0, 1, 1e-3, 100, 33.3, 0, 12];
    const table = new AliasTable(weights);
    expect(worst(drawsOf({ draw: (random) => table.draw(random) }), range(0, 7), weights)).toBeLessThan(4);
  });

  it("never draws an index of weight 0, whatever the others", () => {
    const weights = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e9, noNaN: true })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(
        weights.filter((all) => all.some((weight) => weight > 0)),
        fc.nat(),
        (all, seed) => {
          const table = new AliasTable(all);
          const random = new Random(seed);
          for (let i = 0; i < 50; i++) expect(all[table.draw(random)]).toBeGreaterThan(0);
        },
      ),
    );
  });

  it("of equal weights is uniform", () => {
    const table = new AliasTable(new Float64Array(37).fill(3));
    const draws = drawsOf({ draw: (random) => table.draw(random) });
    expect(worst(draws, range(0, 36), Array(37).fill(1))).toBeLessThan(4);
  });

  it.each([[[]], [[0, 0]], [[1, -1]], [[Number.NaN]], [[Number.POSITIVE_INFINITY]]])(
    "refuses the weights %j",
    (weights) => {
      expect(() => new AliasTable(weights)).toThrow(InputError);
    },
  );
});

describe("distributions agree with their closed forms", () => {
  it("point", () => {
    expect(new Set(drawsOf(point(48)))).toEqual(new Set([48]));
  });

  it("uniform", () => {
    expect(worst(drawsOf(uniform(3, 90)), range(3, 90), Array(88).fill(1))).toBeLessThan(4);
  });

  it("histogram", () => {
    expect(worst(drawsOf(histogram([8, 8192, 24], [1, 2, 7])), [8, 8192, 24], [1, 2, 7])).toBeLessThan(4);
  });

  it("log-uniform: every octave equally often", () => {
    const draws = drawsOf(logUniform(1024, 65536));
    const harmonic = (low: number, high: number): number => range(low, high).reduce((sum, k) => sum + 1 / k, 0);
    const total = harmonic(1024, 65536);
    for (let low = 1024; low < 65536; low *= 2) {
      const p = harmonic(low, 2 * low - 1) / total;
      expect(deviation(draws, p, (value) => value >= low && value < 2 * low)).toBeLessThan(4);
    }
  });

  it("log-normal", () => {
    const draws = drawsOf(logNormal(64, 0.5, 8, 512));
    const weights = range(8, 512).map((k) => Math.exp(-0.5 * (Math.log(k / 64) / 0.5) * (Math.log(k / 64) / 0.5)) / k);
    expect(worst(draws, range(8, 512), weights)).toBeLessThan(4.5);
    const logs = draws.map((draw) => Math.log(draw / 64));
    const mean = logs.reduce((sum, log) => sum + log, 0) / DRAWS;
    const variance = logs.reduce((sum, log) => sum + (log - mean) * (log - mean), 0) / DRAWS;
    expect(Math.abs(mean)).toBeLessThan(0.005);
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 2);
  });

  it("Zipf", () => {
    const weights = range(1, 50).map((rank) => Math.exp(-1.2 * Math.log(rank)));
    expect(worst(drawsOf(zipf(50, 1.2)), range(1, 50), weights)).toBeLessThan(4);
  });

  it.each([1, 1.25, 10, 5000])("exponential of mean %d", (mean) => {
    const draws = drawsOf(exponential(mean));
    expect(draws.every((value) => Number.isInteger(value) && value >= 1)).toBe(true);
    const survival = (k: number): number => Math.exp(k * Math.log1p(-1 / mean));
    for (const k of [1, 2, Math.ceil(mean), Math.ceil(3 * mean)]) {
      expect(deviation(draws, mean === 1 ? 0 : survival(k), (value) => value > k)).toBeLessThan(4);
    }
    const average = draws.reduce((sum, value) => sum + value, 0) / DRAWS;
    const sd = Math.sqrt(mean * (mean - 1));
    expect(Math.abs(average - mean)).toBeLessThanOrEqual((4 * sd) / Math.sqrt(DRAWS));
  });

  it.each([
    [0.5, 1, 1e6],
    [1, 20, 20_000],
    [1.7, 3.5, 1000],
  ])("Pareto of shape %d from %d to %d", (shape, low, high) => {
    const draws = drawsOf(pareto(shape, low, high));
    const tail = (x: number): number => Math.exp(shape * Math.log(low / x));
    for (const k of [Math.ceil(low), Math.ceil(2 * low), Math.ceil(10 * low), Math.floor(high / 2)]) {
      expect(deviation(draws, (tail(k) - tail(high)) / (1 - tail(high)), (value) => value >= k)).toBeLessThan(4);
    }
    expect(draws.every((value) => value >= Math.floor(low) && value <= high)).toBe(true);
  });

  it("mixture", () => {
    const both = mixture([
      [3, uniform(1, 10)],
      [1, uniform(101, 110)],
    ]);
    expect(
      worst(drawsOf(both), [...range(1, 10), ...range(101, 110)], [...Array(10).fill(3), ...Array(10).fill(1)]),
    ).toBeLessThan(4);
  });
});

describe("impossible parameters", () => {
  it.each([
    ["a mean below 1", () => exponential(0.5)],
    ["a Pareto range in the wrong order", () => pareto(1, 10, 10)],
    ["a shape of 0", () => pareto(0, 1, 10)],
    ["a range in the wrong order", () => logUniform(10, 9)],
    ["too many values", () => logNormal(64, 1, 1, 1e8)],
    ["more values than weights", () => histogram([1, 2], [1])],
  ])("are refused: %s", (_, make) => {
    expect(make).toThrow(InputError);
  });
});

describe("the bits of the draws are the same everywhere", () => {
  const digest = (distribution: Distribution): string => {
    const hash = createHash("sha256").update(Float64Array.from(drawsOf(distribution).slice(0, 20_000)));
    return hash.digest("hex").slice(0, 16);
  };
  const golden: Record<string, [Distribution, string]> = {
    "log-normal": [logNormal(64, 0.9, 1, 512), "307186053ce2ccfa"],
    "log-uniform": [logUniform(4097, 65536), "4bc0ea8709ac8aa2"],
    zipf: [zipf(1000, 0.73), "f297b30c54cfd7ab"],
    exponential: [exponential(1234.5), "cbd31c1eefde219a"],
    pareto: [pareto(1, 2892.4, 2_892_400), "1aea57db11dc03d7"],
    "mix uniform": [sizeMix("uniform"), "bd883ef32401cbc9"],
    "mix fixed": [sizeMix("fixed"), "f268a896f36f0db0"],
    "mix small": [sizeMix("small"), "307186053ce2ccfa"],
    "mix bimodal": [sizeMix("bimodal"), "3a958b0b1ffc3167"],
    "mix few": [sizeMix("few"), "4a1fae09531521aa"],
    "mix mixed": [sizeMix("mixed"), "eced3afffa7a2924"],
  };
  it("of every size mix is watched", () => {
    expect(Object.keys(golden).filter((name) => name.startsWith("mix "))).toEqual(
      sizeMixNames.map((name) => `mix ${name}`),
    );
  });

  it("for each distribution and size mix", () => {
    const got = Object.fromEntries(
      Object.entries(golden).map(([name, [distribution]]) => [name, digest(distribution)]),
    );
    expect(got).toEqual(Object.fromEntries(Object.entries(golden).map(([name, [, expected]]) => [name, expected])));
  });
});
