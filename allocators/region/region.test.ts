import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { InputError } from "../../memory/errors.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Allocator, isPhaseAware, type Ref } from "../allocator.js";
import { check } from "../checked.js";
import type { RegionOptions } from "./options.js";
import { region } from "./region.js";

const CHUNK = 65536;

function heapWith(given: Partial<RegionOptions>) {
  const space = createAddressSpace();
  const heap = check(region, region.create(space, given), space);
  if (!isPhaseAware(heap)) throw new Error("not aware of phases");
  return { space, heap };
}

function fill(heap: Allocator, count: number, size = 1000): Ref[] {
  return Array.from({ length: count }, () => heap.allocate(size));
}

function totals(heap: Allocator): Float64Array {
  const map = new HeapMap();
  heap.walk(map);
  return map.totals();
}

describe("regions by phase", () => {
  it("go back at once when their last block is dead, whatever lives in others", () => {
    const { space, heap } = heapWith({});
    heap.phase(0);
    const request = fill(heap, 200);
    heap.phase(1);
    const cache = fill(heap, 200);
    heap.phase(2);
    expect(space.mappedFor(Use.heap)).toBe(8 * CHUNK);
    for (const ref of request.slice(1)) heap.free(ref);
    expect(space.mappedFor(Use.heap)).toBe(8 * CHUNK);
    heap.free(request[0]);
    expect(space.mappedFor(Use.heap)).toBe(4 * CHUNK);
    heap.audit();
    expect(totals(heap)[Kind.live]).toBe(200 * 1008);
    for (const ref of cache) heap.free(ref);
    expect(space.mapped).toBe(0);
  });

  it("are gone on with where the program comes back to a phase", () => {
    const { space, heap } = heapWith({});
    heap.phase(3);
    const a = heap.allocate(100);
    heap.phase(4);
    heap.allocate(100);
    heap.phase(3);
    expect(heap.allocate(100)).toBe(a + 112);
    expect(space.mappedFor(Use.heap)).toBe(2 * CHUNK);
  });

  it("keep their first chunk while they are being filled, and give it back when the program leaves", () => {
    const { space, heap } = heapWith({});
    heap.phase(0);
    const refs = fill(heap, 200);
    for (const ref of refs) heap.free(ref);
    expect(space.mappedFor(Use.heap)).toBe(CHUNK);
    expect(heap.allocate(10)).toBe(refs[0]);
    heap.free(refs[0]);
    heap.phase(1);
    expect(space.mapped).toBe(0);
    heap.audit();
  });

  it("are one region where there are no marks", () => {
    const { space, heap } = heapWith({});
    const refs = fill(heap, 200);
    for (const ref of refs.slice(1)) heap.free(ref);
    expect(space.mappedFor(Use.heap)).toBe(4 * CHUNK);
  });
});

describe("regions by guess", () => {
  it("by birth are the chunks themselves: one block holds one chunk", () => {
    const { space, heap } = heapWith({ by: "birth" });
    const refs = fill(heap, 640);
    expect(space.mappedFor(Use.heap)).toBe(10 * CHUNK);
    // 64 blocks of 1008 bytes and a header are a chunk's; the first block of the second chunk survives.
    for (const [i, ref] of refs.entries()) if (i !== 65) heap.free(ref);
    expect(space.mappedFor(Use.heap)).toBe(2 * CHUNK);
    heap.audit();
  });

  it("by size are apart by powers of two", () => {
    const { space, heap } = heapWith({ by: "size" });
    for (const size of [16, 17, 32, 33, 64, 65]) heap.allocate(size);
    expect(space.mappedFor(Use.heap)).toBe(4 * CHUNK);
  });
});

describe("the account", () => {
  it("has 16 bytes in each chunk, 32 beside it for each region, and the rest of a chunk as tail", () => {
    const { space, heap } = heapWith({});
    fill(heap, 66);
    const kinds = totals(heap);
    expect(kinds[Kind.header]).toBe(32);
    expect(kinds[Kind.tail]).toBe(CHUNK - 16 - 64 * 1008 - 1008 * Math.floor((CHUNK - 16 - 64 * 1008) / 1008));
    expect(space.mappedFor(Use.meta)).toBe(4096);
  });

  it("has blocks of more than a quarter of a chunk by themselves, and they go back by themselves", () => {
    const { space, heap } = heapWith({});
    heap.allocate(CHUNK / 4);
    const { mapped } = space;
    const large = heap.allocate(CHUNK / 4 + 1);
    expect(space.mapped - mapped).toBe(20480);
    heap.free(large);
    expect(space.mapped).toBe(mapped);
  });

  it("shows that the last block of a region grows in place", () => {
    const { heap } = heapWith({});
    const [a, b] = fill(heap, 2, 100);
    expect(heap.reallocate(b, 5000)).toBe(b);
    expect(heap.reallocate(a, 5000)).not.toBe(a);
  });
});

describe("options", () => {
  it("refuse a chunk that is no power of two", () => {
    expect(() => region.create(createAddressSpace(), { chunk: 5000 })).toThrow(InputError);
    expect(() => region.create(createAddressSpace(), { chunk: 5000 })).toThrow("chunk: 5000 is not a power of two");
  });
});
