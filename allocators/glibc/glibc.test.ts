import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { InputError } from "../../memory/errors.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import type { Allocator, Ref } from "../allocator.js";
import { glibc } from "./glibc.js";
import type { GlibcOptions } from "./options.js";

/** The heap starts here, as the first reservation. */
const HEAP = 1 << 30;

function heapOf(options: Partial<GlibcOptions> = {}): { heap: Allocator; space: AddressSpace } {
  const space = createAddressSpace();
  return { heap: glibc.create(space, options), space };
}

/** Offsets from the start of the heap. */
const offsets = (refs: readonly Ref[]): number[] => refs.map((ref) => ref - HEAP);

describe("glibc", () => {
  it("rounds a request up to a chunk with 8 bytes of header, at least 32", () => {
    const { heap } = heapOf();
    const usable = [0, 1, 24, 25, 40, 41, 56, 244, 1000].map((size) => heap.capacityOf(heap.allocate(size)));
    expect(usable).toEqual([24, 24, 24, 40, 40, 56, 56, 248, 1000]);
  });

  it("starts with 132 KiB, of which the first 672 bytes are the thread cache's table and two headers", () => {
    const { heap, space } = heapOf();
    expect(heap.allocate(1) - HEAP).toBe(672);
    expect(space.mappedFor(Use.heap)).toBe(135168);
    expect(space.mappedFor(Use.meta)).toBe(4096);
    const map = new HeapMap();
    heap.walk(map);
    expect(map.totals()[Kind.header]).toBe(656 + 8);
  });

  it("hands the chunk freed last out first, and keeps seven of a size", () => {
    const { heap } = heapOf({ mxfast: 0 });
    const refs = Array.from({ length: 20 }, () => heap.allocate(200));
    for (const ref of refs.slice(0, 9)) heap.free(ref);
    const again = Array.from({ length: 9 }, () => heap.allocate(200));
    // Seven from the cache; the last two were coalesced, and are cut from their low end.
    expect(offsets(again)).toEqual([...offsets(refs.slice(0, 7)).reverse(), ...offsets(refs.slice(7, 9))]);
  });

  it("splits a hole of 2016 bytes for 1984 with a rest of 32, and hands it out whole for 2000", () => {
    for (const [size, capacity] of [
      [1976, 1976],
      [1992, 2008],
    ]) {
      const { heap } = heapOf({ tcacheCount: 0 });
      const hole = heap.allocate(2008);
      heap.allocate(16);
      heap.free(hole);
      expect(heap.allocate(size)).toBe(hole);
      expect(heap.capacityOf(hole)).toBe(capacity);
    }
  });

  it("returns nothing where seven cached chunks lie at the top, and 3.9 of 4.3 MB without the cache", () => {
    const left = [7, 0].map((tcacheCount) => {
      const { heap, space } = heapOf({ tcacheCount });
      const refs = Array.from({ length: 4000 }, () => heap.allocate(1000));
      const before = space.mappedFor(Use.heap);
      for (const ref of refs.reverse()) heap.free(ref);
      return [before, before - space.mappedFor(Use.heap)];
    });
    expect(left[0]).toEqual([left[0][0], 0]);
    expect(left[1][1]).toBeGreaterThan(3.85e6);
    expect(left[1][0]).toBeLessThan(4.35e6);
  });

  it("maps a chunk of 128 KiB on its own where the heap would grow, and raises the threshold when it is freed", () => {
    const { heap, space } = heapOf();
    const first = heap.allocate(200_000);
    expect(first % 4096).toBe(16);
    expect(heap.capacityOf(first)).toBe(Math.ceil((200_000 + 16) / 4096) * 4096 - 16);
    const before = space.mapped;
    heap.free(first);
    expect(space.mapped).toBe(before - 200_704);
    const second = heap.allocate(200_000);
    expect(second).toBeGreaterThanOrEqual(HEAP);
  });

  it("serves a request beyond the threshold from the top while that is large enough", () => {
    const { heap } = heapOf();
    heap.allocate(1);
    expect(heap.allocate(131_249)).toBeGreaterThan(HEAP);
  });

  it("moves the pages of a mapping that is reallocated, and copies nothing", () => {
    const { heap, space } = heapOf();
    const ref = heap.allocate(1_000_000);
    const faults = space.costs[Cost.pageFaults];
    const moved = heap.reallocate(ref, 3_000_000);
    expect(heap.capacityOf(moved)).toBeGreaterThanOrEqual(3_000_000);
    expect(space.costs[Cost.bytesCopied]).toBe(0);
    expect(space.costs[Cost.pageFaults] - faults).toBe(Math.ceil(3_000_016 / 4096) - Math.ceil(1_000_016 / 4096));
    expect(space.peakMapped).toBe(space.mapped);
  });

  it("refuses thresholds that the C library would not go on adjusting", () => {
    expect(() => heapOf({ topPad: 0 })).toThrow(InputError);
    expect(() => heapOf({ topPad: 0 })).toThrow(/^glibc: option topPad.*dynamic=false$/);
    expect(() => heapOf({ topPad: 0, dynamic: false })).not.toThrow();
  });
});
