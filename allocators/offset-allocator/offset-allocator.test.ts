import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { none, type Ref } from "../allocator.js";
import { offsetAllocator } from "./offset-allocator.js";
import { BINS, binAbove, binBelow, sizeOfBin } from "./small-float.js";

const GIB = 0x40000000;

/** The policy told slowly, in units: ranges in address order, and an array for each bin. */
class Naive {
  splits = 0;
  coalesces = 0;
  readonly ranges: { start: number; size: number; used: boolean }[];
  private readonly bins: { start: number; size: number; used: boolean }[][] = Array.from({ length: BINS }, () => []);

  constructor(size: number) {
    this.ranges = [{ start: 0, size, used: false }];
    this.bin(size).push(this.ranges[0]);
  }

  allocate(size: number): number {
    const range = this.bins.find((bin, i) => sizeOfBin(i) >= size && bin.length > 0)?.at(-1);
    if (range === undefined) return -1;
    this.unbin(range);
    range.used = true;
    if (range.size > size) {
      const rest = { start: range.start + size, size: range.size - size, used: false };
      this.ranges.splice(this.ranges.indexOf(range) + 1, 0, rest);
      this.bin(rest.size).push(rest);
      range.size = size;
      this.splits += 1;
    }
    return range.start;
  }

  free(start: number): void {
    const i = this.ranges.findIndex((range) => range.start === start);
    const range = this.ranges[i];
    const [before, after] = [this.ranges[i - 1], this.ranges[i + 1]];
    for (const other of [before, after]) {
      if (other === undefined || other.used) continue;
      this.unbin(other);
      this.ranges.splice(this.ranges.indexOf(other), 1);
      range.start = Math.min(range.start, other.start);
      range.size += other.size;
      this.coalesces += 1;
    }
    range.used = false;
    this.bin(range.size).push(range);
  }

  private bin(size: number): { start: number; size: number; used: boolean }[] {
    let i = 0;
    while (i + 1 < BINS && sizeOfBin(i + 1) <= size && sizeOfBin(i + 1) > sizeOfBin(i)) i += 1;
    return this.bins[i];
  }

  private unbin(range: { start: number; size: number; used: boolean }): void {
    const bin = this.bin(range.size);
    bin.splice(bin.indexOf(range), 1);
  }
}

const step = fc.record({
  free: fc.boolean(),
  size: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 500 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
  ),
  pick: fc.nat(),
});

describe("OffsetAllocator against ranges in arrays", () => {
  it("places, splits and merges alike, down to the last free range", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        const space = createAddressSpace();
        const heap = offsetAllocator.create(space, { range: 131072 });
        const naive = new Naive(131072 / 16);
        const live: Ref[] = [];
        for (const { free, size, pick } of steps) {
          if (free && live.length > 0) {
            const [ref] = live.splice(pick % live.length, 1);
            heap.free(ref);
            naive.free((ref - GIB) / 16);
          } else {
            const ref = heap.allocate(size);
            expect(ref === none ? -1 : (ref - GIB) / 16).toBe(naive.allocate(Math.max(1, Math.ceil(size / 16))));
            if (ref !== none) live.push(ref);
          }
          expect([space.costs[Cost.splits], space.costs[Cost.coalesces]]).toEqual([naive.splits, naive.coalesces]);
        }
      }),
      { numRuns: 80 },
    );
  });
});

describe("the bins", () => {
  it("are the floats of the original's tests: exact below 17, then an eighth apart", () => {
    for (let size = 0; size < 17; size++) expect([binAbove(size), binBelow(size)]).toEqual([size, size]);
    // From offsetAllocatorTests.cpp: size, bin above, bin below.
    for (const [size, above, below] of [
      [17, 17, 16],
      [118, 39, 38],
      [1024, 64, 64],
      [65536, 112, 112],
      [529445, 137, 136],
      [1048575, 144, 143],
    ]) {
      expect([binAbove(size), binBelow(size)]).toEqual([above, below]);
    }
  });

  it("round trip, and enclose every size", () => {
    for (let bin = 0; bin < 232; bin++)
      expect([binAbove(sizeOfBin(bin)), binBelow(sizeOfBin(bin))]).toEqual([bin, bin]);
    for (let size = 1; size < 1e9; size = size * 2 + 3) {
      expect(sizeOfBin(binBelow(size))).toBeLessThanOrEqual(size);
      expect(sizeOfBin(binAbove(size))).toBeGreaterThanOrEqual(size);
    }
  });
});

describe("OffsetAllocator", () => {
  it("is charged 32 bytes for each of maxAllocs at once, and writes nothing into the heap", () => {
    const space = createAddressSpace();
    const heap = offsetAllocator.create(space, { maxAllocs: 131072 });
    const refs = Array.from({ length: 10 }, () => heap.allocate(40_960));
    // 4 MiB of nodes and the allocator's own 1,096 bytes.
    expect(space.mappedFor(Use.meta)).toBe(4 * 1048576 + 4096);
    const { resident } = space;
    for (const ref of refs) heap.free(ref);
    expect(space.resident).toBe(resident);
    const map = new HeapMap();
    heap.walk(map);
    expect(map.totals()[Kind.header]).toBe(0);
  });

  it("gives an aligned object of no bytes an address that no other has", () => {
    const heap = offsetAllocator.create(createAddressSpace(), {});
    const refs = [heap.allocate(16), heap.allocate(0, 32), heap.allocate(0)];
    expect(new Set(refs).size).toBe(3);
  });

  it("fails although a block of the same bin would fit", () => {
    const heap = offsetAllocator.create(createAddressSpace(), { range: 65536 });
    const blocks = [33, 3840, 208, 15].map((units) => heap.allocate(units * 16));
    heap.free(blocks[0]);
    // 33 units are in the bin from 32 to 35, and a request for 33 is searched from the one from 36.
    expect(heap.allocate(33 * 16)).toBe(none);
    expect(heap.allocate(32 * 16)).toBe(blocks[0]);
  });

  it("has no memory when its nodes but one are used up", () => {
    const heap = offsetAllocator.create(createAddressSpace(), { maxAllocs: 10 });
    const refs = Array.from({ length: 12 }, () => heap.allocate(100));
    // One node is the free range's, and one is never given out.
    expect(refs.filter((ref) => ref !== none)).toHaveLength(8);
  });

  it("leaves all as it was where the memory under a range is refused", () => {
    const space = createAddressSpace(3 * 65536);
    const heap = offsetAllocator.create(space);
    const first = heap.allocate(100_000);
    const costs = Array.from(space.costs);
    expect(heap.allocate(100_000)).toBe(none);
    expect(Array.from(space.costs)).toEqual(costs);
    heap.free(first);
    expect(heap.allocate(100_000)).toBe(first);
  });
});
