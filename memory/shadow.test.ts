import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShadowMemory } from "./shadow.js";

const BASE = 8796093022207 - 100000;

/** Places and lengths in a window of a few pages, just below 2^43. */
const place = fc.integer({ min: 0, max: 9000 });
const length = fc.oneof(fc.nat(40), fc.nat(9000));

describe("shadow memory", () => {
  it("keeps each byte as it was last filled, copied or cleared", () => {
    const action = fc.tuple(fc.constantFrom("fill", "fill", "copy", "clear"), place, place, length, fc.nat(5));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 12 }), (actions) => {
        const shadow = new ShadowMemory();
        // The tag and offset that each byte was last filled with
        const model = new Array<string | undefined>(20000).fill(undefined);
        for (const [kind, from, to, bytes, tag] of actions) {
          if (kind === "fill") {
            shadow.fill(BASE + from, bytes, tag, to);
            for (let i = 0; i < bytes; i++) model[from + i] = `${tag} ${to + i}`;
          } else if (kind === "copy") {
            shadow.copy(BASE + from, BASE + to, bytes);
            model.splice(to, bytes, ...model.slice(from, from + bytes));
          } else {
            shadow.clear(BASE + from, bytes);
            model.fill(undefined, from, from + bytes);
          }
        }
        const wrong = model.findIndex((label, i) => {
          const [tag, offset] = (label ?? "0 0").split(" ").map(Number);
          return shadow.check(BASE + i, 1, tag, offset) !== (label === undefined ? 0 : -1);
        });
        expect(wrong).toBe(-1);
      }),
      { numRuns: 40 },
    );
  });

  it("tells where the first wrong byte is", () => {
    const shadow = new ShadowMemory();
    shadow.fill(BASE, 6000, 7);
    expect(shadow.check(BASE, 6000, 7)).toBe(-1);
    expect(shadow.check(BASE + 100, 500, 7, 100)).toBe(-1);
    shadow.clear(BASE + 4321, 1);
    expect(shadow.check(BASE, 6000, 7)).toBe(4321);
    expect(shadow.check(BASE + 4000, 600, 7, 4000)).toBe(321);
    expect(shadow.check(BASE, 4321, 7)).toBe(-1);
    expect(shadow.check(BASE, 0, 9)).toBe(-1);
  });

  it("sees one object in place of another within a few bytes, whatever the tags and the shift", () => {
    const shadow = new ShadowMemory();
    const tag = fc.oneof(fc.nat(100), fc.maxSafeNat());
    fc.assert(
      fc.property(tag, tag, fc.nat(5000), (one, other, shift) => {
        fc.pre(one !== other || shift > 0);
        shadow.fill(BASE, 64, one);
        const first = shadow.check(BASE, 64, other, shift);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(first).toBeLessThan(8);
      }),
      { numRuns: 2000, seed: 1 },
    );
  });

  it("sees the neighbour that was overwritten and the move that did not happen", () => {
    const shadow = new ShadowMemory();
    shadow.fill(4096 - 32, 32, 1);
    shadow.fill(4096, 32, 2);
    shadow.fill(4096 - 32, 33, 1);
    expect(shadow.check(4096, 32, 2)).toBe(0);
    expect(shadow.check(65536, 32, 1)).toBe(0);
    shadow.copy(4096 - 32, 65536, 32);
    expect(shadow.check(65536, 32, 1)).toBe(-1);
  });

  it("moves overlapping bytes both ways, by any distance", () => {
    for (const distance of [-5000, -4096, -100, -1, 0, 1, 16, 100, 4095, 4096, 5000]) {
      const shadow = new ShadowMemory();
      const bytes = 12345;
      shadow.fill(BASE, bytes, 3);
      shadow.copy(BASE, BASE + distance, bytes);
      expect(shadow.check(BASE + distance, bytes, 3)).toBe(-1);
    }
  });
});
