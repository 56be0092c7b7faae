import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Allocator, isTimed, type Ref } from "../allocator.js";
import { type MimallocOptions, mimalloc } from "./mimalloc.js";
import { spanBin } from "./segments.js";
import { binOf, binSizes } from "./size-bins.js";

const SLICE = 65536;
const SEGMENT = 33554432;
/** The heap starts here, as the first reservation. */
const HEAP = 1 << 30;

function heapOf(options: Partial<MimallocOptions> = {}): { heap: Allocator; space: AddressSpace } {
  const space = createAddressSpace();
  return { heap: mimalloc.create(space, options), space };
}

function tick(heap: Allocator, now: number): void {
  if (!isTimed(heap)) throw new Error("no clock");
  heap.tick(now);
}

const take = (heap: Allocator, count: number, size: number): Ref[] =>
  Array.from({ length: count }, () => heap.allocate(size));
const sliceOf = (ref: Ref): number => Math.floor((ref - HEAP) / SLICE);

describe("the size bins of mimalloc", () => {
  it("are 16 bytes apart up to 64, then four to a doubling, so that no more than a fifth is lost", () => {
    const { heap } = heapOf();
    const usable = [1, 8, 9, 17, 33, 49, 65, 81, 129, 161, 244, 1000].map((size) =>
      heap.capacityOf(heap.allocate(size)),
    );
    expect(usable).toEqual([8, 8, 16, 32, 48, 64, 80, 96, 160, 192, 256, 1024]);
    for (let size = 65; size <= 65536; size++) {
      const lost = binSizes[binOf(size)] - size;
      expect(lost >= 0 && lost <= Math.max(15, binSizes[binOf(size)] / 5)).toBe(true);
    }
  });

  it("have spans of up to a segment in 36 bins, none smaller than what the bin before may hold", () => {
    expect(spanBin(512)).toBe(31);
    for (let slices = 2; slices <= 512; slices++) {
      expect(spanBin(slices)).toBeGreaterThanOrEqual(spanBin(slices - 1));
      expect(spanBin(slices) - spanBin(slices - 1)).toBeLessThanOrEqual(1);
    }
  });
});

