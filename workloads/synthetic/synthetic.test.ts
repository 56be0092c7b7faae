import { describe, expect, it } from "vitest";
import { power } from "../../memory/exact-math.js";
import { type Block, blocksOf, markOf, meanOf, medianOf } from "../block-list.properties.js";
import { cutProfile, profileNamed } from "../profiles/profiles.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { type SyntheticOptions, synthetic } from "./synthetic.js";

const run = (given: Partial<SyntheticOptions>): Trace =>
  synthetic.generate(11, { ...synthetic.defaults, ...given }) as Trace;

const sizesOf = (given: Partial<SyntheticOptions>): number[] =>
  blocksOf(run({ live: 1000, events: 200_000, ...given })).map((block) => block.size);

/** A share of a sample lies within 4.5 standard deviations of what is expected. */
function expectShare(sample: readonly number[], holds: (value: number) => boolean, expected: number): void {
  const share = sample.filter(holds).length / sample.length;
  expect(Math.abs(share - expected)).toBeLessThan(4.5 * Math.sqrt((expected * (1 - expected)) / sample.length) + 1e-9);
}

describe("sizes of the synthetic workload", () => {
  it("are all the same at a point", () => {
    expect(new Set(sizesOf({ sizes: "point", size: 48 }))).toEqual(new Set([48]));
  });

  it("are uniform from 1 about their mean", () => {
    const sizes = sizesOf({ sizes: "uniform", size: 50 });
    expect([Math.min(...sizes), Math.max(...sizes)]).toEqual([1, 99]);
    for (const bound of [10, 50, 90]) expectShare(sizes, (size) => size <= bound, bound / 99);
  });

  it("are log-normal about their median", () => {
    const sizes = sizesOf({ sizes: "log-normal", size: 4000, sigma: 0.5 });
    // P(X <= median e^(z sigma)) is the normal distribution at z; whole bytes matter little at 4000.
    for (const [z, share] of [
      [-1.2815515655446, 0.1],
      [0, 0.5],
      [1.2815515655446, 0.9],
    ] as const)
      expectShare(sizes, (size) => size <= 4000 * Math.exp(0.5 * z), share);
  });

  it("have two modes, one block in ten in the far one", () => {
    const sizes = sizesOf({ sizes: "bimodal", size: 64, sigma: 0.2 });
    expectShare(sizes, (size) => size > 512, 0.1);
    expect(Math.abs(medianOf(sizes.filter((size) => size > 512)) / 2048 - 1)).toBeLessThan(0.02);
  });

  it("are those of a published profile", () => {
    const { sizes, rates } = cutProfile(profileNamed("tcmalloc", "echo"), 65_536);
    const total = rates.reduce((sum, rate) => sum + rate, 0);
    const drawn = sizesOf({ sizes: "observed", observed: "echo" });
    for (const bound of [8, 32, 128, 1024, 8192]) {
      const expected = rates.reduce((sum, rate, i) => sum + ((sizes[i] ?? 0) <= bound ? rate : 0), 0) / total;
      expectShare(drawn, (size) => size <= bound, expected);
    }
  });

  it("follow Zipf's law over the sizes of a profile, the commonest first", () => {
    const { sizes, rates } = cutProfile(profileNamed("tcmalloc", "beta"), 65_536);
    const ranked = Array.from(sizes.keys()).sort((a, b) => (rates[b] ?? 0) - (rates[a] ?? 0));
    const harmonic = ranked.reduce((sum, _, rank) => sum + power(rank + 1, -1.2), 0);
    const drawn = sizesOf({ sizes: "zipf", zipf: 1.2 });
    for (const rank of [0, 1, 9]) {
      expectShare(drawn, (size) => size === sizes[ranked[rank] ?? 0], power(rank + 1, -1.2) / harmonic);
    }
  });
});

/** Lifetimes in births of the blocks that were born when the heap had long been full. */
function lifetimesOf(given: Partial<SyntheticOptions>): number[] {
  const blocks = blocksOf(run({ live: 1000, events: 400_000, sizes: "point", ...given }));
  return blocks.slice(50_000, 100_000).map((block) => block.death - block.birth);
}

