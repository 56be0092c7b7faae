import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SizeDemand } from "../allocator.js";
import { fitClasses, resolveGeometry } from "./geometry.js";
import { pymallocDefaults } from "./options.js";
import { classSizes, fittedSizes } from "./size-classes.js";

const sizesOf = (given: Partial<typeof pymallocDefaults>, align = 16): readonly number[] =>
  classSizes({ ...pymallocDefaults, ...given }, align);

const demandOf = (pairs: readonly (readonly [number, number])[]): SizeDemand => ({
  size: Float64Array.from(pairs, ([size]) => size),
  weight: Float64Array.from(pairs, ([, weight]) => weight),
});

/** Bytes of pools that a demand takes with some classes. */
function cost(demand: SizeDemand, sizes: readonly number[], share: (granules: number) => number): number {
  return demand.size.reduce((sum, size, i) => {
    const held = sizes.find((bytes) => bytes >= size);
    return held === undefined ? sum : sum + demand.weight[i] * share(held / 16);
  }, 0);
}

/** All ways to have `count` classes of which the last is `most`. */
function* choices(count: number, most: number): Generator<number[]> {
  if (count === 1) yield [most];
  else
    for (let next = count - 1; next < most; next++) {
      for (const rest of choices(count - 1, next)) yield [...rest, most];
    }
}

describe("size classes of pymalloc", () => {
  it("step by the alignment in CPython, 64 of 8 bytes or 32 of 16", () => {
    expect(sizesOf({})).toEqual(Array.from({ length: 32 }, (_, c) => 16 * (c + 1)));
    expect(sizesOf({}, 8)).toEqual(Array.from({ length: 64 }, (_, c) => 8 * (c + 1)));
  });

  it("step by more where asked for, and end at the threshold", () => {
    expect(sizesOf({ step: 16, threshold: 72 }, 8)).toEqual([16, 32, 48, 64, 72]);
    expect(sizesOf({ step: 128 })).toEqual([128, 256, 384, 512]);
  });

  it("have equal steps between powers of two where they are geometric", () => {
    const four = [16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512];
    expect(sizesOf({ spacing: "geometric" })).toEqual(four);
    expect(sizesOf({ spacing: "geometric", perDoubling: 1, threshold: 208 })).toEqual([16, 32, 64, 128, 208]);
    const three = [16, 32, 48, 64, 96, 112, 128, 176, 224, 256];
    expect(sizesOf({ spacing: "geometric", perDoubling: 3, threshold: 256 })).toEqual(three);
  });

  it.each([8, 16])("are ascending multiples of the alignment %i for any number of geometric classes", (align) => {
    for (let perDoubling = 1; perDoubling <= 64; perDoubling++) {
      const sizes = sizesOf({ spacing: "geometric", perDoubling, threshold: 2000 }, align);
      expect(sizes.filter((size, i) => size % align !== 0 || size <= (sizes[i - 1] ?? 0))).toEqual([]);
      expect(sizes.at(-1)).toBe(2000);
    }
  });

  it.each([
    ["sizes", { sizes: "16+512" }, "spacing=listed"],
    ["perDoubling", { perDoubling: 3 }, "spacing=geometric"],
    ["classes", { spacing: "geometric", classes: 8 }, "spacing=fitted"],
    ["step", { spacing: "geometric", step: 32 }, "spacing=linear"],
  ])("are refused where option %s would have no effect", (option, options, mend) => {
    expect(() => resolveGeometry(options)).toThrow(`pymalloc: option ${option}: it has no effect under`);
    expect(() => resolveGeometry(options)).toThrow(`give ${mend}`);
  });

  it("hold every request in the least class, whatever the spacing", () => {
    const { classOf, threshold } = resolveGeometry({ spacing: "listed", sizes: "48+64+400", threshold: 400 });
    const sizes = Array.from({ length: threshold }, (_, i) => 16 * (classOf[i + 1] + 1));
    expect(sizes).toEqual(sizes.map((_, i) => (i < 48 ? 48 : i < 64 ? 64 : 400)));
  });
});

describe("fitted classes", () => {
  const share = (granules: number): number => 4096 / Math.floor(4048 / (16 * granules));

  it("cost no more than any other classes of their number", () => {
    const size = fc.integer({ min: 1, max: 160 });
    const weight = fc.integer({ min: 0, max: 1000 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(size, weight), { maxLength: 12 }),
        fc.integer({ min: 1, max: 10 }),
        (pairs, count) => {
          const demand = demandOf(pairs);
          const fitted = fittedSizes(demand, count, 16, 160, share);
          expect(fitted.length).toBe(count);
          const least = Math.min(
            ...[...choices(count, 10)].map((granules) =>
              cost(
                demand,
                granules.map((g) => 16 * g),
                share,
              ),
            ),
          );
          expect(cost(demand, fitted, share)).toBeCloseTo(least, 6);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are the sizes asked for where these are few", () => {
    const demand = demandOf([
      [40, 10],
      [100, 3],
      [333, 1],
      [5000, 9],
    ]);
    const fitted = fitClasses({ ...pymallocDefaults, spacing: "fitted", classes: 4 }, () => demand);
    expect([fitted.spacing, fitted.sizes]).toEqual(["listed", "48+112+336+512"]);
    expect(resolveGeometry({ ...fitted }).sizes).toEqual([48, 112, 336, 512]);
  });

  it("are as many as linear ones by default, which they then are", () => {
    const fitted = fitClasses({ ...pymallocDefaults, spacing: "fitted" }, () => demandOf([[1, 1]]));
    expect(fitted.sizes.split("+").map(Number)).toEqual(sizesOf({}));
  });

  it("are asked for only where the option says so", () => {
    const none = (): SizeDemand => {
      throw new Error("not needed");
    };
    expect(fitClasses(pymallocDefaults, none)).toBe(pymallocDefaults);
  });
});
