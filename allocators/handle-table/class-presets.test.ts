/** Per-class partial compaction: what compact-fit and zsmalloc promise about their classes. */
import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Allocator, type AllocatorSpec, type Compacting, isCompacting, type Ref, unlogged } from "../allocator.js";
import { check } from "../checked.js";
import { compactFit } from "./compact-fit.js";
import { zsmalloc, zsmallocClasses } from "./zsmalloc.js";

function start<Options>(spec: AllocatorSpec<Options>, options: Partial<Options> = {}) {
  const space = createAddressSpace();
  const heap = check(spec, spec.create(space, options), space) as Allocator;
  if (!isCompacting(heap)) throw new Error(`${spec.name} does not compact`);
  return { space, heap };
}

function fill(heap: Compacting, count: number, size: number): Ref[] {
  return Array.from({ length: count }, () => heap.allocate(size));
}

/** Runs of `bytes` that hold a live block and a free or fresh slot too. */
function notFull(heap: Compacting, bytes: number): number {
  const map = new HeapMap();
  heap.walk(map);
  const kinds = new Map<number, Set<number>>();
  for (let i = 0; i < map.length; i++) {
    const run = Math.floor(map.start[i] / bytes);
    kinds.set(run, (kinds.get(run) ?? new Set()).add(map.kind[i]));
  }
  return [...kinds.values()].filter((k) => k.has(Kind.live) && (k.has(Kind.free) || k.has(Kind.fresh))).length;
}

describe("compact-fit", () => {
  for (const partial of [1, 3]) {
    it(`leaves at most ${partial} not-full page(s) in a class at each safepoint, by one move for each free at most`, () => {
      const { space, heap } = start(compactFit, { partial, pageBytes: 4096 });
      // 128 slots of 32 bytes in a page.
      const live = fill(heap, 128 * 12, 24);
      let x = 1;
      for (let frees = 1; frees <= 1000; frees++) {
        x = (Math.imul(x, 48271) + 11) >>> 0;
        heap.free(live.splice(x % live.length, 1)[0]);
        const due = heap.compactionDue(frees);
        if (due > 0) heap.compact(due, unlogged);
        expect(notFull(heap, 4096)).toBeLessThanOrEqual(partial);
        expect(space.costs[Cost.moves]).toBeLessThanOrEqual(frees);
      }
      expect(space.costs[Cost.moves]).toBeGreaterThan(500);
      const least = Math.ceil(live.length / 128);
      expect(space.resident).toBeGreaterThanOrEqual(least * 4096);
      expect(space.resident).toBeLessThanOrEqual((least + partial - 1) * 4096);
    });
  }

  it("asks for nothing while the bound holds, and answers frees between two safepoints together", () => {
    const { space, heap } = start(compactFit, { pageBytes: 4096 });
    const live = fill(heap, 128 * 4, 24);
    expect(heap.compactionDue(0)).toBe(0);
    // Three free slots in each page: those of three pages can be filled from the fourth.
    for (let i = 0; i < live.length; i++) if (i % 128 < 3) heap.free(live[i]);
    expect(heap.compactionDue(0)).toBe(Number.POSITIVE_INFINITY);
    expect(heap.compact(Number.POSITIVE_INFINITY, unlogged)).toBe(9 * 32);
    expect(heap.compactionDue(0)).toBe(0);
    expect(space.costs[Cost.tableWrites]).toBe(512 + 12 + 9);
  });

  it("keeps pinned objects in place, and goes on with other pages", () => {
    const { heap } = start(compactFit, { pageBytes: 4096 });
    const live = fill(heap, 128 * 3, 24);
    for (let i = 0; i < live.length; i++) if (i % 2 === 0) heap.free(live[i]);
    const pinned = live.filter((_, i) => i < 128 && i % 2 === 1);
    const before = pinned.map((ref) => heap.addressOf(ref));
    for (const ref of pinned) heap.pin(ref);
    expect(heap.compact(Number.POSITIVE_INFINITY, unlogged)).toBeGreaterThan(0);
    expect(pinned.map((ref) => heap.addressOf(ref))).toEqual(before);
    expect(notFull(heap, 4096)).toBe(1);
  });

  it("asks for no pass that pins would keep from moving anything, and asks once enough of them are gone", () => {
    const { space, heap } = start(compactFit, { pageBytes: 4096 });
    const live = fill(heap, 128 * 4, 24);
    for (let i = 0; i < live.length; i++) if (i % 2 === 0) heap.free(live[i]);
    const kept = live.filter((_, i) => i % 2 === 1);
    for (const ref of kept) heap.pin(ref);
    expect(notFull(heap, 4096)).toBe(4);
    expect(heap.compactionDue(0)).toBe(0);
    expect(heap.compact(Number.POSITIVE_INFINITY, unlogged)).toBe(0);
    for (const page of [0, 1, 2, 3]) heap.unpin(kept[page * 64]);
    // One object of each page could move, but none of them would be full or empty then.
    expect(heap.compactionDue(1)).toBe(0);
    for (const ref of kept.slice(65, 128)) heap.unpin(ref);
    expect(heap.compactionDue(1)).toBe(Number.POSITIVE_INFINITY);
    const left = [4];
    for (let now = 2; now < 10 && heap.compactionDue(now) > 0; now++) {
      heap.compact(Number.POSITIVE_INFINITY, unlogged);
      left.push(notFull(heap, 4096));
    }
    // Each pass that it asks for brings it nearer, until pins hold the rest.
    expect(left).toEqual([...new Set(left)].sort((a, b) => b - a));
    expect(left.at(-1)).toBe(2);
    expect(space.costs[Cost.passes]).toBe(left.length);
  });
});

