import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Compacting, type Ref, unlogged } from "../allocator.js";
import { type HandleTableOptions, handleTable } from "./handle-table.js";

/** Twice as many holes as a mark of 16 bits can tell apart, and some. */
const HOLES = 140_000;

function holesOf(heap: Compacting): number {
  const map = new HeapMap();
  heap.walk(map);
  let holes = 0;
  for (let i = 0; i < map.length; i++) if (map.kind[i] === Kind.free && map.bytes[i] === 32) holes++;
  return holes;
}

/** A heap with a hole of 32 bytes between each two blocks, and the refs of the blocks from below. */
function riddled(compact: HandleTableOptions["compact"]): { heap: Compacting; refs: Ref[]; costs: Float64Array } {
  const space = createAddressSpace();
  const heap = handleTable.create(space, { compact }) as Compacting;
  const all = Array.from({ length: 2 * HOLES + 1 }, () => heap.allocate(16));
  for (let i = 1; i < all.length; i += 2) heap.free(all[i]);
  return { heap, refs: all.filter((_, i) => i % 2 === 0), costs: space.costs };
}

describe("blocks with more holes than their marks can tell apart", () => {
  it.each(["none", "slide"] as const)(
    "are found from both sides: every free merges with both neighbours (compact=%s)",
    (compact) => {
      const { heap, refs, costs } = riddled(compact);
      expect(holesOf(heap)).toBe(HOLES);
      expect(costs[Cost.coalesces]).toBe(0);
      // 7919 is prime, so this visits all but the lowest and the highest, far from one another in turn.
      for (let i = 0; i < HOLES - 1; i++) heap.free(refs[1 + ((i * 7919) % (HOLES - 1))]);
      expect(costs[Cost.coalesces]).toBe(2 * (HOLES - 1));
      expect(heap.addressOf(refs[HOLES]) - heap.addressOf(refs[0])).toBe(2 * HOLES * 32);
      heap.free(refs[HOLES]);
      // All is at the top again: the next block lies behind the lowest one.
      expect(heap.addressOf(heap.allocate(16)) - heap.addressOf(refs[0])).toBe(32);
    },
  );

  it.each(["slide", "twoFinger", "bestFit"] as const)(
    "are packed by %s, and each handle still leads to its block",
    (compact) => {
      const { heap, refs, costs } = riddled(compact);
      heap.compact(Number.POSITIVE_INFINITY, unlogged);
      const places = refs.map((ref) => heap.addressOf(ref)).sort((a, b) => a - b);
      expect(new Set(places).size).toBe(HOLES + 1);
      expect(places[HOLES] - places[0]).toBe(HOLES * 32);
      expect(costs[Cost.moves]).toBe(compact === "slide" ? HOLES : HOLES / 2);
    },
  );
});
