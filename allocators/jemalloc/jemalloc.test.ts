import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Allocator, isTimed, type Ref } from "../allocator.js";
import { headerPages } from "./chunk-runs.js";
import { type JemallocOptions, jemalloc } from "./jemalloc.js";
import { binOf, classSize, firstBinFor, pageClass, pagesOfClass, SmallClasses } from "./size-classes.js";

const PAGE = 4096;
/** The heap starts here, as the first reservation. */
const HEAP = 1 << 30;

function heapOf(options: Partial<JemallocOptions> = {}): { heap: Allocator; space: AddressSpace } {
  const space = createAddressSpace();
  return { heap: jemalloc.create(space, options), space };
}

function tick(heap: Allocator, now: number): void {
  if (!isTimed(heap)) throw new Error("no clock");
  heap.tick(now);
}

const pageOf = (ref: Ref): number => Math.floor((ref - HEAP) / PAGE);
const take = (heap: Allocator, count: number, size: number): Ref[] =>
  Array.from({ length: count }, () => heap.allocate(size));

describe("the size classes of jemalloc", () => {
  it("are four to a doubling from 64 bytes on, 36 of them small", () => {
    const { size } = new SmallClasses(16);
    expect(size.length).toBe(36);
    expect([...size.subarray(0, 14)]).toEqual([8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]);
    expect(size[35]).toBe(14336);
    expect([16385, 20480, 20481, 1048577].map((n) => classSize(n, 16))).toEqual([20480, 20480, 24576, 1310720]);
  });

  it("are 8 bytes apart at the low end with Redis' quantum", () => {
    expect([...new SmallClasses(8).size.subarray(0, 10)]).toEqual([8, 16, 24, 32, 40, 48, 56, 64, 80, 96]);
  });

  it("have slabs without a tail: 80 in 5 pages, 48 in 3, 14336 in 7", () => {
    const { size, pages, regions } = new SmallClasses(16);
    const slabOf = (bytes: number): number[] => [pages[size.indexOf(bytes)], regions[size.indexOf(bytes)]];
    expect(slabOf(80)).toEqual([5, 256]);
    expect(slabOf(48)).toEqual([3, 256]);
    expect(slabOf(14336)).toEqual([7, 2]);
    expect(Math.max(...pages)).toBe(7);
    expect(Math.max(...regions)).toBe(512);
  });

  it("give 256 bytes for a request of 244", () => {
    const { heap } = heapOf();
    expect(heap.capacityOf(heap.allocate(244))).toBe(256);
  });

  it("bin an unused extent where every request that starts its search there fits", () => {
    for (let i = 1; i < 100; i++) expect(pageClass(pagesOfClass(i))).toBe(i);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1 << 20 }),
        fc.integer({ min: 1, max: 1 << 20 }),
        fc.constantFrom(0, 1),
        (request, extent, pad) => {
          if (binOf(extent, pad) >= firstBinFor(request + pad, pad))
            expect(extent).toBeGreaterThanOrEqual(request + pad);
          expect(binOf(pagesOfClass(pageClass(request)) + pad, pad)).toBeGreaterThanOrEqual(
            firstBinFor(request + pad, pad),
          );
        },
      ),
    );
  });
});

it("aligns requests below the quantum too, which without an alignment share a class of 8 bytes", () => {
  const { heap } = heapOf();
  for (let i = 0; i < 20; i++) {
    heap.allocate(5);
    expect(heap.allocate(5, 16) % 16).toBe(0);
  }
});

