/** The invariants of the heap, the table and their accounts, over programs on every way to move blocks. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costsByName } from "../../memory/costs.js";
import { formatSelector } from "../../memory/options.js";
import { type HandleTableOptions, handleTable } from "./handle-table.js";
import { longProgram, minimal, Program, run, type Step } from "./program.properties.js";

/** Option sets, with the number of long programs for each: 200 in all. */
const variants: [Partial<HandleTableOptions>, number][] = [
  [{}, 30],
  [{ compact: "twoFinger" }, 20],
  [{ compact: "bestFit", freeOrder: "lowest", releaseTablePages: true }, 20],
  [
    { compact: "semispace", payloadOnly: true, copyAlways: true, entryBytes: 16, pins: "bernoulli", pinShare: 0.05 },
    20,
  ],
  [{ compact: "semispace", place: "bump", copyAlways: true, trimOnMove: true }, 10],
  [{ compact: "evacuate", freeOrder: "fifo", generations: 3, releaseTablePages: true }, 20],
  [{ resume: true, cPartial: 3 }, 20],
  [{ resume: true, fit: "firstInList", entryBytes: 4, generations: 16, retireOnWrap: true }, 10],
  [{ compact: "twoFinger", pins: "sticky", pinShare: 0.1, pinnedHigh: true }, 10],
  [{ inner: "pymalloc", compact: "evacuate", pins: "window", pinShare: 0.2 }, 10],
  [{ inner: "first-fit", compact: "evacuate", releaseTablePages: true, freeOrder: "lowest" }, 10],
  [{ place: "bump" }, 5],
  [{ place: "bump", compact: "twoFinger" }, 5],
  [{ fit: "firstInList", trimOnMove: true, minSplit: 64, generations: 2, growth: 4096 }, 5],
  [{ compact: "twoFinger", trimOnMove: true, minHolePages: 2, tailRelease: 2 }, 5],
];

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 16, 17, 32, 48, 4064, 4080, 4096) },
  { weight: 1, arbitrary: fc.integer({ min: 300, max: 30_000 }) },
);
const pick = fc.nat(1_000_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("allocate" as const),
      size,
      alignment: fc.constantFrom(0, 0, 0, 0, 0, 32, 256),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("free" as const), pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reallocate" as const), pick, size }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("pin" as const, "unpin" as const, "stale" as const), pick }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("compact" as const),
      budget: fc.constantFrom(0, 40, 1000, Infinity, Infinity),
    }),
  },
);

/** What goes wrong when a program is looked at now and then, if anything does. */
function failureOf(options: Partial<HandleTableOptions>, steps: readonly Step[]): unknown {
  try {
    run(options, steps, 500);
  } catch (error) {
    return error;
  }
  return undefined;
}

for (const [options, seeds] of variants) {
  describe(`${formatSelector("handle-table", handleTable.options, { ...handleTable.defaults, ...options })}`, () => {
    it("keeps its structure, contents, handles and accounts after every step of short programs", () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 50, size: "max" }), (steps) => run(options, steps, 1)),
        { numRuns: 40 },
      );
    });

    it("keeps them through long programs", () => {
      for (let seed = 0; seed < seeds; seed++) {
        const steps = [...longProgram(seed, 4000)];
        const failure = failureOf(options, steps);
        if (failure === undefined) continue;
        const least = minimal(steps, (some) => failureOf(options, some) !== undefined, 300);
        throw new Error(`seed ${seed}: ${JSON.stringify(least)}`, { cause: failure });
      }
    });
  });
}

describe("the shrinker", () => {
  it("leaves the steps without which a program does not fail", () => {
    const steps = [...longProgram(1, 300)];
    const wanted = [steps[17], steps[203]];
    const least = minimal(steps, (some) => wanted.every((one) => some.includes(one)), 1000);
    expect(least).toEqual(wanted);
  });
});

describe("two runs of one program", () => {
  it("end with identical counters", () => {
    const ends = [0, 1].map(() => {
      const program = new Program({});
      for (const one of longProgram(7, 3000)) program.take(one);
      return { costs: costsByName(program.space.costs), footprint: program.space.peakFootprint };
    });
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[0]?.costs.moves).toBeGreaterThan(100);
  });
});
