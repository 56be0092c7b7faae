import fc from "fast-check";
import { expect, it } from "vitest";
import { HoleIndex } from "./hole-index.js";

it("answers as a scan of the holes in address order would", () => {
  const holes = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 200, size: "max" });
  const changes = fc.array(fc.record({ pick: fc.nat(), left: fc.nat(20), want: fc.integer({ min: 1, max: 60 }) }));
  fc.assert(
    fc.property(holes, changes, (sizes, steps) => {
      const index = new HoleIndex();
      for (const round of [0, 1]) {
        index.clear();
        const model = sizes.slice(0, sizes.length >> round);
        model.forEach((units, i) => {
          index.add(i * 100, units);
        });
        index.build();
        expect(index.length).toBe(model.length);
        for (const { pick, left, want } of steps) {
          expect(index.lowest(want)).toBe(model.findIndex((units) => units >= want));
          if (model.length === 0) continue;
          const rank = pick % model.length;
          model[rank] = Math.min(model[rank], left);
          index.set(rank, rank * 100 + 5, model[rank]);
          expect(index.unitsOf(rank)).toBe(model[rank]);
          expect(index.startOf(rank)).toBe(rank * 100 + 5);
        }
      }
    }),
  );
});
