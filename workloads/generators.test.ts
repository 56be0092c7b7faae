import { describe, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import { type ChurnOptions, churn } from "./churn.js";
import { type PhasesOptions, phases } from "./phases.js";
import { type RampOptions, ramp } from "./ramp.js";
import { type SawtoothOptions, sawtooth } from "./sawtooth.js";
import { OP_MASK, Op, type Trace } from "./trace.js";
import { summarise } from "./trace-summary.js";

/** What happens between one mark and the next. */
interface Stretch {
  readonly label: string;
  readonly sizes: number[];
  readonly allocated: number[];
  readonly freed: number[];
  /** Live blocks and bytes at its end, and the most bytes within. */
  blocks: number;
  bytes: number;
  peakBytes: number;
}

function stretchesOf(trace: Trace): Stretch[] {
  const stretches: Stretch[] = [];
  const birth = new Map<number, { id: number; size: number }>();
  let born = 0;
  let bytes = 0;
  for (let i = 0; i < trace.length; i++) {
    const code = trace.op[i] & OP_MASK;
    const slot = trace.slot[i];
    if (code === Op.phase) {
      const label = trace.labels[slot] ?? "";
      stretches.push({ label, sizes: [], allocated: [], freed: [], blocks: birth.size, bytes, peakBytes: bytes });
      continue;
    }
    const now = stretches.at(-1) as Stretch;
    if (code === Op.allocate) {
      now.sizes.push(trace.size[i]);
      now.allocated.push(born);
      birth.set(slot, { id: born++, size: trace.size[i] });
      bytes += trace.size[i];
    } else {
      const block = birth.get(slot) as { id: number; size: number };
      now.freed.push(block.id);
      birth.delete(slot);
      bytes -= block.size;
    }
    now.blocks = birth.size;
    now.bytes = bytes;
    now.peakBytes = Math.max(now.peakBytes, bytes);
  }
  return stretches;
}

const medianOf = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

describe("churn", () => {
  const run = (given: Partial<ChurnOptions>): Trace => churn.generate(7, { ...churn.defaults, ...given }) as Trace;

  it("fills to the wanted number of blocks and keeps it", () => {
    const [fill, steady] = stretchesOf(run({ live: 1000, events: 20_000 })) as [Stretch, Stretch];
    expect([fill.label, fill.blocks, fill.freed.length]).toEqual(["fill", 1000, 0]);
    expect([steady.label, steady.blocks]).toEqual(["churn", 1000]);
    expect(steady.allocated.length).toBe((20_000 - 1002) / 2);
  });

  it("frees any block with the same chance: lifetimes without memory", () => {
    const { lifetimeEvents } = summarise(run({ live: 500, events: 500_000 }));
    for (const [quantile, share] of [
      [lifetimeEvents.p25, 0.25],
      [lifetimeEvents.p50, 0.5],
      [lifetimeEvents.p90, 0.9],
    ] as const) {
      expect(quantile / (-2 * 500 * Math.log1p(-share))).toBeCloseTo(1, 1);
    }
  });

  it("obeys Little's law with exponential lifetimes", () => {
    const trace = run({ live: 2000, events: 400_000, victims: "exponential" });
    const live = liveBlocks(trace).slice(100_000);
    const mean = live.reduce((sum, blocks) => sum + blocks, 0) / live.length;
    // Poisson: the standard deviation of the live count is sqrt(2000); some 75 independent spans are averaged.
    expect(Math.abs(mean - 2000)).toBeLessThan(4 * Math.sqrt(2000 / 75));
  });

  it("frees in the order of birth with fixed lifetimes", () => {
    const [, steady] = stretchesOf(run({ live: 300, events: 5000, victims: "fixed" })) as [Stretch, Stretch];
    expect(steady.freed).toEqual([...steady.freed].sort((a, b) => a - b));
    expect(steady.freed[0]).toBe(0);
    expect(steady.blocks).toBeLessThanOrEqual(300);
    expect(steady.blocks).toBeGreaterThanOrEqual(299);
  });

  it("has generations: nine of ten blocks die young, and a few carry the live set", () => {
    const live = 10_000;
    const { lifetimeEvents } = summarise(run({ live, events: 600_000, victims: "generations" }));
    const young = live / 25.4;
    // Of all blocks 0.9 (1 - e^-x) have died by x mean young lifetimes; two events to a step.
    expect(lifetimeEvents.p50 / 2).toBeGreaterThan(0.7 * young);
    expect(lifetimeEvents.p50 / 2).toBeLessThan(1.1 * young);
    expect(lifetimeEvents.p99 / 2).toBeGreaterThan(20 * young);
  });

  it("has a heavy tail: no lifetime below the bound, and long ones common", () => {
    const live = 2000;
    const { lifetimeEvents } = summarise(run({ live, events: 400_000, victims: "heavy-tail" }));
    const low = live / 6.914669948931059;
    expect(lifetimeEvents.p10).toBeGreaterThanOrEqual(Math.floor(low));
    expect(lifetimeEvents.p99).toBeGreaterThan(50 * low);
  });

  it("says when the events do not even fill the heap", () => {
    expect(() => run({ live: 100, events: 100 })).toThrow(InputError);
    expect(() => run({ live: 100, events: 100 })).toThrow("churn: option events: 100 events do not fill 100 blocks");
  });
});

function liveBlocks(trace: Trace): Uint32Array {
  let live = 0;
  return Uint32Array.from(trace.op, (op) => {
    if ((op & OP_MASK) === Op.allocate) live++;
    if ((op & OP_MASK) === Op.free) live--;
    return live;
  });
}

describe("ramp", () => {
  const given: RampOptions = { ...ramp.defaults, events: 60_000, live: 5000 };
  const all = stretchesOf(ramp.generate(7, given) as Trace);

  it("grows to the peak and thins to the share that is kept", () => {
    expect(all.slice(0, 4).map(({ label, blocks }) => [label, blocks])).toEqual([
      ["grow 0", 5000],
      ["shrink 0", 250],
      ["grow 1", 5000],
      ["shrink 1", 250],
    ]);
  });

  it("fills each round with the next band of sizes, uniformly", () => {
    for (const [band, { sizes }] of all.filter(({ label }) => label.startsWith("grow")).entries()) {
      const width = given.band;
      expect(Math.min(...sizes)).toBe(width * band + 1);
      expect(Math.max(...sizes)).toBe(width * (band + 1));
      const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
      const sd = Math.sqrt((width * width - 1) / 12 / sizes.length);
      expect(Math.abs(mean - (width * band + (width + 1) / 2))).toBeLessThan(4 * sd);
    }
  });

  it("chooses the victims at random: survivors are strewn evenly", () => {
    const freed = new Set(all[1]?.freed);
    const survivors = (all[0]?.allocated ?? []).filter((id) => !freed.has(id));
    const mean = survivors.reduce((sum, id) => sum + id, 0) / survivors.length;
    // Uniform over 0..4999: standard deviation 5000 / sqrt 12 for one, over sqrt 250 for the mean.
    expect(Math.abs(mean - 2499.5)).toBeLessThan(4 * (5000 / Math.sqrt(12 * 250)));
  });

  it("starts again with the first band after the last", () => {
    const labels = stretchesOf(ramp.generate(7, { ...given, bands: 2 }) as Trace).map(({ label }) => label);
    expect(labels.slice(0, 5)).toEqual(["grow 0", "shrink 0", "grow 1", "shrink 1", "grow 0"]);
  });

  it("says when nothing would ever be freed", () => {
    expect(() => ramp.generate(7, { ...given, freed: 0 })).toThrow("ramp: option freed: 0 of 5000 blocks is none");
  });
});

describe("sawtooth", () => {
  const run = (given: Partial<SawtoothOptions>): Stretch[] =>
    stretchesOf(sawtooth.generate(7, { ...sawtooth.defaults, events: 60_000, live: 2000, ...given }) as Trace);

  it("lets a share of each tooth survive, for so many teeth", () => {
    const all = run({ survivors: 0.1, teeth: 2 });
    const drained = all.filter(({ label }) => label === "drain").map(({ blocks }) => blocks);
    for (const [tooth, expected] of [200, 400, 400, 400, 400].entries()) {
      expect(Math.abs((drained[tooth] ?? 0) - expected)).toBeLessThan(4 * Math.sqrt(expected * 0.9));
    }
    const third = all[5];
    expect(third?.freed.filter((id) => id < 2000).length).toBe(drained[0]);
  });

  it("frees forward, backward or in random order", () => {
    const drainOf = (order: SawtoothOptions["order"]): number[] => run({ order, survivors: 0 })[1]?.freed ?? [];
    const forward = Array.from({ length: 2000 }, (_, i) => i);
    expect(drainOf("forward")).toEqual(forward);
    expect(drainOf("backward")).toEqual(forward.toReversed());
    const random = drainOf("random");
    expect(random.toSorted((a, b) => a - b)).toEqual(forward);
    const descents = random.filter((id, i) => i > 0 && id < (random[i - 1] ?? 0)).length;
    // Descents of a random permutation: mean (n - 1)/2, variance (n + 1)/12.
    expect(Math.abs(descents - 999.5)).toBeLessThan(4 * Math.sqrt(2001 / 12));
  });
});

describe("phases", () => {
  const given: PhasesOptions = { ...phases.defaults, survivors: 0.2, age: 2 };
  const all = stretchesOf(phases.generate(7, given) as Trace);

  it("needs the same memory in every phase, never more", () => {
    expect(all).toHaveLength(6);
    for (const { peakBytes } of all) {
      expect(peakBytes).toBeLessThanOrEqual(given.live);
      expect(peakBytes).toBeGreaterThan(0.999 * given.live);
    }
  });

  it("multiplies the median size from phase to phase", () => {
    const wanted = [48, 72, 108, 162, 243, 364.5];
    for (const [phase, median] of wanted.entries()) {
      const ratio = medianOf(all[phase]?.sizes ?? []) / median;
      // Of n log-normal sizes the median has a relative standard error of 1.25 * 0.25 / sqrt n; whole bytes blur it further.
      expect(Math.abs(ratio - 1)).toBeLessThan(0.02);
    }
  });

  it("leaves the share of survivors behind, and frees them when they are old", () => {
    const [first, second, third] = all as [Stretch, Stretch, Stretch];
    const ofFirst = (stretch: Stretch): number => stretch.freed.filter((id) => id < first.allocated.length).length;
    expect(Math.abs(first.bytes / first.peakBytes - 0.2)).toBeLessThan(0.01);
    expect(ofFirst(second)).toBe(0);
    expect(first.allocated.length - ofFirst(first)).toBe(ofFirst(third));
  });

  it("strews survivors between the blocks of their phase", () => {
    const [first] = all as [Stretch];
    const freed = new Set(first.freed);
    const survivors = first.allocated.filter((id) => !freed.has(id));
    const gaps = survivors.slice(1).map((id, i) => id - (survivors[i] ?? 0));
    expect(Math.max(...gaps)).toBeLessThan(0.01 * first.allocated.length);
  });
});
