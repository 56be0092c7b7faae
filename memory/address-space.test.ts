import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "./address-space.js";
import { compare, read, step } from "./address-space.properties.js";
import { HeapError, InputError } from "./errors.js";

const PAGE = 4096;
const GIB = 1073741824;

describe("the address space", () => {
  it("counts as a naive model does through any sequence of calls", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => compare(steps, Number.POSITIVE_INFINITY)),
      { numRuns: 250 },
    );
  });

  it("answers 0 and false at its limit and changes nothing", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.nat(20), (steps, pages) => compare(steps, pages * PAGE)),
      { numRuns: 150 },
    );
  });

  it("does not count a refused request as a system call", () => {
    const space = createAddressSpace(PAGE);
    const at = space.reserve(GIB, PAGE);
    expect(space.map(PAGE + 1, PAGE, Use.heap)).toBe(0);
    expect(space.commit(at, 2 * PAGE, Use.meta)).toBe(false);
    expect([...space.costs].every((n) => n === 0)).toBe(true);
    expect(space.log.length).toBe(0);
    expect(space.commit(at, PAGE, Use.meta)).toBe(true);
  });

  it("refuses sizes that are no sizes", () => {
    const space = createAddressSpace();
    for (const bytes of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(space.map(bytes, PAGE, Use.heap)).toBe(0);
    expect(space.mapped).toBe(0);
  });

  it("hands out the lowest addresses from 64 KiB, reuses what was unmapped, and goes on at 2^42", () => {
    const space = createAddressSpace();
    expect(space.map(1, 1, Use.heap)).toBe(65536);
    expect(space.map(PAGE, 131072, Use.heap)).toBe(131072);
    expect(space.map(2 * PAGE, PAGE, Use.heap)).toBe(65536 + PAGE);
    space.unmap(65536, PAGE);
    expect(space.map(PAGE, PAGE, Use.heap)).toBe(65536);
    const high = space.map(GIB, PAGE, Use.heap);
    expect(high).toBe(4398046511104);
    space.touch(high + GIB - 1, 1);
    expect(space.resident).toBe(PAGE);
    expect(space.footprintOf(high, GIB)).toBe(PAGE);
    space.unmap(high, GIB);
    expect(space.map(GIB, PAGE, Use.meta)).toBe(high);
    expect(space.footprint).toBe(GIB);
  });

  it("reserves without mapping, one reservation behind the other, until the addresses are used up", () => {
    const space = createAddressSpace(0);
    expect(space.reserve(10, PAGE)).toBe(GIB);
    expect(space.reserve(PAGE, 65536)).toBe(GIB + 65536);
    const tebibyte = 1099511627776;
    expect(space.reserve(tebibyte, tebibyte)).toBe(tebibyte);
    expect(space.reserve(2 * tebibyte, PAGE)).toBe(2 * tebibyte);
    expect(() => space.reserve(PAGE, PAGE)).toThrow(
      new InputError(`the simulated address space has no ${PAGE} bytes left to reserve`),
    );
    expect(space.mapped).toBe(0);
  });

  it("maps, touches and gives back a tebibyte as fast as a page", () => {
    const space = createAddressSpace();
    const bytes = 1099511627776;
    const at = space.map(bytes, PAGE, Use.heap);
    space.touch(at + PAGE, bytes - PAGE);
    expect(space.resident).toBe(bytes - PAGE);
    space.touch(at, 1);
    expect(space.footprintOf(at + 1, bytes - 2)).toBe(bytes - 2);
    expect(space.discard(at + 1, bytes - 1)).toBe(bytes / PAGE - 1);
    expect(space.resident).toBe(PAGE);
    const seen: number[] = [];
    space.regions((start, length) => seen.push(start, length));
    expect(seen).toEqual([at, bytes]);
    space.unmap(at, bytes);
    expect([space.mapped, space.resident, space.peakResident]).toEqual([0, 0, bytes]);
  });

  it("keeps the peak of the footprint where metadata is mapped at the top", () => {
    const space = createAddressSpace();
    const heap = space.map(4 * PAGE, PAGE, Use.heap);
    space.touch(heap, 4 * PAGE);
    const meta = space.map(3 * PAGE, PAGE, Use.meta);
    space.unmap(meta, 3 * PAGE);
    space.map(PAGE, PAGE, Use.table);
    expect([space.footprint, space.peakFootprint, space.peakResident, space.peakMapped]).toEqual(
      [5, 7, 4, 7].map((n) => n * PAGE),
    );
  });

  it("counts a shared frame once, until the last page that shows it goes", () => {
    const space = createAddressSpace();
    const [a, b, c] = [0, 1, 2].map((i) => space.map(PAGE, PAGE, Use.heap) + 0 * i);
    space.touch(a, 1);
    space.touch(b, 1);
    space.touch(c, 1);
    space.alias(c, b, PAGE);
    space.alias(b, a, PAGE);
    expect(space.resident).toBe(PAGE);
    expect([a, b, c].map((at) => space.footprintOf(at, PAGE))).toEqual([PAGE, 0, 0]);
    space.alias(a, a, PAGE);
    space.alias(a, c, PAGE);
    expect(space.resident).toBe(PAGE);
    expect(space.discard(b, PAGE)).toBe(1);
    expect(space.discard(c, PAGE)).toBe(0);
    space.touch(c, 1);
    space.unmap(a, PAGE);
    expect([b, c].map((at) => space.footprintOf(at, PAGE))).toEqual([PAGE, 0]);
    space.unmap(b, PAGE);
    expect([space.resident, space.footprintOf(c, PAGE)]).toEqual([PAGE, PAGE]);
    space.unmap(c, PAGE);
    expect([space.resident, space.mapped]).toEqual([0, 0]);
  });

  it("finds the regions on both sides of large holes", () => {
    const space = createAddressSpace();
    const far = space.reserve(1099511627776, PAGE) + 1000000 * PAGE;
    const next = space.reserve(GIB, PAGE);
    space.commit(far, 4096 * PAGE, Use.heap);
    space.commit(next, PAGE, Use.table);
    space.commit(next + PAGE, PAGE, Use.meta);
    const low = space.map(PAGE, PAGE, Use.heap);
    const seen: number[][] = [];
    space.regions((...region) => seen.push(region));
    expect(seen).toEqual([
      [low, PAGE, Use.heap],
      [far, 4096 * PAGE, Use.heap],
      [next, PAGE, Use.table],
      [next + PAGE, PAGE, Use.meta],
    ]);
  });

  it("calls a broken invariant by its name", () => {
    const space = createAddressSpace();
    const heap = space.map(2 * PAGE, PAGE, Use.heap);
    const meta = space.map(PAGE, PAGE, Use.meta);
    const at = space.reserve(4 * PAGE, PAGE);
    space.reserve(4 * PAGE, PAGE);
    space.commit(at + PAGE, PAGE, Use.heap);
    const faults: [() => void, string][] = [
      [() => space.commit(at - PAGE, PAGE, Use.heap), "structure"],
      [() => space.commit(at + 3 * PAGE, 2 * PAGE, Use.heap), "structure"],
      [() => space.commit(at, 2 * PAGE, Use.heap), "overlap"],
      [() => space.commit(at + 1, PAGE, Use.heap), "misaligned"],
      [() => space.touch(at, 1), "unmapped"],
      [() => space.touch(0, 1), "unmapped"],
      [() => space.discard(at, 2 * PAGE), "unmapped"],
      [() => space.unmap(heap, 4 * PAGE), "unmapped"],
      [() => space.unmap(heap + 16, 100), "misaligned"],
      [() => space.alias(heap, meta, PAGE), "unmapped"],
      [() => space.alias(heap, at, PAGE), "unmapped"],
    ];
    const before = read(space);
    for (const [call, fault] of faults) expect(faultOf(call)).toBe(fault);
    expect(read(space)).toEqual(before);
  });

  it("does nothing for no bytes", () => {
    const space = createAddressSpace();
    const at = space.reserve(PAGE, PAGE);
    space.touch(at, 0);
    space.unmap(at, 0);
    space.alias(at, at, 0);
    expect(space.commit(at, 0, Use.heap)).toBe(true);
    expect(space.discard(at, PAGE - 1)).toBe(0);
    expect(space.costs.every((n) => n === 0)).toBe(true);
  });
});

function faultOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    return error instanceof HeapError ? error.fault : String(error);
  }
  return "none";
}
