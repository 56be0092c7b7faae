import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FreeBitmaps } from "./free-bitmaps.js";

describe("the bitmaps of free blocks", () => {
  it("hand out the lowest block of each order as a sorted array does, whatever their size", () => {
    const unit = fc.oneof(fc.nat(40), fc.nat(2000), fc.nat(40_000), fc.nat(3_000_000));
    const order = fc.oneof(fc.nat(2), fc.nat(12));
    const take = fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
    const step = fc.tuple(order, unit, take);
    fc.assert(
      fc.property(fc.integer({ min: 13, max: 20 }), fc.array(step, { maxLength: 80, size: "max" }), (orders, steps) => {
        const bitmaps = new FreeBitmaps(orders);
        const model = Array.from({ length: orders }, () => new Set<number>());
        for (const [k, near, takes] of steps) {
          const at = (near >>> k) << k;
          for (let from = 0; from < orders; from++) {
            expect(bitmaps.smallest(from)).toBe(model.findIndex((set, i) => i >= from && set.size > 0));
          }
          if (takes && model[k].size > 0) {
            const lowest = Math.min(...model[k]);
            expect(bitmaps.take(k)).toBe(lowest);
            model[k].delete(lowest);
          } else if (!takes) {
            expect(bitmaps.has(k, at)).toBe(model[k].has(at));
            if (model[k].has(at)) bitmaps.remove(k, at);
            else bitmaps.add(k, at);
            if (!model[k].delete(at)) model[k].add(at);
          }
        }
        model.forEach((set, k) => {
          for (const lowest of [...set].sort((a, b) => a - b)) expect(bitmaps.take(k)).toBe(lowest);
        });
        expect(bitmaps.smallest(0)).toBe(-1);
      }),
      { numRuns: 200 },
    );
  });
});
