import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocksOf, markOf } from "../block-list.properties.js";
import { churn } from "../churn.js";
import { modifiers } from "../registry.js";
import { larson } from "../shaped/larson.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { summarise } from "../trace-summary.js";
import { type AccessedOptions, accessed } from "./accessed.js";
import { type AgedOptions, aged } from "./aged.js";
import { modified } from "./modifier.js";
import { type PinnedOptions, pinned } from "./pinned.js";

const base = churn.generate(1, { ...churn.defaults, live: 1000, events: 20_000 }) as Trace;

/** What a trace does, without the numbers of its slots: op, size and age of the block in births. */
function requestsOf(trace: Trace, from = 0): string[] {
  const births = new Map<number, number>();
  let born = 0;
  const requests: string[] = [];
  for (let i = 0; i < trace.length; i++) {
    const code = trace.op[i] & OP_MASK;
    const slot = trace.slot[i];
    if (code === Op.allocate) births.set(slot, i < from ? -1 : born++);
    const block = code === Op.phase ? trace.labels[slot] : births.get(slot);
    if (i >= from) requests.push(`${trace.op[i]} ${trace.size[i]} ${block}`);
  }
  return requests;
}

describe("every modifier", () => {
  it.each(Object.entries(modifiers))(
    "%s keeps the events of the workload, is the same for a seed and differs for another",
    (name, spec) => {
      expect(spec.name).toBe(name);
      const run = (seed: number): Trace => spec.apply(base, seed, spec.defaults);
      expect(run(1).digest).toBe(run(1).digest);
      expect(run(1).digest).not.toBe(run(2).digest);
      const start = name === "aged" ? markOf(run(1), "aged") + 1 : 0;
      const kept = requestsOf(run(1), start).filter((request) => !/^[345] /.test(request));
      expect(kept).toEqual(requestsOf(base));
    },
  );

  it.each([
    ["aged", "6c38fc7378ce9809"],
    ["pinned", "4575b47c75ee3a61"],
    ["accessed", "002b587acc8dd0fa"],
  ])("%s gives the same trace for ever", (name, digest) => {
    expect(modifiers[name]?.apply(base, 1, modifiers[name].defaults).digest).toBe(digest);
  });

  it("keeps threads, sites and alignments", () => {
    const builder = new TraceBuilder("tiny");
    builder.thread(3);
    const block = builder.allocate(100, 64, builder.site("main;load"));
    builder.thread(0);
    builder.reallocate(block, 200, builder.site("main;grow"));
    builder.free(block);
    const trace = builder.build();
    expect(pinned.apply(trace, 1, { share: 0, hold: 0 }).digest).toBe(trace.digest);
    const threads = larson.generate(1, { ...larson.defaults, blocks: 10, events: 2000 }) as Trace;
    expect(pinned.apply(threads, 1, { share: 0, hold: 0 }).digest).toBe(threads.digest);
  });

  it("makes a workload with the options of both", async () => {
    const spec = modified(churn, aged);
    expect(spec.name).toBe("churn+aged");
    const given = { ...spec.defaults, live: 1000, events: 20_000, "aged.occupancy": 0.3 };
    const trace = await spec.generate(1, given);
    expect(trace.digest).toBe(aged.apply(base, 1, { ...aged.defaults, occupancy: 0.3 }).digest);
  });
});

describe("aged", () => {
  const run = (given: Partial<AgedOptions>): Trace => aged.apply(base, 5, { ...aged.defaults, ...given });

  it.each([0.05, 0.3, 0.5, 0.9])(
    "leaves a share of %d of the old heap live, with room for the whole workload",
    (occupancy) => {
      const trace = run({ occupancy, room: 4 });
      const mark = markOf(trace, "aged");
      const litter = blocksOf(trace).filter((block) => block.event < mark);
      const left = litter.filter((block) => block.freedEvent > mark);
      expect(left.every((block) => block.freedBy < 0)).toBe(true);
      const share = left.length / litter.length;
      expect(Math.abs(share - occupancy)).toBeLessThan(4.5 * Math.sqrt((occupancy * (1 - occupancy)) / litter.length));
      const bytes = (blocks: typeof litter): number => blocks.reduce((sum, block) => sum + block.size, 0);
      const room = 4 * summarise(base).peakLiveBytes;
      expect((bytes(litter) * (1 - occupancy)) / room).toBeCloseTo(1, 2);
      expect(Math.abs((bytes(litter) - bytes(left)) / room - 1)).toBeLessThan(0.12);
    },
  );

  it("lets neighbours live and die together in runs", () => {
    const trace = run({ run: 20, room: 20 });
    const mark = markOf(trace, "aged");
    const lives = blocksOf(trace)
      .filter((block) => block.event < mark)
      .map((block) => block.freedBy < 0);
    // Runs of 20 with a coin for each: a change between neighbours with chance (1/20) (1/2).
    const changes = lives.filter((alive, i) => i > 0 && alive !== lives[i - 1]).length / lives.length;
    expect(Math.abs(changes - 1 / 40)).toBeLessThan(0.004);
  });

  it("litters with the workload's own sizes, or those of a mix", () => {
    const own = new Set(blocksOf(base).map((block) => block.size));
    expect(blocksOf(run({})).every((block) => own.has(block.size))).toBe(true);
    const mark = markOf(run({ litter: "fixed" }), "aged");
    const litter = blocksOf(run({ litter: "fixed" })).filter((block) => block.event < mark);
    expect(new Set(litter.map((block) => block.size))).toEqual(new Set([64]));
  });

  it("needs sizes", () => {
    const builder = new TraceBuilder("marks");
    builder.phase("only");
    expect(() => aged.apply(builder.build(), 1, aged.defaults)).toThrow("aged: marks allocates nothing");
  });
});

