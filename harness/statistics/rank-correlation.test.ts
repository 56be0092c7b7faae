import { describe, expect, it } from "vitest";
import { interval } from "./interval.js";
import { rankCorrelation } from "./rank-correlation.js";

describe("Spearman's rank correlation", () => {
  it("is 1 for the same order, -1 for the reverse, and gives ties their mean rank", () => {
    expect(rankCorrelation([1, 2, 3, 4], [10, 20, 40, 80])).toBeCloseTo(1, 14);
    expect(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1])).toBeCloseTo(-1, 14);
    // By hand: ranks 1 2.5 2.5 4 against 1 2 3 4: 4.5 / sqrt(4.5 * 5).
    expect(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4])).toBeCloseTo(Math.sqrt(0.9), 14);
  });
});

describe("the t interval of a mean", () => {
  it("is that of a printed table: 2.776 standard errors for five samples", () => {
    const { n, mean, low, high } = interval([1, 2, 3, 4, 5]);
    expect([n, mean]).toEqual([5, 3]);
    expect(high - mean).toBeCloseTo(2.776445 * Math.sqrt(0.5), 6);
    expect(mean - low).toBeCloseTo(high - mean, 12);
  });

  it("has no bounds for one sample and no mean for none", () => {
    expect(interval([7])).toEqual({ n: 1, mean: 7, low: Number.NaN, high: Number.NaN });
    expect(interval([]).mean).toBeNaN();
  });
});
