import { describe, expect, it } from "vitest";
import { ratioInterval } from "./ratio.js";
import { incompleteBeta, studentCdf, studentQuantile } from "./student.js";

describe("Student's t", () => {
  it("has the quantiles of the printed tables", () => {
    const table: [number, number, number][] = [
      [0.975, 1, 12.706204736174694],
      [0.975, 2, 4.302652729749462],
      [0.975, 4, 2.7764451051977934],
      [0.975, 9, 2.262157162798205],
      [0.975, 29, 2.045229642132703],
      [0.995, 5, 4.032142983555228],
      [0.95, 10, 1.8124611228116756],
      [0.975, 1000, 1.962339080825216],
    ];
    for (const [p, df, t] of table) expect(studentQuantile(p, df) / t).toBeCloseTo(1, 9);
  });

  it("has the closed forms for 1 and 2 degrees of freedom", () => {
    for (const t of [0.1, 0.5, 1, 3, 20]) {
      expect(studentCdf(t, 1)).toBeCloseTo(0.5 + Math.atan(t) / Math.PI, 12);
      expect(studentCdf(t, 2)).toBeCloseTo(0.5 + t / (2 * Math.sqrt(2 + t * t)), 12);
      expect(studentCdf(-t, 2)).toBeCloseTo(1 - studentCdf(t, 2), 12);
    }
  });

  it("rests on an incomplete beta function that is right where it has a closed form", () => {
    for (const x of [0, 0.01, 0.3, 0.5, 0.9, 1]) {
      expect(incompleteBeta(1, 1, x)).toBeCloseTo(x, 13);
      expect(incompleteBeta(2, 1, x)).toBeCloseTo(x * x, 13);
      expect(incompleteBeta(1, 3, x)).toBeCloseTo(1 - (1 - x) * (1 - x) * (1 - x), 13);
    }
  });
});

describe("the ratio to a baseline", () => {
  it("is the geometric mean, the same whichever is divided by which", () => {
    const a = [2, 8, 4];
    const b = [1, 2, 4];
    expect(ratioInterval(a, b).ratio).toBeCloseTo(2, 12);
    expect(ratioInterval(a, b).ratio * ratioInterval(b, a).ratio).toBeCloseTo(1, 12);
    expect(ratioInterval(a, b).low).toBeCloseTo(1 / ratioInterval(b, a).high, 12);
  });

  it("does not overflow for many pairs, where a product would", () => {
    const many = Array.from({ length: 2000 }, () => 3.5);
    expect(
      ratioInterval(
        many,
        many.map(() => 1),
      ).ratio,
    ).toBeCloseTo(3.5, 9);
  });

  it("has an interval that holds the mean and shrinks with n, and none for one pair", () => {
    const few = ratioInterval([1.1, 1.3], [1, 1]);
    const more = ratioInterval([1.1, 1.3, 1.1, 1.3, 1.1, 1.3], [1, 1, 1, 1, 1, 1]);
    expect(few.low).toBeLessThan(few.ratio);
    expect(few.high).toBeGreaterThan(few.ratio);
    expect(more.high - more.low).toBeLessThan(few.high - few.low);
    expect(ratioInterval([2], [1])).toEqual({ n: 1, ratio: expect.closeTo(2, 12), low: Number.NaN, high: Number.NaN });
    expect(ratioInterval([], []).n).toBe(0);
  });
});
