import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../memory/address-space.js";
import { HeapMap, Kind } from "../memory/heap-map.js";
import { isReorganizing, type Ref, unlogged } from "./allocator.js";
import { oracle } from "./oracle.js";

const pagesOf = (bytes: number): number => Math.ceil(bytes / 4096) * 4096;

describe("the oracle", () => {
  it("holds the live blocks in whole pages after every request, whatever is freed", () => {
    const step = fc.tuple(fc.nat(3), fc.nat(10_000), fc.nat(1000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.constantFrom(0, 8, 16), (steps, header) => {
        const space = createAddressSpace();
        const heap = oracle.create(space, { header });
        const live: { ref: Ref; size: number }[] = [];
        for (const [kind, size, pick] of steps) {
          const at = pick % Math.max(1, live.length);
          if (kind < 2 || live.length === 0) live.push({ ref: heap.allocate(size), size });
          else if (kind === 2) heap.free(live.splice(at, 1)[0].ref);
          else live[at] = { ref: heap.reallocate(live[at].ref, size), size };
          const blocks = live.map(({ size: asked }) => Math.max(16, Math.ceil((header + asked) / 16) * 16));
          expect(space.footprint).toBe(pagesOf(blocks.reduce((sum, bytes) => sum + bytes, 0)));
        }
      }),
    );
  });

  it("that packs at safepoints reuses nothing before", () => {
    const space = createAddressSpace();
    const heap = oracle.create(space, { pack: "safepoint", header: 16 });
    if (!isReorganizing(heap)) throw new Error("the oracle packs");
    const refs = Array.from({ length: 1000 }, () => heap.allocate(48));
    for (const ref of refs.slice(1)) heap.free(ref);
    expect(space.footprint).toBe(pagesOf(64_000));
    const map = new HeapMap();
    heap.walk(map);
    expect([map.totals()[Kind.header], map.totals()[Kind.free]]).toEqual([16, 999 * 64]);
    heap.allocate(48);
    expect(space.footprint).toBe(pagesOf(1001 * 64));
    expect(heap.compactionDue(0)).toBeGreaterThan(0);
    expect(heap.compact(Number.POSITIVE_INFINITY, unlogged)).toBe(0);
    expect(space.footprint).toBe(4096);
    expect(heap.compactionDue(0)).toBe(0);
  });
});
