import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import type { Allocator, Ref } from "../allocator.js";
import { treeOf } from "./bins.js";
import { type DlmallocOptions, dlmalloc } from "./dlmalloc.js";

/** The heap starts here, as the first reservation. */
const HEAP = 1 << 30;

function heapOf(options: Partial<DlmallocOptions> = {}): { heap: Allocator; space: AddressSpace } {
  const space = createAddressSpace();
  return { heap: dlmalloc.create(space, options), space };
}

/** Bytes of the free chunks, by the address of their first usable byte; the top, behind `end`, is none. */
function freeChunks(heap: Allocator, end: Ref): Map<number, number> {
  const map = new HeapMap();
  heap.walk(map);
  const chunks = new Map<number, number>();
  for (let i = 0; i < map.length; i++) {
    if (map.kind[i] === Kind.free && map.start[i] < end) chunks.set(map.start[i] + 8, map.bytes[i]);
  }
  return chunks;
}

describe("dlmalloc", () => {
  it("rounds a request up to a chunk with 8 bytes of header, at least 32", () => {
    const { heap } = heapOf();
    const usable = [0, 24, 25, 40, 41, 244, 1000].map((size) => heap.capacityOf(heap.allocate(size)));
    expect(usable).toEqual([24, 24, 40, 40, 56, 248, 1000]);
  });

  it("grows by 64 KiB, with a record of 80 bytes at the end of the heap", () => {
    const { heap, space } = heapOf();
    expect(heap.allocate(1)).toBe(HEAP + 16);
    expect(space.mappedFor(Use.heap)).toBe(65536);
    expect(space.mappedFor(Use.meta)).toBe(4096);
    // The first page, and the last with the record.
    expect(space.resident).toBe(2 * 4096);
    // 65536 - 80 - 32 are left, of which the top keeps at least 16.
    heap.allocate(65536 - 80 - 32 - 16 - 8);
    expect(space.mappedFor(Use.heap)).toBe(65536);
    heap.allocate(16);
    expect(space.mappedFor(Use.heap)).toBe(131072);
  });

  it("cuts small requests in a row from one victim", () => {
    const { heap } = heapOf();
    const hole = heap.allocate(1000);
    heap.allocate(1);
    heap.free(hole);
    const refs = Array.from({ length: 8 }, () => heap.allocate(100));
    expect(refs.map((ref) => ref - hole)).toEqual(refs.map((_, i) => 112 * i));
  });

  it("hands out the chunk of a small size that was freed last", () => {
    const { heap } = heapOf();
    const refs = Array.from({ length: 6 }, () => heap.allocate(100));
    heap.free(refs[0]);
    heap.free(refs[2]);
    heap.free(refs[4]);
    expect([heap.allocate(100), heap.allocate(100), heap.allocate(100)]).toEqual([refs[4], refs[2], refs[0]]);
  });

  it("has two trees to a doubling", () => {
    const bytes = [256, 383 + 1, 512, 768, 1024, 16777216];
    expect(bytes.map((size) => treeOf(size / 16))).toEqual([0, 1, 2, 3, 4, 31]);
  });

  it("is best fit for chunks of 256 bytes and more, whatever was freed before", () => {
    const size = fc.integer({ min: 249, max: 6000 });
    let fits = 0;
    const steps = fc.array(fc.tuple(fc.nat(2), size, fc.nat(10_000)), { minLength: 50, maxLength: 300, size: "max" });
    fc.assert(
      fc.property(steps, (program) => {
        const { heap } = heapOf();
        const live: Ref[] = [];
        for (const [kind, bytes, pick] of program) {
          if (kind === 0 && live.length > 3) {
            heap.free(live.splice(pick % live.length, 1)[0]);
            continue;
          }
          const last = Math.max(0, ...live) as Ref;
          const need = Math.ceil((bytes + 8) / 16) * 16;
          const free = [...freeChunks(heap, last)].filter(([, chunk]) => chunk >= need);
          const ref = heap.allocate(bytes);
          live.push(ref);
          if (free.length === 0) continue;
          const best = Math.min(...free.map(([, chunk]) => chunk));
          expect(new Map(free).get(ref)).toBe(best);
          fits++;
        }
      }),
      { numRuns: 60 },
    );
    expect(fits).toBeGreaterThan(500);
  });

  it("coalesces at once, so that a heap with nothing in it is all top", () => {
    const { heap } = heapOf();
    const refs = Array.from({ length: 500 }, (_, i) => heap.allocate(10 + 13 * i));
    for (let i = 0; i < 500; i++) heap.free(refs[(i * 7) % 500]);
    expect(heap.allocate(1000)).toBe(HEAP + 16);
    expect(freeChunks(heap, refs[1]).size).toBe(0);
  });

  it("cuts a top of more than 2 MiB, and keeps a granularity at most", () => {
    const { heap, space } = heapOf();
    const refs = Array.from({ length: 30 }, () => heap.allocate(100_000));
    for (const ref of refs.slice(10).reverse()) heap.free(ref);
    expect(space.mappedFor(Use.heap)).toBeGreaterThan(3_000_000);
    heap.free(refs[9]);
    expect(space.mappedFor(Use.heap)).toBeLessThanOrEqual(9 * 100_016 + 65536 + 80 + 16);
  });

  it("maps a chunk of 256 KiB on its own, but not the first", () => {
    const { heap, space } = heapOf();
    expect(heap.allocate(300_000)).toBe(HEAP + 16);
    const ref = heap.allocate(300_000);
    expect(ref).toBeLessThan(HEAP);
    expect(heap.capacityOf(ref)).toBe(Math.ceil((300_016 + 63) / 4096) * 4096 - 48);
    const before = space.mapped;
    expect(heap.reallocate(ref, 250_000)).toBe(ref);
    expect(heap.capacityOf(heap.reallocate(ref, 900_000))).toBeGreaterThanOrEqual(900_000);
    expect(space.mapped).toBeGreaterThan(before);
  });
});
