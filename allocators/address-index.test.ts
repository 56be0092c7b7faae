import fc from "fast-check";
import { expect, it } from "vitest";
import { AddressIndex } from "./address-index.js";

it("finds whose an address is, and nobody elsewhere, as a map would", () => {
  const address = fc.integer({ min: 1, max: 0x40000000 }).map((n) => 0x7f0000000000 + 8 * n);
  fc.assert(
    fc.property(fc.uniqueArray(address, { maxLength: 300 }), fc.array(address), fc.nat(3), (places, others, vacant) => {
      const index = new AddressIndex();
      index.build(Float64Array.of(1e9, 2e9), 2);
      const column = Float64Array.from(places, (place, i) => (i % 4 < vacant ? 0 : place));
      index.build(column, column.length);
      for (const at of [...places, ...others, 1e9]) expect(index.find(at)).toBe(column.indexOf(at));
    }),
  );
});
