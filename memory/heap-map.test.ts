import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HeapMap, Kind, kindNames } from "./heap-map.js";

describe("a heap map", () => {
  it("keeps every piece as it was added, however many", () => {
    const piece = fc.tuple(fc.nat(), fc.nat(5000), fc.constantFrom(...Object.values(Kind)), fc.integer({ min: -1 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const map = new HeapMap(0);
        for (const [start, bytes, kind, owner] of pieces) map.add(start, bytes, kind, owner);
        const kept = pieces.filter(([, bytes, kind]) => bytes > 0 || kind === Kind.live);
        expect(map.length).toBe(kept.length);
        expect(kept.map((_, i) => [map.start[i], map.bytes[i], map.kind[i], map.owner[i]])).toEqual(kept);
        const totals = map.totals();
        expect(totals.length).toBe(kindNames.length);
        totals.forEach((total, kind) => {
          expect(total).toBe(pieces.reduce((sum, [, bytes, of]) => sum + (of === kind ? bytes : 0), 0));
        });
      }),
    );
  });

  it("ignores empty pieces, but not an empty live block", () => {
    const map = new HeapMap();
    for (const kind of Object.values(Kind)) map.add(4096, 0, kind);
    expect([map.length, map.kind[0], map.owner[0]]).toEqual([1, Kind.live, -1]);
  });

  it("is empty after clear and can be filled again", () => {
    const map = new HeapMap(2);
    map.add(8796093022207, 1, Kind.free);
    map.clear();
    expect([map.length, map.totals()[Kind.free]]).toEqual([0, 0]);
    map.add(16, 32, Kind.header);
    expect([map.length, map.start[0], map.bytes[0]]).toEqual([1, 16, 32]);
  });

  it("names each kind by its value", () => {
    expect(kindNames.map((name) => Kind[name])).toEqual([...kindNames.keys()]);
  });
});
