import { describe, expect, it } from "vitest";
import { Random } from "../../memory/random.js";
import { blocksOf, markOf, meanOf } from "../block-list.properties.js";
import type { Trace } from "../trace.js";
import { fleetbench, type ProfileOptions, tcmalloc } from "./profile-workload.js";
import { cutProfile, profileFamilies, profileNamed, profileNames } from "./profiles.js";
import { ChangingWeights } from "./weights.js";

/** Of each profile: distinct sizes, mean size of allocations and of live blocks, and sizes that make 99 % of allocations. */
const facts: Readonly<Record<string, readonly (readonly [string, number, number, number, number])[]>> = {
  tcmalloc: [
    ["beta", 774, 239.427, 90.1531, 267],
    ["bravo", 1029, 403.514, 1058.7, 331],
    ["charlie", 747, 205.963, 1157.68, 302],
    ["delta", 933, 364.992, 195.064, 254],
    ["echo", 968, 919.034, 134.806, 351],
    ["foxtrot", 1044, 559.606, 221.054, 191],
    ["merced", 927, 250.07, 169.555, 202],
    ["sierra", 1125, 574.979, 889.17, 346],
    ["sigma", 949, 1703.01, 3215.98, 457],
    ["uniform", 1007, 284.157, 235.122, 165],
  ],
  fleetbench: [
    ["0", 1064, 481.947, 789.572, 194],
    ["1", 1038, 197.427, 124.154, 53],
    ["2", 1030, 208.252, 985.98, 124],
    ["3", 1030, 507.22, 225.145, 276],
    ["4", 1045, 386.994, 217.758, 162],
    ["5", 1056, 440.709, 250.162, 192],
    ["6", 979, 639.608, 129.104, 140],
    ["7", 1114, 369.116, 894.955, 193],
    ["8", 1228, 1333.55, 8753.19, 496],
    ["9", 1039, 345.831, 196.996, 194],
  ],
};

const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((total, value, i) => total + value * (b[i] ?? 0), 0);

describe("the published size profiles", () => {
  it("are named as in the data, with source, licence and limits", () => {
    const names = profileFamilies().map((family) => [family.name, family.profiles.map((profile) => profile.name)]);
    expect(Object.fromEntries(names)).toEqual(profileNames);
    for (const { source, licence, limits } of profileFamilies()) {
      expect(source).toMatch(/commit [0-9a-f]{7}/);
      expect(licence).toContain("Apache-2.0");
      expect(limits).toContain("no realloc");
    }
  });

  it("have the sizes and means of the originals", () => {
    for (const [family, rows] of Object.entries(facts)) {
      for (const [name, sizes, meanAllocated, meanLive, common] of rows) {
        const profile = profileNamed(family, name);
        expect(profile.sizes).toHaveLength(sizes);
        expect(dot(profile.sizes, profile.rates) / sum(profile.rates) / meanAllocated).toBeCloseTo(1, 5);
        expect(dot(profile.sizes, profile.live) / sum(profile.live) / meanLive).toBeCloseTo(1, 5);
        const ranked = profile.rates.toSorted().toReversed();
        let covered = 0;
        const needed = ranked.findIndex((rate) => {
          covered += rate;
          return covered >= 0.99 * sum(profile.rates);
        });
        expect(needed + 1).toBe(common);
      }
    }
  });

  it("say when no size is left", () => {
    expect(() => cutProfile(profileNamed("fleetbench", "0"), 0)).toThrow("profile 0: no size up to 0 bytes");
  });
});

describe.each([
  [tcmalloc, "beta"],
  [tcmalloc, "sierra"],
  [fleetbench, "6"],
])("$name as a workload", (spec, name) => {
  const given: ProfileOptions = { ...spec.defaults, profile: name, heap: 4 * 1024 * 1024, events: 600_000 };
  const trace = spec.generate(5, given) as Trace;
  const blocks = blocksOf(trace);
  const steady = markOf(trace, "steady");
  const { sizes, rates, live } = cutProfile(profileNamed(spec.name, name), given.largest);
  const scale = given.heap / dot(sizes, live);

  it(`${name}: fills with live blocks and goes on with births as in the data`, () => {
    const filled = blocks.filter((block) => block.event < steady);
    const born = blocks.filter((block) => block.event > steady);
    for (const [sample, weights] of [
      [filled, live],
      [born, rates],
    ] as const) {
      for (const bound of [16, 32, 64, 256, 4096]) {
        const share = sample.filter((block) => block.size <= bound).length / sample.length;
        const expected = sum(weights.filter((_, i) => (sizes[i] ?? 0) <= bound)) / sum(weights);
        expect(Math.abs(share - expected)).toBeLessThan(4.5 * Math.sqrt((expected * (1 - expected)) / sample.length));
      }
    }
  });

  it(`${name}: stays in the steady state`, () => {
    const expected = sum(live) * scale;
    for (const event of [steady, (steady + trace.length) >> 1, trace.length - 1]) {
      const alive = blocks.filter((block) => block.event <= event && block.freedEvent > event);
      expect(Math.abs(alive.length / expected - 1)).toBeLessThan(0.06);
    }
  });

  it(`${name}: gives each size its mean lifetime by Little's law`, () => {
    // Births while a block lives: its lifetime times all births in a unit of time. Memory-less: so is the rest of life of those at the start.
    const at = sizes.reduce((best, _, i) => ((rates[i] ?? 0) > (rates[best] ?? 0) ? i : best), 0);
    const mean = ((live[at] ?? 0) * scale * sum(rates)) / (rates[at] ?? 1);
    const of = blocks.filter((block) => block.event < steady && block.size === sizes[at]);
    const first = blocks.findIndex((block) => block.event > steady);
    for (const share of [0.25, 0.5, 0.75]) {
      const horizon = -Math.log(1 - share) * mean;
      if (first + horizon > blocks.length) continue;
      const dead = of.filter((block) => block.death - first <= horizon).length / of.length;
      expect(Math.abs(dead - share)).toBeLessThan(4.5 * Math.sqrt((share * (1 - share)) / of.length) + 0.01);
    }
    expect(of.length).toBeGreaterThan(100);
  });
});

describe("changing weights", () => {
  it("are drawn in proportion, and never where the weight is 0", () => {
    const weights = new ChangingWeights(5);
    [3, 0, 1, 0, 4].forEach((weight, i) => {
      weights.set(i, weight);
    });
    const random = new Random(1);
    const seen = [0, 0, 0, 0, 0];
    for (let i = 0; i < 80_000; i++) seen[weights.draw(random)]++;
    expect([seen[1], seen[3]]).toEqual([0, 0]);
    expect(meanOf([(seen[0] ?? 0) / 30_000, (seen[2] ?? 0) / 10_000, (seen[4] ?? 0) / 40_000])).toBeCloseTo(1, 1);
    weights.set(0, 0);
    weights.set(4, 0);
    expect(weights.total).toBe(1);
    expect(weights.draw(random)).toBe(2);
  });
});