describe("mimalloc's pages", () => {
  it("take 64 KiB for blocks up to 8 KiB, 512 KiB up to 64 KiB, and what a larger block needs", () => {
    const { heap, space } = heapOf();
    const mapped = [1, 8192, 8193, 65536, 65537, 1_000_000].map((size) => {
      const before = space.mappedFor(Use.heap);
      heap.allocate(size);
      return (space.mappedFor(Use.heap) - before) / SLICE;
    });
    // The first comes with the first slice of the segment; a block of 1,000,000 gets whole half mebibytes.
    expect(mapped).toEqual([1 + 1, 1, 8, 8, 2, 16]);
  });

  it("show the first slice of a segment as its header, and have no other", () => {
    const { heap } = heapOf();
    take(heap, 100, 100);
    const map = new HeapMap();
    heap.walk(map);
    expect(map.totals()[Kind.header]).toBe(SLICE);
    expect(map.totals()[Kind.live]).toBe(100 * 112);
  });

  it("are linked a page of 4 KiB at a time, so that no more is resident", () => {
    const { heap, space } = heapOf();
    heap.allocate(64);
    // The header, and the page with 3 * 64 bytes of offset and 64 blocks linked ends in the next one.
    expect(space.resident / 4096).toBe(1 + 2);
    take(heap, 63, 64);
    expect(space.resident / 4096).toBe(1 + 2);
    heap.allocate(64);
    expect(space.resident / 4096).toBe(1 + 3);
  });

  it("hand out what was freed only when the linked blocks are used up, the one freed last first", () => {
    const { heap } = heapOf();
    const refs = take(heap, 4, 4096);
    for (const ref of refs.slice(0, 3)) heap.free(ref);
    expect(take(heap, 3, 4096)).toEqual([refs[2], refs[1], refs[0]]);
    const small = take(heap, 10, 64);
    heap.free(small[3]);
    expect(heap.allocate(64)).toBe(small[9] + 64);
  });

  it("choose as a naive page queue does", () => {
    interface Page {
      readonly start: Ref;
      capacity: number;
      free: number[];
      freed: number[];
      used: number;
    }
    const blocks = 12;
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 500, size: "max" }), (steps) => {
        const { heap } = heapOf({ purgeDelay: Number.POSITIVE_INFINITY });
        const queue: Page[] = [];
        const full: Page[] = [];
        const live: [Ref, Page][] = [];
        const blockOf = (page: Page, ref: Ref): number => (ref - page.start) / 5120;
        const canServe = (page: Page): boolean => {
          if (page.free.length === 0) [page.free, page.freed] = [page.freed, []];
          if (page.free.length === 0 && page.capacity < blocks) page.free.push(page.capacity++);
          return page.free.length > 0;
        };
        for (const step of steps) {
          const growing = step % 1000 < 500;
          if (step % 7 < (growing ? 5 : 3) || live.length === 0) {
            const ref = heap.allocate(5120);
            while (queue.length > 0 && !canServe(queue[0])) full.push(...queue.splice(0, 1));
            if (queue.length === 0) queue.push({ start: ref, capacity: 1, free: [0], freed: [], used: 0 });
            const page = queue[0];
            expect(blockOf(page, ref)).toBe(page.free.pop());
            page.used++;
            live.push([ref, page]);
          } else {
            const [ref, page] = live.splice(step % live.length, 1)[0];
            heap.free(ref);
            page.freed.push(blockOf(page, ref));
            page.used--;
            if (full.includes(page)) queue.push(...full.splice(full.indexOf(page), 1));
            if (page.used === 0 && queue.length > 1) queue.splice(queue.indexOf(page), 1);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it("stay for 17 looks for a page when the only one of a size is empty", () => {
    const { heap } = heapOf();
    const first = heap.allocate(64);
    heap.free(first);
    // Seven or eight blocks of 8 KiB to a page: each page is one look.
    const slices = [...new Set(take(heap, 8 * 20, 8192).map(sliceOf))];
    expect(slices.indexOf(sliceOf(first))).toBe(16);
  });

  it("keep a block in place while at least half of it is used", () => {
    const { heap } = heapOf();
    const ref = heap.allocate(1000);
    expect(heap.reallocate(ref, 512)).toBe(ref);
    expect(heap.reallocate(ref, 1024)).toBe(ref);
    expect(heap.reallocate(ref, 511)).not.toBe(ref);
  });
});

describe("mimalloc's segments", () => {
  it("have 511 slices to give", () => {
    const { heap } = heapOf();
    const slices = take(heap, 512 * 8, 8192).map(sliceOf);
    expect(Math.min(...slices)).toBe(1);
    expect(new Set(slices).has(512)).toBe(false);
    expect(new Set(slices).has(513)).toBe(true);
  });

  it("are of one block beyond 16 MiB, and are unmapped with it", () => {
    const { heap, space } = heapOf();
    const ref = heap.allocate(SEGMENT / 2 + 1);
    expect((ref - SLICE) % SEGMENT).toBe(0);
    heap.free(ref);
    expect(space.mappedFor(Use.heap)).toBe(0);
  });

  it("give free slices back when the delay is over and a page is taken or given, and keep their mapping", () => {
    const { heap, space } = heapOf({ purgeDelay: 10, purgeExtendDelay: 1 });
    const kept = heap.allocate(8);
    const refs = take(heap, 4, 100_000);
    const [resident, mapped] = [space.resident, space.mappedFor(Use.heap)];
    for (const ref of refs) heap.free(ref);
    tick(heap, 12.9);
    heap.allocate(16);
    expect(space.resident).toBeGreaterThan(resident - 100_000);
    tick(heap, 13);
    expect(space.resident).toBeGreaterThan(resident - 100_000);
    heap.allocate(5000);
    expect(space.resident).toBeLessThan(resident - 300_000);
    expect(space.mappedFor(Use.heap)).toBe(mapped);
    expect(heap.capacityOf(kept)).toBe(8);
  });

  it("give a wholly free segment back after ten delays", () => {
    const { heap, space } = heapOf({ purgeDelay: 10 });
    // Each of these is more than half a segment.
    const refs = take(heap, 3, 16_700_000);
    expect(refs.map((ref) => Math.floor((ref - HEAP) / SEGMENT))).toEqual([0, 1, 2]);
    const { resident } = space;
    heap.free(refs[2]);
    tick(heap, 99);
    expect(space.resident).toBe(resident);
    tick(heap, 100);
    heap.free(refs[1]);
    expect(resident - space.resident).toBeGreaterThan(16_700_000);
    expect(resident - space.resident).toBeLessThan(2 * 16_700_000);
  });
});
