import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bitmap } from "./bitmap.js";

describe("the bitmap of free blocks", () => {
  it("hands out its lowest member as a sorted array does, whatever its size", () => {
    const member = fc.oneof(fc.nat(40), fc.nat(2000), fc.nat(40_000), fc.nat(3_000_000));
    const step = fc.oneof({ weight: 3, arbitrary: member }, { weight: 1, arbitrary: fc.constant(-1) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: "max" }), (steps) => {
        const bitmap = new Bitmap();
        const model = new Set<number>();
        for (const one of steps) {
          expect(bitmap.isEmpty()).toBe(model.size === 0);
          if (one < 0 && model.size > 0) {
            const lowest = Math.min(...model);
            expect(bitmap.take()).toBe(lowest);
            model.delete(lowest);
          } else if (one >= 0) {
            expect(bitmap.has(one)).toBe(model.has(one));
            if (model.has(one)) bitmap.remove(one);
            else bitmap.add(one);
            if (!model.delete(one)) model.add(one);
          }
        }
        for (const lowest of [...model].sort((a, b) => a - b)) expect(bitmap.take()).toBe(lowest);
        expect(bitmap.isEmpty()).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});
