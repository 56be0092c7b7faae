import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FootprintLog } from "./footprint-log.js";

describe("a footprint log", () => {
  it("has one entry for each event that changed the footprint: the last value and the largest", () => {
    const change = fc.tuple(fc.nat(3), fc.nat(1000000));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 700 }), (changes) => {
        const log = new FootprintLog();
        const expected = new Map<number, number[]>();
        for (const [skip, footprint] of changes) {
          log.now += skip;
          log.record(footprint);
          expected.set(log.now, [...(expected.get(log.now) ?? []), footprint]);
        }
        const entries = Array.from({ length: log.length }, (_, i) => [log.when[i], log.after[i], log.peak[i]]);
        expect(entries).toEqual([...expected].map(([now, values]) => [now, values.at(-1), Math.max(...values)]));
      }),
    );
  });

  it("starts afresh after clear, in the same event too", () => {
    const log = new FootprintLog();
    log.now = 7;
    log.record(900);
    log.clear();
    expect(log.length).toBe(0);
    log.record(100);
    expect([log.length, log.when[0], log.after[0], log.peak[0]]).toEqual([1, 7, 100, 100]);
  });
});