describe("lifetimes of the synthetic workload", () => {
  it.each(["exponential", "random"] as const)("without memory, %s, with the number of live blocks as mean", (kind) => {
    const lives = lifetimesOf({ lifetimes: kind });
    for (const share of [0.1, 0.5, 0.9, 0.99]) {
      const dead = lives.filter((life) => life <= -1000 * Math.log(1 - share)).length / lives.length;
      expect(Math.abs(dead - share)).toBeLessThan(0.02);
    }
  });

  it("with a heavy tail fall as a power of the age", () => {
    const lives = lifetimesOf({ lifetimes: "heavy-tail" });
    // The mean of a bounded Pareto variable of shape 1.2 over six decades is 5.6215 times its least value.
    const low = 1000 / 5.6215;
    for (const times of [2, 5, 20, 100]) {
      const beyond = lives.filter((life) => life > times * low).length / lives.length;
      expect(Math.abs(beyond / power(times, -1.2) - 1)).toBeLessThan(0.1);
    }
  });

  it("of generations are as mixed, and the steady state is there from the start", () => {
    const young = 1000 / 25.4;
    for (const [from, to] of [
      [0, 20_000],
      [80_000, 100_000],
    ] as const) {
      const blocks = blocksOf(run({ live: 1000, events: 400_000, sizes: "point", ramp: 0, lifetimes: "generational" }));
      const lives = blocks.slice(1000 + from, 1000 + to).map((block) => block.death - block.birth);
      for (const times of [1, 10, 200]) {
        const beyond = lives.filter((life) => life > times * young).length / lives.length;
        const expected = 0.9 * Math.exp(-times) + 0.09 * Math.exp(-times / 50) + 0.01 * Math.exp(-times / 2000);
        expect(Math.abs(beyond - expected)).toBeLessThan(0.025);
      }
    }
  });

  it("end in the order of birth, or youngest first", () => {
    const ordered = (lifetimes: "fifo" | "lifo"): Block[] =>
      blocksOf(run({ live: 500, events: 20_000, lifetimes, drain: 0.3 })).filter((block) => block.freedBy >= 0);
    const deaths = ordered("fifo").map((block) => block.freedEvent);
    expect(deaths).toEqual([...deaths].sort((a, b) => a - b));
    // Last in, first out: whatever is born within a block's life dies within it.
    const open: number[] = [];
    for (const block of ordered("lifo")) {
      while (open.length > 0 && (open.at(-1) as number) < block.event) open.pop();
      expect(block.freedEvent).toBeLessThan(open.at(-1) ?? Number.POSITIVE_INFINITY);
      open.push(block.freedEvent);
    }
    expect(deaths.length).toBeGreaterThan(9000);
  });

  it("grow with a power of the size", () => {
    const blocks = blocksOf(
      run({ live: 2000, events: 600_000, sizes: "bimodal", sigma: 0.01, size: 64, bySize: 1 }),
    ).slice(50_000, 150_000);
    const meanLife = (near: number): number =>
      meanOf(blocks.filter((b) => Math.abs(b.size / near - 1) < 0.1).map((b) => Math.min(b.death, 300_000) - b.birth));
    expect(Math.abs(meanLife(2048) / meanLife(64) / 32 - 1)).toBeLessThan(0.1);
  });

  it("by size are refused where there are none", () => {
    expect(() => run({ lifetimes: "fifo", bySize: 1 })).toThrow("synthetic: option bySize: fifo has no lifetimes");
  });
});

/** Live blocks after each event. */
function courseOf(trace: Trace): number[] {
  let live = 0;
  return Array.from(trace.op, (op) => {
    if ((op & OP_MASK) === Op.allocate) live++;
    if ((op & OP_MASK) === Op.free) live--;
    return live;
  });
}

describe("phases of the synthetic workload", () => {
  it("are a ramp, a plateau and a drain, exact to one block", () => {
    const course = courseOf(run({ live: 1000, events: 100_000, ramp: 0.2, drain: 0.4, lifetimes: "random" }));
    for (const [event, live] of [
      [5000, 250],
      [10_000, 500],
      [20_500, 1000],
      [59_000, 1000],
      [80_000, 500],
      [99_999, 0],
    ] as const)
      expect(Math.abs((course[event] ?? Number.NaN) - live)).toBeLessThanOrEqual(1);
  });

  it("have a plateau of as many blocks in the mean as asked for, where they have lifetimes", () => {
    for (const lifetimes of ["exponential", "heavy-tail", "generational"] as const) {
      for (const events of [25_000, 400_000]) {
        const course = courseOf(run({ live: 1000, events, lifetimes }));
        for (const share of [0.11, 0.2, 0.4, 0.7, 1]) {
          // The number of live blocks is nearly Poisson.
          expect(Math.abs((course[events * share - 1] ?? 0) - 1000)).toBeLessThan(4 * Math.sqrt(1000));
        }
      }
    }
  });

  it("shift all sizes by a factor, and start over after six", () => {
    const trace = run({ live: 1000, events: 400_000, sizes: "point", size: 100, shifts: 7, shift: 1.5, ramp: 0 });
    const blocks = blocksOf(trace);
    const wanted = [100, 150, 225, 338, 506, 759, 100, 150];
    const starts = [0, ...[1, 2, 3, 4, 5, 6, 7].map((k) => markOf(trace, `shift ${k}`)), trace.length];
    wanted.forEach((size, i) => {
      const born = blocks.filter((b) => b.event > (starts[i] ?? 0) && b.event < (starts[i + 1] ?? 0));
      expect(new Set(born.map((block) => block.size))).toEqual(new Set([size]));
    });
  });

  it("that cannot be are refused", () => {
    expect(() => run({ ramp: 0.7, drain: 0.7 })).toThrow("options ramp and drain: 0.7 + 0.7 is more than all events");
    expect(() => run({ live: 1000, events: 900 })).toThrow("900 events do not fill 1000 blocks");
    expect(() => run({ live: 1000, events: 5000, drain: 0.1 })).toThrow("500 events do not free 1000 blocks");
  });
});