describe("pinned", () => {
  const run = (given: Partial<PinnedOptions>): Trace => pinned.apply(base, 5, { ...pinned.defaults, ...given });

  it("pins a share of the blocks at birth", () => {
    const { pins, allocations } = summarise(run({ share: 0.2 }));
    expect(Math.abs(pins / allocations - 0.2)).toBeLessThan(4.5 * Math.sqrt(0.16 / allocations));
  });

  it("takes a pin back after so many events, unless the block is gone", () => {
    const trace = run({ share: 1, hold: 100 });
    const since = new Map<number, number>();
    let events = 0;
    let back = 0;
    for (let i = 0; i < trace.length; i++) {
      const code = trace.op[i] & OP_MASK;
      const slot = trace.slot[i];
      if (code === Op.pin) since.set(slot, events);
      else if (code === Op.unpin) {
        expect(events - (since.get(slot) as number)).toBe(100);
        since.delete(slot);
        back++;
      } else {
        if (code === Op.free) since.delete(slot);
        events++;
      }
    }
    expect(back).toBeGreaterThan(8000);
    expect([...since.values()].every((event) => events - event <= 100)).toBe(true);
  });
});

describe("accessed", () => {
  const run = (given: Partial<AccessedOptions>, trace = base): Trace =>
    accessed.apply(trace, 5, { ...accessed.defaults, ...given });

  it("visits as often and dereferences as much as it is told", () => {
    const trace = run({ visits: 2.5, dereferences: 4 });
    const visits = trace.op.filter((op) => op === Op.access).length;
    // Nothing is live before the first allocation.
    expect(Math.abs(visits - 2.5 * base.length)).toBeLessThan(6);
    // A geometric variable of mean 4 has variance 12.
    expect(Math.abs(summarise(trace).accesses / visits - 4)).toBeLessThan(4.5 * Math.sqrt(12 / visits));
  });

  const builder = new TraceBuilder("still");
  for (let i = 0; i < 1000; i++) builder.allocate(16);
  for (let i = 0; i < 99_000; i++) builder.phase("wait");
  const still = builder.build();
  const visited = (trace: Trace): number[] =>
    Array.from(trace.slot.filter((_, i) => trace.op[i] === Op.access)).slice(1000);

  it("walks in the order of birth, round and round", () => {
    const slots = visited(run({ ordered: 1 }, still));
    expect(slots.every((slot, i) => i === 0 || slot === ((slots[i - 1] ?? 0) + 1) % 1000)).toBe(true);
  });

  it("follows Zipf's law otherwise", () => {
    const slots = visited(run({ ordered: 0, zipf: 1 }, still));
    const counts = new Float64Array(1000);
    for (const slot of slots) counts[slot]++;
    const ranked = counts.sort().toReversed();
    const harmonic = Array.from({ length: 1000 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b);
    for (const rank of [1, 2, 5]) {
      const expected = 1 / rank / harmonic;
      const share = (ranked[rank - 1] ?? 0) / slots.length;
      expect(Math.abs(share - expected)).toBeLessThan(4.5 * Math.sqrt(expected / slots.length));
    }
  });

  it("visits live blocks only, whatever the workload does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true }), (seed, ordered) => {
        const trace = churn.generate(seed, { ...churn.defaults, live: 5, events: 500 }) as Trace;
        // The builder refuses an access to what is not live.
        expect(accessed.apply(trace, seed, { ...accessed.defaults, ordered }).length).toBeGreaterThan(trace.length);
      }),
      { numRuns: 30 },
    );
  });
});
