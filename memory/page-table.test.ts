import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PAGES, PageTable } from "./page-table.js";

/** Pages near the borders of chunks (2^12) and tiers (2^21), and at both ends. */
const page = fc
  .tuple(fc.constantFrom(0, 4096, 8192, 2097152, 4194304, 1073741824, PAGES - 20), fc.integer({ min: -8, max: 8 }))
  .map(([base, delta]) => Math.max(0, base + delta));

describe("a page table", () => {
  it("reads back what was set and filled last, and finds the ends of runs", () => {
    const change = fc.tuple(page, page, fc.constantFrom<number>(0, 1, 9, 25));
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 12 }),
        fc.array(page, { minLength: 8, maxLength: 8 }),
        (changes, probes) => {
          const table = new PageTable();
          const at = (probe: number): number =>
            changes.findLast(
              ([a, b]) => probe >= Math.min(a, b) && (a === b ? probe === a : probe < Math.max(a, b)),
            )?.[2] ?? 0;
          // A long fill with a state that no shared chunk has would copy every chunk: such states are set singly.
          const kept = changes.map(([a, b, state]): [number, number, number] =>
            state > 15 ? [a, a, state] : [a, b, state],
          );
          changes.splice(0, changes.length, ...kept);
          for (const [a, b, state] of changes) {
            if (a === b) table.set(a, state);
            else table.fill(Math.min(a, b), Math.max(a, b), state);
          }
          const borders = [...new Set([...changes.flatMap(([a, b]) => (a === b ? [a, a + 1] : [a, b])), PAGES])].sort(
            (a, b) => a - b,
          );
          for (const probe of probes) {
            expect(table.get(probe)).toBe(at(probe));
            const end = borders.find((border) => border > probe && (border === PAGES || at(border) !== at(probe)));
            expect(table.runEnd(probe, PAGES)).toBe(end);
            expect(table.runEnd(probe, probe + 3)).toBe(Math.min(probe + 3, end ?? 0));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("does not show a change in one table to another", () => {
    const one = new PageTable();
    const other = new PageTable();
    one.fill(0, 8192, 9);
    other.fill(0, 8192, 9);
    one.set(5, 1);
    expect([one.get(5), other.get(5), one.get(4101), other.get(1000000)]).toEqual([1, 9, 9, 0]);
  });
});
