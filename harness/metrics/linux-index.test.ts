import { describe, expect, it } from "vitest";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { fragmentationIndex, freeBlocks, ORDERS, unusableFreeIndex } from "./linux-index.js";

describe("the indices of Linux", () => {
  const zone = [40, 12, 3, 1, 0, 0, 0, 0, 0, 0, 0];

  it("are those of a zone computed by hand from mm/vmstat.c", () => {
    expect([0, 2, 3, 4, 6, 9].map((order) => unusableFreeIndex(zone, order))).toEqual([0, 761, 904, 1000, 1000, 1000]);
    expect([0, 3, 4, 9].map((order) => fragmentationIndex(zone, order))).toEqual([-1000, -1000, 889, 980]);
  });

  it("are 0 where nothing is free", () => {
    const none = new Array<number>(ORDERS).fill(0);
    expect([unusableFreeIndex(none, 3), fragmentationIndex(none, 3)]).toEqual([0, 0]);
  });

  it("see the whole free pages of a heap as naturally aligned blocks", () => {
    const map = new HeapMap();
    const page = 4096;
    // Pages 17 to 24 are free as a whole: 17, 18-19, 20-23, 24, in two pieces that meet.
    map.add(16 * page, page + 16, Kind.live, 1);
    map.add(17 * page + 16 - 16, 3 * page, Kind.free);
    map.add(20 * page, 5 * page + 100, Kind.fresh);
    map.add(25 * page + 100, page - 100, Kind.tail);
    map.add(40 * page + 1, 2 * page, Kind.free);
    expect(freeBlocks(map, page)).toEqual([3, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    const wide = new HeapMap();
    wide.add(4096 * page, 2049 * page, Kind.free);
    expect(freeBlocks(wide, page)).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
  });
});
