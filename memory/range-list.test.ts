import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RangeList } from "./range-list.js";

/** Takes the lowest run the slow way: tries every start in a set of free integers. */
function naiveTake(free: Set<number>, end: number, length: number, alignment: number): number {
  for (let at = 0; at + length <= end; at += alignment) {
    let fits = true;
    for (let i = at; i < at + length && fits; i++) fits = free.has(i);
    if (!fits) continue;
    for (let i = at; i < at + length; i++) free.delete(i);
    return at;
  }
  return -1;
}

describe("a range list", () => {
  it("takes what a naive search takes, whatever is given back in whatever parts", () => {
    const action = fc.record({
      take: fc.boolean(),
      length: fc.integer({ min: 1, max: 9 }),
      shift: fc.nat(3),
      pick: fc.nat(999),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const list = new RangeList(3, 100);
        const free = new Set(Array.from({ length: 97 }, (_, i) => i + 3));
        const taken: [number, number][] = [];
        for (const { take, length, shift, pick } of actions) {
          if (take) {
            const at = list.take(length, 1 << shift);
            expect(at).toBe(naiveTake(free, 100, length, 1 << shift));
            if (at >= 0) taken.push([at, length]);
          } else if (taken.length > 0) {
            const [[start, whole]] = taken.splice(pick % taken.length, 1);
            const part = 1 + (pick % whole);
            list.give(start, part);
            for (let i = start; i < start + part; i++) free.add(i);
            if (part < whole) taken.push([start + part, whole - part]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it("finds the lowest hole among thousands, and has all of its range back at the end", () => {
    const list = new RangeList(0, 40000);
    const order = Array.from({ length: 10000 }, (_, i) => (i * 7919) % 10000);
    for (let i = 0; i < 10000; i++) expect(list.take(4, 4)).toBe(4 * i);
    expect(list.take(1, 1)).toBe(-1);
    for (const i of order) if (i % 2 === 1) list.give(4 * i, 4);
    expect(list.take(5, 1)).toBe(-1);
    list.give(4 * 6000, 4);
    expect(list.take(5, 4)).toBe(4 * 5999);
    expect(list.take(4, 1)).toBe(4);
    list.give(4, 4);
    list.give(4 * 5999, 5);
    for (const i of order) if (i % 2 === 0 && i !== 6000) list.give(4 * i, 4);
    expect(list.take(40000, 1)).toBe(0);
  });

  it("works beyond 2^31", () => {
    const start = 1099511627776;
    const list = new RangeList(start, start * 2);
    expect(list.take(5, 4096)).toBe(start);
    expect(list.take(5, 4096)).toBe(start + 4096);
    expect(list.take(start, 1)).toBe(-1);
  });
});
