import { describe, expect, it } from "vitest";
import { InputError } from "../../memory/errors.js";
import { resolveOptions } from "../../memory/options.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { summarise } from "../trace-summary.js";
import { type RedisOptions, redis } from "./redis.js";

const run = (given: Partial<RedisOptions>, seed = 1): Trace =>
  redis.generate(seed, resolveOptions("redis", redis.options, given)) as Trace;

/** What happened to keys in one phase, read back from the events alone. */
interface Phase {
  readonly label: string;
  readonly inserted: number[];
  readonly touched: number[];
  readonly evicted: number[];
  /** Sizes of the first insertion and of the first eviction, in order of the events; frees are negative. */
  insertion: number[];
  eviction: number[];
}

/** Keys are inserted in order from 0 in both insertions; every group of events starts with the temporary object. */
function phasesOf(trace: Trace): Phase[] {
  const { op, slot } = trace;
  const phases: Phase[] = [];
  const keyOf = new Int32Array(trace.slots);
  const size = new Float64Array(trace.slots);
  const sizesOf = (from: number, to: number): number[] =>
    Array.from({ length: to - from }, (_, k) =>
      op[from + k] === Op.allocate ? trace.size[from + k] : -size[slot[from + k]],
    );
  let next = 0;
  for (let i = 0; i < trace.length; ) {
    if ((op[i] & OP_MASK) === Op.phase) {
      const label = trace.labels[slot[i]] ?? "";
      phases.push({ label, inserted: [], touched: [], evicted: [], insertion: [], eviction: [] });
      next = 0;
      i += phases.length === 1 ? 2 : 1; // the hash table comes behind the first mark
      continue;
    }
    const phase = phases.at(-1) as Phase;
    let end = i + 1;
    size[slot[i]] = trace.size[i];
    for (; op[end] !== Op.free || slot[end] !== slot[i]; end++) {
      if (op[end] === Op.allocate) size[slot[end]] = trace.size[end];
    }
    if (end === i + 1) phase.touched.push(next++);
    else if (op[i + 1] === Op.allocate) {
      if (phase.inserted.length === 0) phase.insertion = sizesOf(i, end + 1);
      keyOf[slot[i + 1]] = next;
      phase.inserted.push(next++);
    } else {
      if (phase.evicted.length === 0) phase.eviction = sizesOf(i, end + 1);
      phase.evicted.push(keyOf[slot[i + 2]]);
    }
    i = end + 1;
  }
  return phases;
}

/** Share of the keys in each twentieth of the index range. */
function tiles(evicted: readonly number[], keys: number): number[] {
  const counts = new Array<number>(20).fill(0);
  for (const key of evicted) counts[Math.floor((20 * key) / keys)] += 20 / keys;
  return counts;
}

function finalKeys([a, b, c, d]: readonly Phase[]): number {
  return a.inserted.length - b.evicted.length + c.inserted.length - d.evicted.length;
}

