import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { Random } from "../../memory/random.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { cacheSizes, orderOf, slabOrder } from "./kmalloc.js";
import { slab } from "./slab.js";

const usual = { minObjects: 16, maxOrder: 3 };

function totals(heap: Allocator): Float64Array {
  const map = new HeapMap();
  heap.walk(map);
  return map.totals();
}

describe("the order of a slab", () => {
  it("is that of /proc/slabinfo on four CPUs: objects and pages for each kmalloc cache", () => {
    const shown = cacheSizes.map((size) => {
      const pages = 1 << slabOrder(size, usual);
      return [size, Math.floor((pages * 4096) / size), pages];
    });
    expect(shown).toEqual([
      [8, 512, 1],
      [16, 256, 1],
      [32, 128, 1],
      [64, 64, 1],
      [96, 42, 1],
      [128, 32, 1],
      [192, 21, 1],
      [256, 16, 1],
      [512, 16, 2],
      [1024, 16, 4],
      [2048, 16, 8],
      [4096, 8, 8],
      [8192, 4, 8],
    ]);
  });

  it("is the smallest whose tail is at most 1/16, then 1/8, then 1/4 of it, with the fewest objects wanted", () => {
    for (let size = 8; size <= 8192; size += 8) {
      const order = slabOrder(size, usual);
      const fits = (objects: number, k: number, fraction: number): boolean =>
        objects * size <= 4096 << k && ((4096 << k) % size) * fraction <= 4096 << k;
      // The first that fits, by wishes in their order of importance.
      const found: number[] = [];
      for (let objects = Math.min(16, Math.floor(32768 / size)); objects > 1 && found.length === 0; objects--) {
        for (const fraction of [16, 8, 4]) {
          const k = [0, 1, 2, 3].find((one) => fits(objects, one, fraction));
          if (k !== undefined) found.push(k);
        }
      }
      expect(order).toBe(found[0] ?? orderOf(size));
    }
  });
});

describe("slabs", () => {
  it("charge nothing in an object, a struct page of 64 bytes for each page, and tails", () => {
    const space = createAddressSpace();
    const heap = slab.create(space);
    for (let i = 0; i < 42; i++) heap.allocate(90);
    const kinds = totals(heap);
    expect([kinds[Kind.header], kinds[Kind.live], kinds[Kind.tail]]).toEqual([0, 42 * 96, 64]);
    expect(space.resident).toBe(4096);
    for (let i = 0; i < 100; i++) heap.allocate(5000);
    // 26 slabs of 8 pages for kmalloc-8k: 64 bytes for each of the pages up to the highest.
    expect(space.mappedFor(Use.meta)).toBe(4096 * Math.ceil(((25 * 8 + 8) * 64) / 4096));
  });

  it("give an empty slab back only where minPartial are partly used, itself among them", () => {
    for (const [minPartial, kept] of [
      [0, 1],
      [2, 2],
      [100, 10],
    ] as const) {
      const space = createAddressSpace();
      const heap = slab.create(space, { minPartial });
      const refs = Array.from({ length: 640 }, () => heap.allocate(64));
      for (const ref of refs) heap.free(ref);
      // The current slab stays in any case, and a slab that has become empty counts itself.
      expect(space.mappedFor(Use.heap)).toBe(4096 * kept);
    }
  });

  it("take the object freed last, from the current slab, then from the slab that was full and got a free object first", () => {
    const heap = slab.create(createAddressSpace());
    const refs = Array.from({ length: 192 }, () => heap.allocate(64));
    const [a, b, c, d] = [refs[70], refs[10], refs[75], refs[150]];
    for (const ref of [a, b, c, d]) heap.free(ref);
    // The third slab is current; the second was freed into before the first.
    expect([1, 2, 3, 4].map(() => heap.allocate(64))).toEqual([d, c, a, b]);
  });

  it("lie at multiples of a power of two, so that an aligned request needs no more", () => {
    const heap = slab.create(createAddressSpace());
    for (let i = 0; i < 50; i++) {
      expect(heap.allocate(100, 512) % 512).toBe(0);
      expect(heap.allocate(20_000, 65536) % 65536).toBe(0);
    }
    expect(heap.capacityOf(heap.allocate(100, 128))).toBe(128);
  });

  it("go from 8 KiB on to pages of an order, and back at once", () => {
    const space = createAddressSpace();
    const heap = slab.create(space);
    const ref = heap.allocate(8193);
    expect(heap.capacityOf(ref)).toBe(16384);
    heap.free(ref);
    expect(space.mapped).toBe(0);
    expect(heap.allocate(0x200000000)).toBe(none);
  });

  it("keep each object in a slab of its size through any churn, and never more slabs than the rule leaves", () => {
    const space = createAddressSpace();
    const heap = slab.create(space, { minPartial: 3 });
    const random = new Random(3);
    const live: Ref[] = [];
    for (let i = 0; i < 20_000; i++) {
      if (live.length < 2000 && random.below(100) < (i < 10_000 ? 60 : 40)) {
        const size = 1 + random.below(500);
        const ref = heap.allocate(size);
        const bytes = cacheSizes.find((one) => one >= size) as number;
        expect(heap.capacityOf(ref)).toBe(bytes);
        expect((ref % 4096) % (bytes === 512 ? 512 : 1)).toBe(0);
        live.push(ref);
      } else if (live.length > 0) heap.free(live.splice(random.below(live.length), 1)[0]);
    }
    for (const ref of live) heap.free(ref);
    const kinds = totals(heap);
    expect(kinds[Kind.live]).toBe(0);
    // Each of nine caches keeps its current slab and three more, of two pages at most.
    expect(space.mappedFor(Use.heap)).toBeLessThanOrEqual(9 * 4 * 8192);
  });
});
