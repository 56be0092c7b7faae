import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PairingHeaps } from "./pairing-heaps.js";

describe("pairing heaps", () => {
  it("know the least key of each bin, whichever key is taken out", () => {
    const step = fc.record({ key: fc.nat(300), bin: fc.nat(2), take: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400, size: "max" }), (steps) => {
        const heaps = new PairingHeaps();
        const model = [0, 1, 2].map(() => new Map<number, number>());
        for (const { key, bin, take } of steps) {
          const node = model[bin].get(key);
          if (node === undefined) model[bin].set(key, heaps.add(bin, key));
          else if (take) {
            heaps.remove(bin, node);
            model[bin].delete(key);
          }
          expect(heaps.isEmpty(bin)).toBe(model[bin].size === 0);
          if (model[bin].size > 0) expect(heaps.least(bin)).toBe(Math.min(...model[bin].keys()));
        }
      }),
      { numRuns: 50 },
    );
  });
});
