import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocksOf } from "../block-list.properties.js";
import { recorded } from "../recorded.js";
import { gcSurvivors } from "../shaped/gc-survivors.js";
import { synthetic } from "../synthetic/synthetic.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { summarise } from "../trace-summary.js";
import { cloneOf } from "./clone.js";
import { fitClone } from "./fit.js";
import { goodnessOf } from "./goodness.js";
import { classOf, lifeBounds, lifeStep } from "./model.js";

const clone = (trace: Trace, phases = 64, seed = 1): Trace => cloneOf(fitClone(trace, phases), "clone", seed);

describe("steps of lifetimes", () => {
  it("hold each number between their bounds, at most a sixteenth apart", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_099_511_627_776 }), (births) => {
        const { low, high } = lifeBounds(lifeStep(births));
        expect(low).toBeLessThanOrEqual(births);
        expect(high).toBeGreaterThan(births);
        expect(high - low).toBeLessThanOrEqual(Math.max(1, low / 16));
      }),
    );
    expect([8, 9, 10, 16, 19, 20].map(classOf)).toEqual([8, 8, 9, 12, 12, 13]);
  });
});

describe("a clone", () => {
  const survivors = gcSurvivors.generate(1, { ...gcSurvivors.defaults, events: 100_000 }) as Trace;

  it("asks for exactly the same sizes, and frees and reallocates as often", async () => {
    const original = await recorded.generate(1, { ...recorded.defaults, trace: "lua-mix" });
    const copy = clone(original);
    const sorted = (trace: Trace): number[] =>
      blocksOf(trace)
        .map((block) => block.size)
        .sort((a, b) => a - b);
    expect(sorted(copy)).toEqual(sorted(original));
    const { reallocations, frees, endLiveBlocks } = summarise(original);
    expect(summarise(copy)).toMatchObject({ reallocations, frees, endLiveBlocks });
  });

  it("comes near to a recorded program", async () => {
    const original = await recorded.generate(1, { ...recorded.defaults, trace: "lua-mix" });
    const near = goodnessOf(original, clone(original));
    expect(near.sizesByBlocks).toBe(0);
    expect(near.sizesByBytes).toBe(0);
    expect(near.lifetimesByBlocks).toBeLessThan(0.06);
    expect(near.course).toBeLessThan(0.06);
    expect(Math.abs(near.peak - 1)).toBeLessThan(0.06);
    // With one phase there is no course: lifetimes alone do not tell when blocks live.
    expect(goodnessOf(original, clone(original, 1)).course).toBeGreaterThan(near.course);
  });

  it("keeps lifetimes that depend on the size", () => {
    const original = synthetic.generate(1, {
      ...synthetic.defaults,
      ...{ live: 1000, events: 100_000, sizes: "bimodal", sigma: 0.01, bySize: 1 },
    }) as Trace;
    const median = (trace: Trace, large: boolean): number => {
      const lives = blocksOf(trace)
        .filter((block) => block.size > 500 === large)
        .map((block) => block.death - block.birth)
        .sort((a, b) => a - b);
      return lives[lives.length >> 1] ?? 0;
    };
    const copy = clone(original, 8);
    for (const large of [false, true]) {
      expect(Math.abs(median(copy, large) / median(original, large) - 1)).toBeLessThan(0.1);
    }
    expect(median(copy, true)).toBeGreaterThan(10 * median(copy, false));
  });

  it("is the same for a seed, another for another, and of nothing of the original's order", () => {
    const model = fitClone(survivors, 16);
    expect(cloneOf(model, "clone", 1).digest).toBe("c5dd11eaa985ddd6");
    expect(cloneOf(model, "clone", 2).digest).not.toBe(cloneOf(model, "clone", 1).digest);
    const order = (trace: Trace): string =>
      blocksOf(trace)
        .map((block) => block.size)
        .join(" ");
    expect(order(cloneOf(model, "clone", 1))).not.toBe(order(survivors));
  });

  it("follows any trace of allocations, reallocations and frees", () => {
    const request = fc.record({ kind: fc.integer({ min: 0, max: 3 }), size: fc.integer({ min: 0, max: 3000 }) });
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 9 }),
        (requests, phases) => {
          const builder = new TraceBuilder("any");
          const live: number[] = [];
          for (const { kind, size } of requests) {
            if (kind < 2 || live.length === 0) live.push(builder.allocate(size));
            else if (kind === 2) builder.reallocate(live[size % live.length] as number, size);
            else builder.free(live.splice(size % live.length, 1)[0] as number);
          }
          const original = builder.build();
          // The builder refuses what no program can ask for, such as a reallocation after the free.
          const { allocations, reallocations, frees, endLiveBlocks } = summarise(original);
          expect(summarise(clone(original, phases))).toMatchObject({
            allocations,
            reallocations,
            frees,
            endLiveBlocks,
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe("goodness of fit", () => {
  it("is perfect for a trace and itself, and sees what differs", () => {
    const trace = synthetic.generate(1, { ...synthetic.defaults, live: 500, events: 20_000 }) as Trace;
    expect(goodnessOf(trace, trace)).toEqual({
      ...{
        sizesByBlocks: 0,
        sizesByBytes: 0,
        lifetimesByBlocks: 0,
        lifetimesByBytes: 0,
        course: 0,
        peak: 1,
        events: 1,
      },
    });
    const other = synthetic.generate(1, { ...synthetic.defaults, live: 1000, events: 20_000, size: 128 }) as Trace;
    const far = goodnessOf(trace, other);
    expect(far.sizesByBlocks).toBeGreaterThan(0.2);
    expect(far.lifetimesByBlocks).toBeGreaterThan(0.2);
    expect(far.peak).toBeGreaterThan(3);
  });
});