describe("the Redis of the Mesh paper", () => {
  it("gives the counts of the measured server at full scale", () => {
    const trace = run({ scale: 1 });
    const phases = phasesOf(trace);
    const [a, b, c, d] = phases;
    expect(phases.map(({ label }) => label)).toEqual(["A insert", "B evict", "C insert", "D evict", "idle"]);
    expect(a.inserted.length).toBe(700_000);
    // Measured twice: 409,311; 89,037 and 89,008; 157,552; 222,207 and 222,145.
    expect(Math.abs(b.evicted.length - 409_311)).toBeLessThanOrEqual(2);
    expect(Math.abs(c.inserted.length / 89_022 - 1)).toBeLessThan(0.01);
    expect(Math.abs(d.evicted.length / 157_552 - 1)).toBeLessThan(0.01);
    expect(Math.abs(finalKeys(phases) / 222_176 - 1)).toBeLessThan(0.005);
    expect(c.inserted.length + c.touched.length).toBe(170_000);
    const summary = summarise(trace);
    expect(Math.abs(summary.endLiveBytes - 103_971_655)).toBeLessThan(400);
    expect(trace.length).toBe(
      6 + 6 * (700_000 + b.evicted.length + c.inserted.length + d.evicted.length) + 2 * c.touched.length,
    );
    const shares = tiles(b.evicted, 700_000);
    const measured = [0.51, 0.515, 0.524, ...new Array<number>(14).fill(Number.NaN), 0.648, 0.659, 0.669];
    measured.forEach((share, i) => {
      if (!Number.isNaN(share)) expect(Math.abs(shares[i] - share)).toBeLessThan(0.01);
    });
    const later = tiles(d.evicted, 700_000);
    [0, 0, 0, 0, 0.047, 0.328, 0.325].forEach((share, i) => {
      expect(Math.abs(later[i] - share)).toBeLessThan(0.015);
    });
    expect(Math.min(...d.evicted.slice(0, 1000), ...d.evicted.slice(-1000))).toBeGreaterThanOrEqual(170_000);
  });

  it.each([
    // Counts of an independent model at seed 1, and how far they may lie apart: three standard deviations over seeds.
    [8, 51_057, 11_061, 19_610, 27_894, 1_035_751],
    [16, 25_521, 5_499, 9_740, 13_988, 517_317],
  ])("keeps the counts at 1/%d of the size", (scale, evictedB, inserted, evictedD, final, events) => {
    for (const seed of [1, 2, 3]) {
      const trace = run({ scale }, seed);
      const phases = phasesOf(trace);
      const spread = 3 * 147 * Math.sqrt(1 / scale);
      expect(Math.abs(phases[1].evicted.length - evictedB)).toBeLessThanOrEqual(2);
      expect(Math.abs(phases[2].inserted.length - inserted)).toBeLessThan(spread);
      expect(Math.abs(phases[3].evicted.length - evictedD)).toBeLessThan(1.8 * spread);
      expect(Math.abs(finalKeys(phases) - final)).toBeLessThan(spread);
      expect(Math.abs(trace.length - events)).toBeLessThan(16 * spread);
    }
  });

  it("asks for the blocks of a key in the order of the server, and frees them in the order of an eviction", () => {
    const [a, b, c] = phasesOf(run({}));
    // Temporary object, value, value object, key, entry: key 0 is named asdf:0.
    expect(a.insertion).toEqual([34, 252, 24, 16, 32, -34]);
    const [temporary, key, ...rest] = b.eviction;
    expect(rest).toEqual([-252, -24, -32, -temporary]);
    expect(-key).toBe(temporary - 18);
    expect(c.insertion.slice(1, 3)).toEqual([506, 24]);
  });

  it("spares the keys of the second insertion when the clock has ticked, and only then", () => {
    const newest = (given: Partial<RedisOptions>): number => {
      const [, , c, d] = phasesOf(run(given));
      const inserted = new Set(c.inserted);
      return d.evicted.filter((key) => inserted.has(key)).length;
    };
    expect(newest({})).toBe(0);
    // Measured without a tick, at full scale: 43,283.
    expect(Math.abs(newest({ tick: "no" }) / (43_283 / 16) - 1)).toBeLessThan(0.05);
  });
});

describe("the same Redis with its own jemalloc", () => {
  it("keeps its limit by size classes, and gives the counts of a measured server", () => {
    const [, b, c, d] = phasesOf(run({ variant: "mesh402je", scale: 4 }));
    // Measured: 584,045 evictions, 208,001 keys left, so 92,046 inserted by the second populate.
    expect(Math.abs((b.evicted.length + d.evicted.length) / (584_045 / 4) - 1)).toBeLessThan(0.003);
    expect(Math.abs(c.inserted.length / (92_046 / 4) - 1)).toBeLessThan(0.01);
  });
});