describe("jemalloc's slabs", () => {
  it("hand out the lowest free region, and the oldest slab that is not full", () => {
    const { heap } = heapOf();
    const refs = take(heap, 3 * 256, 80);
    expect(refs.map((ref) => ref - HEAP)).toEqual(refs.map((_, i) => 80 * i));
    // A region in each of the three full slabs; the newest first.
    for (const i of [700, 300, 20, 10]) heap.free(refs[i]);
    expect(take(heap, 4, 80)).toEqual([refs[10], refs[20], refs[300], refs[700]]);
  });

  it("choose as a naive bin does that looks at all slabs", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 400, size: "max" }), (steps) => {
        const { heap } = heapOf({ dirtyDecay: Number.POSITIVE_INFINITY });
        // 10240 bytes: slabs of 5 pages with 2 regions.
        const slabs = new Map<number, boolean[]>();
        let current = -1;
        const live: Ref[] = [];
        const notFull = (): number[] =>
          [...slabs]
            .filter(([, used]) => used.includes(false))
            .map(([page]) => page)
            .sort((a, b) => a - b);
        for (const step of steps) {
          if (step % 5 < 3 || live.length === 0) {
            const ref = heap.allocate(10240);
            if (!slabs.get(current)?.includes(false)) current = notFull()[0] ?? pageOf(ref);
            const used = slabs.get(current) ?? [false, false];
            const region = used.indexOf(false);
            expect(ref - HEAP).toBe(current * PAGE + region * 10240);
            used[region] = true;
            slabs.set(current, used);
            live.push(ref);
          } else {
            const ref = live.splice(step % live.length, 1)[0];
            const page =
              [...slabs.keys()].find((first) => ref - HEAP >= first * PAGE && ref - HEAP < (first + 5) * PAGE) ?? -1;
            const used = slabs.get(page) ?? [];
            const wasFull = !used.includes(false);
            used[(ref - HEAP - page * PAGE) / 10240] = false;
            heap.free(ref);
            if (!used.includes(true)) {
              slabs.delete(page);
              if (page === current) current = -1;
            } else if (wasFull && page < current) current = page;
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("jemalloc's extents", () => {
  it("map 2 MiB first and then ever larger steps", () => {
    const { heap, space } = heapOf({ cacheOblivious: false });
    const sizes = [];
    for (let i = 0; i < 100; i++) {
      heap.allocate(131072);
      if (space.mappedFor(Use.heap) !== sizes.at(-1)) sizes.push(space.mappedFor(Use.heap));
    }
    expect(sizes.slice(0, 4).map((bytes) => bytes / 1048576)).toEqual([2, 4.5, 7.5, 11]);
  });

  it("charge a descriptor of 128 bytes for each, and 8 bytes of page map for each page", () => {
    const { heap, space } = heapOf({ cacheOblivious: false });
    take(heap, 1, 16384);
    // 2 MiB: a page of leaves and the root; four pages of descriptors.
    expect(space.mappedFor(Use.meta)).toBe(6 * PAGE);
    take(heap, 119, 16384);
    expect(space.mappedFor(Use.meta)).toBe(6 * PAGE);
    // Each request has three descriptors in reserve.
    take(heap, 8, 16384);
    expect(space.mappedFor(Use.meta)).toBe(10 * PAGE);
    // The second mapping, of 2.5 MiB, lies under two more pages of leaves.
    take(heap, 1, 16384);
    expect(space.mappedFor(Use.meta)).toBe(12 * PAGE);
  });

  it("reuse dirty pages before clean ones, and do not cut an extent for a request 64 times smaller", () => {
    const { heap } = heapOf({ cacheOblivious: false, dirtyDecay: Number.POSITIVE_INFINITY });
    const [a, , c] = [heap.allocate(40960), heap.allocate(16384), heap.allocate(1048576)];
    heap.allocate(16384);
    heap.free(a);
    expect(heap.allocate(20480)).toBe(a);
    heap.free(c);
    // The 5 pages left of `a` serve 4; then the only dirty extent, of 256 pages, is too large for 1.
    expect(heap.allocate(20480)).toBe(a + 20480);
    expect(heap.allocate(1000)).not.toBe(c);
    expect(heap.allocate(131072)).toBe(c);
  });

  it("start large blocks at a random cache line of a page on top, the same in each run", () => {
    const starts = [0, 1].map(() => take(heapOf().heap, 20, 16384).map((ref) => ref % PAGE));
    expect(starts[1]).toEqual(starts[0]);
    expect(starts[0].every((start) => start % 64 === 0)).toBe(true);
    expect(new Set(starts[0]).size).toBeGreaterThan(5);
  });

  it("grow a large block into the unused pages behind it", () => {
    const { heap } = heapOf({ cacheOblivious: false });
    const ref = heap.allocate(16384);
    expect(heap.reallocate(ref, 1_000_000)).toBe(ref);
    expect(heap.capacityOf(ref)).toBe(1048576);
    expect(heap.reallocate(ref, 20000)).toBe(ref);
    expect(heap.capacityOf(ref)).toBe(20480);
    heap.allocate(16384);
    expect(heap.reallocate(ref, 3_000_000)).not.toBe(ref);
  });
});

describe("jemalloc's decay", () => {
  it("lets unused pages go along the smootherstep curve, and has none after the decay time", () => {
    const { heap, space } = heapOf({ dirtyDecay: 200, cacheOblivious: false });
    // 1024 pages in 64 extents, kept from joining by as many that stay.
    const blocks = Array.from({ length: 64 }, () => take(heap, 2, 65536));
    tick(heap, 1);
    for (const [block] of blocks) heap.free(block);
    for (let ms = 2; ms <= 202; ms++) {
      tick(heap, ms);
      const x = Math.max(0, (202 - ms) / 200);
      const limit = 1024 * x * x * x * (x * (6 * x - 15) + 10);
      const dirty = space.resident / PAGE - 1024;
      expect(dirty).toBeLessThanOrEqual(limit);
      // Whole extents of 16 pages go.
      expect(dirty).toBeGreaterThan(Math.floor(limit) - 17);
    }
    expect(space.resident).toBe(1024 * PAGE);
    expect(space.mappedFor(Use.heap)).toBeGreaterThan(1024 * PAGE);
  });

  it("purges at once with a time of 0 and never without end", () => {
    const left = [0, Number.POSITIVE_INFINITY].map((dirtyDecay) => {
      const { heap, space } = heapOf({ dirtyDecay });
      heap.free(heap.allocate(100_000));
      tick(heap, 1e9);
      return space.resident;
    });
    expect(left[0]).toBe(0);
    expect(left[1]).toBeGreaterThanOrEqual(100_000);
  });

  it("purges an extent of 8 MiB at once", () => {
    const { heap, space } = heapOf();
    heap.free(heap.allocate(8 * 1048576));
    expect(space.resident).toBe(0);
  });

  it("leaves the pages of live blocks resident and shows the others as free", () => {
    const { heap, space } = heapOf();
    const refs = take(heap, 5000, 500);
    for (const ref of refs.slice(0, 4990)) heap.free(ref);
    tick(heap, 1e6);
    tick(heap, 2e6);
    expect(space.resident / PAGE).toBeLessThanOrEqual(4);
    const map = new HeapMap();
    heap.walk(map);
    expect(map.totals()[Kind.live]).toBe(10 * 512);
  });
});

describe("jemalloc 4's chunks", () => {
  const KIB = 1024;
  const never = Number.POSITIVE_INFINITY;
  const chunked = (options: Partial<JemallocOptions> = {}) =>
    heapOf({ pages: "chunks", chunk: 64 * KIB, quantum: "8", dirtyDecay: never, ...options });

  it("begin with a header of 13 pages for 2 MiB, 1 for 64 KiB, that counts from the start", () => {
    expect([2048, 1024, 64].map((kib) => headerPages(kib / 4))).toEqual([13, 7, 1]);
    const { heap, space } = chunked({ chunk: 2048 * KIB });
    expect(pageOf(heap.allocate(256))).toBe(13);
    expect(space.resident).toBe(14 * PAGE);
    const map = new HeapMap();
    heap.walk(map);
    expect(map.totals()[Kind.header]).toBe(13 * PAGE);
  });

  it("are used from the newest on, where Linux has put the lowest address, each from its lowest page", () => {
    const { heap } = chunked();
    // 15 slabs of 16 regions fill a chunk.
    const refs = take(heap, 3 * 240, 256);
    expect(refs.map(pageOf)).toEqual(refs.map((_, i) => 16 * Math.floor(i / 240) + 1 + Math.floor((i % 240) / 16)));
    for (const i of [10, 300, 700, 500]) heap.free(refs[i]);
    expect(take(heap, 4, 256)).toEqual([refs[500], refs[700], refs[300], refs[10]]);
  });

  it("give the smallest run that is large enough, and keep the rest of one that is cut", () => {
    const { heap } = chunked({ cacheOblivious: false });
    const [a, , c] = [heap.allocate(20 * KIB), heap.allocate(4 * KIB), heap.allocate(16 * KIB), heap.allocate(4 * KIB)];
    heap.free(a);
    heap.free(c);
    // 5 and 4 pages are unused, and the 1 at the end.
    expect(pageOf(heap.allocate(12 * KIB))).toBe(pageOf(c));
    expect(pageOf(heap.allocate(20 * KIB))).toBe(pageOf(a));
  });

  it("serve what does not fit in one from chunks of its own, without the page on top", () => {
    const { heap, space } = chunked();
    const ref = heap.allocate(300_000);
    expect(ref % (64 * KIB)).toBe(0);
    expect(heap.capacityOf(ref)).toBe(320 * KIB);
    expect(space.mappedFor(Use.heap)).toBe(320 * KIB);
    heap.free(ref);
    const small = heap.allocate(256);
    expect(space.mappedFor(Use.heap)).toBe(320 * KIB);
    expect(pageOf(small)).toBe(4 * 16 + 1);
  });

  it("keep one that is unused as it is, and leave unused pages up to an eighth of those in use, or to a chunk", () => {
    const { heap, space } = chunked({ dirtyRatio: 8 });
    const refs = take(heap, 100 * 240, 256);
    expect(space.resident).toBe(100 * 16 * PAGE);
    // Every other slab: 750 of 1,500 pages, of which an eighth of the others may stay.
    for (let i = 0; i < refs.length; i++) if ((i >> 4) % 2 === 0) heap.free(refs[i]);
    expect(space.resident).toBe((100 + 750 + Math.floor(750 / 8)) * PAGE);
    for (let i = 0; i < refs.length; i++) if ((i >> 4) % 2 === 1) heap.free(refs[i]);
    // At most a chunk of dirty pages; the header of the spare chunk, whose pages may be given back.
    expect(space.resident).toBeLessThanOrEqual((16 + 1) * PAGE);
    expect(take(heap, 100 * 240, 256).length).toBe(24_000);
    expect(space.mappedFor(Use.heap)).toBe(100 * 64 * KIB);
  });

  it("leave but the header of the spare one where unused pages are given back at once", () => {
    const { heap, space } = chunked({ dirtyDecay: 0 });
    for (const ref of take(heap, 5 * 240, 256)) heap.free(ref);
    expect(space.resident).toBe(PAGE);
  });

  it("must have a size that is a power of two, with room for a slab behind the header", () => {
    for (const chunk of [32 * KIB, 96 * KIB]) {
      expect(() => chunked({ chunk })).toThrow(`jemalloc: option chunk: ${chunk} is not a power of two from 65536 up`);
    }
  });
});
