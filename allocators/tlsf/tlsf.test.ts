import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { none, type Ref } from "../allocator.js";
import { NaiveTlsf, smallest } from "./naive-tlsf.properties.js";
import { listOf, searchListOf } from "./size-lists.js";
import { tlsf } from "./tlsf.js";

const GIB = 0x40000000;

const step = fc.record({
  kind: fc.constantFrom("allocate", "allocate", "allocate", "free", "free", "reallocate"),
  size: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 5000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 200_000 }) },
  ),
  alignment: fc.constantFrom(8, 8, 8, 16, 64, 4096),
  pick: fc.nat(),
});

describe("TLSF against blocks in arrays", () => {
  for (const [pool, pages] of [
    [4096, 100_000],
    [65536, 100_000],
    [8192, 40],
  ] as const) {
    it(`places, splits, merges, copies and maps alike with pools of ${pool} bytes and ${pages} pages`, () => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
          const space = createAddressSpace(pages * 4096);
          const heap = tlsf.create(space, { pool });
          const naive = new NaiveTlsf(pool, pages * 4096);
          const live: Ref[] = [];
          const offset = (ref: Ref): number => (ref === none ? -1 : ref - GIB);
          for (const { kind, size, alignment, pick } of steps) {
            const i = pick % Math.max(1, live.length);
            if (kind === "allocate" || live.length === 0) {
              const ref = heap.allocate(size, alignment);
              expect(offset(ref)).toBe(naive.allocate(size, alignment));
              if (ref !== none) live.push(ref);
            } else if (kind === "free") {
              heap.free(live[i]);
              naive.free(offset(live[i]));
              live.splice(i, 1);
            } else {
              const ref = heap.reallocate(live[i], size);
              expect(offset(ref)).toBe(naive.reallocate(offset(live[i]), size));
              if (ref !== none) live[i] = ref;
            }
            const { costs } = space;
            expect([costs[Cost.splits], costs[Cost.coalesces], costs[Cost.bytesCopied], space.mapped]).toEqual([
              naive.splits,
              naive.coalesces,
              naive.bytesCopied,
              naive.mapped,
            ]);
          }
          const map = new HeapMap();
          heap.walk(map);
          const free = naive.blocks.filter((block) => block.free).reduce((sum, { size }) => sum + size, 0);
          expect(map.totals()[Kind.free] + map.totals()[Kind.fresh]).toBe(free);
        }),
        { numRuns: 60 },
      );
    });
  }
});

describe("the lists", () => {
  it("hold each size where the specification says: 460 in [456, 464), searched from [464, 472)", () => {
    expect(listOf(Math.floor(460 / 8))).toBe(32 + 25);
    expect([smallest[32 + 25], smallest[32 + 26]]).toEqual([456, 464]);
    expect(searchListOf(Math.ceil(460 / 8))).toBe(32 + 26);
  });

  it("have a table's borders: a size is in the last list that starts at or below it, and searched from the next at or above", () => {
    for (let size = 3; size < 70_000; size += size < 600 ? 1 : 7) {
      expect(listOf(size)).toBe(smallest.findLastIndex((one) => one <= size * 8));
      expect(searchListOf(size)).toBe(smallest.findIndex((one) => one >= size * 8));
    }
  });
});

describe("TLSF", () => {
  it("gives 248 bytes for 244, and at least 24", () => {
    const heap = tlsf.create(createAddressSpace());
    expect(heap.capacityOf(heap.allocate(244))).toBe(248);
    expect(heap.capacityOf(heap.allocate(0))).toBe(24);
    expect(heap.capacityOf(heap.allocate(24))).toBe(24);
  });

  it("is charged 8 bytes for each block, two headers' worth for each pool, and its control structure of 6.5 KB", () => {
    const space = createAddressSpace();
    const heap = tlsf.create(space, { pool: 65536 });
    for (let i = 0; i < 10; i++) heap.allocate(100);
    const map = new HeapMap();
    heap.walk(map);
    // Ten blocks, the free one behind them and the sentinel.
    expect(map.totals()[Kind.header]).toBe(12 * 8);
    expect(map.totals()[Kind.live]).toBe(10 * 104);
    expect(space.mappedFor(Use.meta)).toBe(8192);
  });

  it("misses a block of its own list that would have fit, which is good fit's price", () => {
    const heap = tlsf.create(createAddressSpace(), { pool: 65536 });
    const hole = heap.allocate(4100);
    heap.allocate(16);
    heap.free(hole);
    // 4104 bytes are in the list from 4096, and a request for 4104 is searched from the list at 4224.
    expect(heap.allocate(4104)).not.toBe(hole);
    expect(heap.allocate(4096)).toBe(hole);
  });

  it("never gives a pool back, and with growth=none never gets a second one", () => {
    const space = createAddressSpace();
    const heap = tlsf.create(space, { pool: 65536, growth: "none" });
    expect(heap.allocate(70_000)).toBe(none);
    const ref = heap.allocate(60_000);
    expect(heap.allocate(6000)).toBe(none);
    heap.free(ref);
    expect(space.mappedFor(Use.heap)).toBe(65536);
  });

  it("refuses 4 GiB, which its lists have no place for", () => {
    expect(tlsf.create(createAddressSpace()).allocate(0x100000000)).toBe(none);
  });
});
