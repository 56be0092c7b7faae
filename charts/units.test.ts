import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { byteTicks, countTicks, factorApart, percentTicks, ratioTicks } from "./units.js";

describe("ticks", () => {
  it("count bytes in powers of 1024 and state the unit once", () => {
    const ticks = byteTicks(150 * 1048576, 4);
    expect(ticks.labels).toEqual(["0", "50", "100", "150"]);
    expect(ticks.values).toEqual([0, 50 * 1048576, 100 * 1048576, 150 * 1048576]);
    expect(ticks.unit).toBe("MiB");
    expect(byteTicks(1023, 2).unit).toBe("B");
    expect(byteTicks(1024, 2)).toMatchObject({ labels: ["0", "0.5", "1"], unit: "KiB" });
  });

  it("count events in powers of 1000, with no 0M", () => {
    expect(countTicks(1_000_000, 5).labels).toEqual(["0", "0.2M", "0.4M", "0.6M", "0.8M", "1M"]);
    expect(countTicks(999_999, 5).labels).toEqual(["0", "200k", "400k", "600k", "800k"]);
    expect(countTicks(3, 6).labels).toEqual(["0", "1", "2", "3"]);
  });

  it("are exact multiples: 0.6 and not 0.6000000000000001", () => {
    expect(percentTicks(1, 5).values).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  });

  it("start at 0, rise evenly, stay inside and are as many as asked at most", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 2 ** 52, noNaN: true }), fc.integer({ min: 1, max: 12 }), (max, count) => {
        for (const { values, labels } of [byteTicks(max, count), countTicks(max, count), percentTicks(max, count)]) {
          expect(values[0]).toBe(0);
          expect(values.length).toBeLessThanOrEqual(count + 1);
          expect(values.length).toBeGreaterThan(1);
          expect(values.at(-1)).toBeLessThanOrEqual(max * (1 + 1e-8));
          expect(new Set(labels).size).toBe(labels.length);
          values.forEach((value, i) => {
            expect(value).toBeCloseTo(i * values[1], -Math.log10(values[1]) + 6);
          });
        }
      }),
    );
  });

  it("on a log axis have 1 among them and keep their distance", () => {
    expect(ratioTicks(1, 2.1, 1.1).values).toEqual([1, 1.25, 1.5, 1.75, 2]);
    expect(ratioTicks(0.9, 6.3, 1.5).values).toEqual([1, 2, 4]);
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        fc.double({ min: 1, max: 1e5, noNaN: true }),
        (low, high) => {
          const apart = factorApart(low, high, 12, 100);
          const { values } = ratioTicks(low, high, apart);
          expect(values).toContain(1);
          values.forEach((value, i) => {
            expect(value).toBeGreaterThanOrEqual(i === 0 ? low : values[i - 1] * apart);
            expect(value).toBeLessThanOrEqual(high);
          });
        },
      ),
    );
  });
});