describe("zsmalloc", () => {
  it("holds eight objects of 1,528 bytes in three pages", () => {
    const { classes, ofRequest } = zsmallocClasses(4, 16);
    expect(classes[ofRequest[1528 / 8]]).toEqual({ slot: 1536, bytes: 3 * 4096, slots: 8, header: 8 });
    const { space, heap } = start(zsmalloc);
    fill(heap, 8, 1528);
    expect(space.resident).toBe(3 * 4096);
    fill(heap, 1, 1528);
    expect(space.resident).toBe(6 * 4096);
  });

  it("merges classes that cut as many pages into as many objects, all with one object for a page among them", () => {
    const { classes, ofRequest } = zsmallocClasses(4, 16);
    const layouts = classes.map(({ bytes, slots }) => `${bytes}/${slots}`);
    expect(layouts.filter((layout, i) => i > 0 && layout === layouts[i - 1])).toEqual([]);
    expect(classes[ofRequest[4096 / 8]]).toEqual({ slot: 4096, bytes: 4096, slots: 1, header: 0 });
  });

  it("compacts a class as long as its free objects are a whole zspage, and gives back zspages alone", () => {
    const { space, heap } = start(zsmalloc);
    // 128 objects of 32 bytes in a page.
    const live = fill(heap, 128 * 4, 24);
    for (let i = 0; i < 127; i++) heap.free(live[4 * i]);
    heap.compact(Number.POSITIVE_INFINITY, unlogged);
    expect(space.costs[Cost.moves]).toBe(0);
    heap.free(live[4 * 127]);
    heap.compact(Number.POSITIVE_INFINITY, unlogged);
    expect(space.costs[Cost.moves]).toBe(96);
    expect(space.costs[Cost.bytesMoved]).toBe(96 * 32);
    expect(space.resident).toBe(3 * 4096);
    expect(space.mappedFor(Use.table)).toBe(4096);
    expect(space.mappedFor(Use.meta)).toBe(4096);
  });

  it("moves no mapped object, though a zspage could be emptied", () => {
    const { space, heap } = start(zsmalloc);
    const live = fill(heap, 256, 24);
    for (let i = 0; i < 128; i++) heap.free(live[2 * i]);
    for (let i = 0; i < 128; i++) heap.pin(live[2 * i + 1]);
    expect(heap.compact(Number.POSITIVE_INFINITY, unlogged)).toBe(0);
    expect(space.resident).toBe(2 * 4096);
  });
});