describe("the Redis of the Alaska paper", () => {
  it("gives the counts of the measured server at full scale", () => {
    const trace = run({ variant: "alaska72", scale: 1 });
    const phases = phasesOf(trace);
    const [, b, c, d] = phases;
    expect(b.evicted.length).toBe(180);
    expect(c.inserted.length).toBeGreaterThan(20);
    expect(c.inserted.length).toBeLessThan(75);
    expect(Math.abs((b.evicted.length + d.evicted.length) / 402_117 - 1)).toBeLessThan(0.001);
    expect(Math.abs(finalKeys(phases) - 298_012)).toBeLessThan(12);
    const summary = summarise(trace);
    expect(summary.peakLiveBytes).toBe(216_177_529);
    expect(Math.abs(summary.endLiveBytes / 96.85e6 - 1)).toBeLessThan(0.0005);
    expect(phases[0].insertion).toEqual([26, 244, 16, 8, 24, -26]);
  });

  it("evicts evenly: a sampler that finishes its chain knows no age", () => {
    const [, , , d] = phasesOf(run({ variant: "alaska72", scale: 8 }));
    const shares = tiles(d.evicted, 87_500);
    for (const share of shares) expect(Math.abs(share - 0.574)).toBeLessThan(0.035);
  });

  it.each([
    [8, 37_252, 869_053],
    [16, 18_626, 434_529],
  ])("keeps the counts at 1/%d of the size", (scale, final, events) => {
    for (const seed of [1, 2, 3]) {
      const trace = run({ variant: "alaska72", scale }, seed);
      expect(Math.abs(finalKeys(phasesOf(trace)) - final)).toBeLessThanOrEqual(4);
      expect(Math.abs(trace.length - events)).toBeLessThan(90);
    }
  });
});

describe("the contrasting rules of eviction", () => {
  it("any key with the same chance: no gradient", () => {
    const shares = tiles(phasesOf(run({ victims: "uniform", scale: 4 }))[1].evicted, 175_000);
    for (const share of shares) expect(Math.abs(share - 0.585)).toBeLessThan(0.03);
  });

  it("the one used longest ago: the keys go in order, and those inserted again go last", () => {
    const [, b, c, d] = phasesOf(run({ victims: "oldest" }));
    expect(b.evicted).toEqual(b.evicted.map((_, i) => i));
    expect(c.touched).toEqual([]);
    expect(d.evicted).toEqual(d.evicted.map((_, i) => (b.evicted.length + i) % 43_750));
  });

  it("takes chain heads first with a sampler that stops in mid-chain: the gradient goes with the reservoir", () => {
    const slope = (given: Partial<RedisOptions>): number => {
      const shares = tiles(phasesOf(run({ ...given, scale: 4 }))[1].evicted, 175_000);
      return shares[19] - shares[0];
    };
    expect(slope({ samples: 1 })).toBeGreaterThan(0.12);
    expect(Math.abs(slope({ samples: 1, reservoir: "yes" }))).toBeLessThan(0.05);
  });
});

describe("the redis generator", () => {
  /** A change means that every result changes. */
  const golden: [Partial<RedisOptions>, string][] = [
    [{}, "8f2c0290b4453d12"],
    [{ variant: "alaska72" }, "3c8df89fb6f443a4"],
    [{ variant: "mesh402je", scale: 64 }, "39bca2f87607a2f5"],
    [{ tick: "no", value: 150, newValue: 300 }, "ad35f3ff9455e995"],
    [{ victims: "uniform", scale: 32 }, "4955c12598da276e"],
    [{ victims: "oldest", scale: 64 }, "78255ba4ab31f139"],
    [{ samples: 3, reservoir: "yes", burst: 5000, prefix: "16", scale: 64 }, "9e3690f8a91ada48"],
  ];

  it.each(golden)("%o makes the same events for ever", (given, digest) => {
    const trace = run(given);
    expect(trace.digest).toBe(digest);
    expect(summarise(trace).peakLiveBlocks).toBe(trace.slots);
  });

  it("refuses a scale that is no power of two, with the reason", () => {
    expect(() => run({ scale: 12 })).toThrow(InputError);
    expect(() => run({ scale: 12 })).toThrow(/^redis: option scale: 12 [^\n]*power of two[^\n]*$/);
  });
});
