import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type SlicedCell, slicesOf } from "./slices.js";

const cell = (index: number, trace: string, events: number): SlicedCell => ({ index, trace, events });

describe("slices of a plan", () => {
  it("hold the cells of a trace together as far as a task's share goes", () => {
    const cells = [0, 1, 2, 3].flatMap((trace) => [0, 1, 2].map((n) => cell(3 * trace + n, `trace ${trace}`, 100)));
    expect(slicesOf(cells, 4)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7, 8],
      [9, 10, 11],
    ]);
    expect(slicesOf(cells, 1)).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]]);
    expect(slicesOf(cells, 100)).toHaveLength(12);
  });

  it("divide a trace that is longer than a task's share", () => {
    const cells = [cell(4, "long", 1000), cell(5, "long", 1000), cell(6, "short", 10), cell(7, "short", 10)];
    expect(slicesOf(cells, 2)).toEqual([[4, 6, 7], [5]]);
  });

  it("hold each cell once, none is empty, and none has more than its share and the longest piece", () => {
    const plan = fc.array(fc.record({ trace: fc.constantFrom("a", "b", "c"), events: fc.nat(1000) }), { minLength: 1 });
    fc.assert(
      fc.property(plan, fc.integer({ min: 1, max: 12 }), (parts, tasks) => {
        const cells = parts.map(({ trace, events }, index) => cell(index, trace, events));
        const slices = slicesOf(cells, tasks);
        expect(slices.length).toBeLessThanOrEqual(tasks);
        expect(slices.every((slice) => slice.length > 0)).toBe(true);
        expect(slices.flat().sort((a, b) => a - b)).toEqual(cells.map(({ index }) => index));
        const share = cells.reduce((sum, { events }) => sum + events, 0) / tasks;
        const longest = Math.max(share, ...cells.map(({ events }) => events));
        for (const slice of slices) {
          const load = slice.reduce((sum, index) => sum + cells[index].events, 0);
          expect(load).toBeLessThanOrEqual(share + longest);
        }
      }),
      {
        examples: [
          [
            [
              { trace: "a", events: 0 },
              { trace: "b", events: 0 },
            ],
            2,
          ],
        ],
      },
    );
  });
});
