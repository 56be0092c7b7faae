import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Counts, quantilesAt, quantilesOfCounts } from "./quantiles.js";

const shares = [0, 0.1, 0.25, 0.5, 0.9, 0.999, 1];
const values = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 1e6 }), fc.maxSafeNat(), fc.constant(65_536)),
  { maxLength: 200 },
);

/** The definition: the least value that at least a share of all do not exceed. */
function bySorting(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

describe("quantiles", () => {
  it("are what sorting gives", () => {
    fc.assert(
      fc.property(values, (sample) => {
        const expected = shares.map((share) => bySorting(sample, share));
        // What stands behind the count does not matter.
        expect(quantilesAt(Float64Array.from([...sample, 7, 7e9]), sample.length, shares)).toEqual(expected);
      }),
    );
  });

  it("of counts are the same", () => {
    fc.assert(
      fc.property(values, (sample) => {
        const counts = new Counts();
        for (const value of sample) counts.add(value);
        expect(quantilesOfCounts(counts.sorted(), shares)).toEqual(shares.map((share) => bySorting(sample, share)));
        expect(counts.total).toBe(sample.length);
        expect(Array.from(counts.sorted().values)).toEqual([...new Set(sample)].sort((a, b) => a - b));
      }),
    );
  });
});
