import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bitset } from "./bitset.js";

/** Members near the borders of words and levels. */
const member = fc
  .tuple(fc.constantFrom(0, 32, 64, 1024, 2048, 32768, 65536), fc.integer({ min: -3, max: 3 }))
  .map(([base, delta]) => Math.max(0, base + delta));

describe("a bitset", () => {
  it("holds what a sorted list holds, and finds the same members, while it grows", () => {
    const action = fc.tuple(fc.constantFrom("set", "set", "clear", "ensure"), member);
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 60 }),
        fc.array(member, { minLength: 6, maxLength: 6 }),
        (actions, probes) => {
          const set = new Bitset(1);
          const model = new Set<number>();
          for (const [kind, i] of actions) {
            if (kind === "set") {
              set.set(i);
              model.add(i);
            } else if (kind === "clear") {
              set.clear(i);
              model.delete(i);
            } else set.ensure(i);
            const sorted = [...model].sort((a, b) => a - b);
            expect([set.count, set.first()]).toEqual([sorted.length, sorted[0] ?? -1]);
            for (const probe of probes) {
              expect(set.has(probe)).toBe(model.has(probe));
              expect(set.next(probe)).toBe(sorted.find((j) => j >= probe) ?? -1);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("lists all members in order by next, at every density", () => {
    for (const step of [1, 2, 31, 32, 33, 1000, 40000]) {
      const set = new Bitset(100000);
      const members: number[] = [];
      for (let i = step - 1; i < 100000; i += step) members.push(i);
      for (const i of members.toReversed()) set.set(i);
      const listed: number[] = [];
      for (let i = set.first(); i >= 0; i = set.next(i + 1)) listed.push(i);
      expect(listed).toEqual(members);
      const drained = members.map(() => {
        const first = set.first();
        set.clear(first);
        return first;
      });
      expect(drained).toEqual(members);
      expect([set.first(), set.next(0), set.count]).toEqual([-1, -1, 0]);
    }
  });

  it("reaches to tens of millions", () => {
    const set = new Bitset(40000000);
    for (const i of [39999999, 33554432, 33554431]) set.set(i);
    expect([set.first(), set.next(33554432), set.next(33554433), set.next(40000000)]).toEqual([
      33554431, 33554432, 39999999, -1,
    ]);
  });

  it("is empty after reset, and asks no more of an integer it has no room for", () => {
    const set = new Bitset(8);
    set.set(5000);
    set.set(3);
    set.reset();
    expect([set.first(), set.count, set.has(5000), set.has(9000000), set.next(9000000)]).toEqual([
      -1,
      0,
      false,
      false,
      -1,
    ]);
    set.clear(9000000);
    set.set(5000);
    expect([set.first(), set.count]).toEqual([5000, 1]);
  });
});
