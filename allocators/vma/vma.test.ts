/** VMA's blocks and passes: blocks of 512 KiB at most, the first ones of 64, 128 and 256 KiB. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { isCompacting, type Ref, unlogged } from "../allocator.js";
import { type Checked, check } from "../checked.js";
import { FreeLists } from "./free-lists.js";
import { FREE, Nodes } from "./nodes.js";
import { type VmaOptions, vma } from "./vma.js";

const FULL = Number.POSITIVE_INFINITY;
const KIB = 1024;

function start(options: Partial<VmaOptions> = {}) {
  const space = createAddressSpace();
  const made = check(vma, vma.create(space, { blockBytes: 512 * KIB, ...options }), space);
  if (!isCompacting(made)) throw new Error("does not compact");
  return { space, heap: made as typeof made & Checked };
}

const fill = (heap: Checked, n: number, size: number): Ref[] => Array.from({ length: n }, () => heap.allocate(size));
const heapKib = (space: AddressSpace): number => space.mappedFor(Use.heap) / KIB;

describe("the lists of free ranges", () => {
  it("give the first of the next lists and the first fit of the own one, as a walk of VMA's lists would", () => {
    const step = fc.record({
      units: fc.integer({ min: 1, max: 400 }),
      drop: fc.nat(),
      ask: fc.integer({ min: 1, max: 400 }),
    });
    // Lists by bytes: four of 64 up to 256, then 32 to a doubling.
    const listOf = (units: number): number => {
      const bytes = 16 * units;
      if (bytes <= 256) return Math.floor((bytes - 1) / 64);
      const highest = 31 - Math.clz32(bytes);
      return 4 + (highest - 8) * 32 + ((bytes >>> (highest - 5)) ^ 32);
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const nodes = new Nodes(createAddressSpace());
        const lists = new FreeLists(nodes, 16);
        let model: { node: number; units: number }[] = [];
        for (const { units, drop, ask } of steps) {
          nodes.ensure(1);
          const node = nodes.take(0, 0, units, FREE);
          lists.insert(node);
          model.unshift({ node, units });
          if (drop % 3 === 0) {
            const gone = model[drop % model.length];
            lists.remove(gone.node);
            model = model.filter((range) => range !== gone);
          }
          const own = model.filter((range) => listOf(range.units) === listOf(ask));
          expect(lists.withinOwn(ask).node).toBe(own.find((range) => range.units >= ask)?.node ?? -1);
          const above = model.filter((range) => listOf(range.units) > listOf(ask));
          const lowest = Math.min(...above.map((range) => listOf(range.units)));
          expect(lists.larger(ask)).toBe(above.find((range) => listOf(range.units) === lowest)?.node ?? -1);
          expect(lists.count).toBe(model.length);
        }
      }),
    );
  });
});

describe("memory blocks", () => {
  it("begin at an eighth of the full size and double, and hold all their pages at once", () => {
    const { space, heap } = start();
    const sizes: number[] = [];
    for (let i = 0; i < 120; i++) {
      heap.allocate(8 * KIB);
      sizes.push(heapKib(space));
    }
    expect([...new Set(sizes)]).toEqual([64, 192, 448, 960]);
    expect(space.resident).toBe(960 * KIB);
  });

  it("give what is larger than half of one memory of its own, which goes with it", () => {
    const { space, heap } = start();
    const ref = heap.allocate(300 * KIB);
    expect(heapKib(space)).toBe(300);
    heap.free(ref);
    expect(heapKib(space)).toBe(0);
  });

  it("stay when they are empty, but one only", () => {
    const { space, heap } = start();
    const refs = fill(heap, 24, 8 * KIB);
    expect(heapKib(space)).toBe(192);
    for (const ref of refs) heap.free(ref);
    expect([64, 128]).toContain(heapKib(space));
  });

  it("charge 48 bytes for each range and 88 for each allocation, outside of the blocks", () => {
    const { space, heap } = start();
    fill(heap, 1000, 16);
    // 46 records of 88 bytes in a page; a range for each allocation and one for the rest; one set of lists.
    expect(space.mappedFor(Use.table)).toBe(Math.ceil(1000 / 46) * 4096);
    const pages = (bytes: number): number => Math.ceil(bytes / 4096) * 4096;
    expect(space.mappedFor(Use.meta)).toBe(pages(1002 * 48) + pages(6028));
  });
});

/** Two blocks, of 64 and 128 KiB, of 8 KiB each: of the first, `holes` are freed. */
function twoBlocks(options: Partial<VmaOptions>, holes: readonly number[], alsoFree: readonly number[] = []) {
  const { space, heap } = start(options);
  const refs = fill(heap, 8 + 6, 8 * KIB);
  const base = Math.min(...refs.map((ref) => heap.addressOf(ref)));
  for (const i of [...holes, ...alsoFree]) heap.free(refs[i]);
  const offset = (i: number): number => heap.addressOf(refs[i]) - base;
  return { space, heap, refs, offset };
}

describe("a pass", () => {
  it("of fast moves from the last block into earlier ones, the highest offsets first", () => {
    const { space, heap, refs, offset } = twoBlocks({ algorithm: "fast" }, [2, 5]);
    const stay = [8, 9, 10, 11].map((i) => heap.addressOf(refs[i]));
    expect(heap.compact(FULL, unlogged)).toBe(16 * KIB);
    expect([offset(12), offset(13)].sort((a, b) => a - b)).toEqual([16 * KIB, 40 * KIB]);
    expect([8, 9, 10, 11].map((i) => heap.addressOf(refs[i]))).toEqual(stay);
    expect(heap.compact(FULL, unlogged)).toBe(0);
    expect(space.costs[Cost.moves]).toBe(2);
    heap.audit();
  });

  it("of full also moves down within a block where earlier ones have no room, and fast does not", () => {
    for (const [algorithm, moved] of [
      ["fast", 0],
      ["full", 2 * 8 * KIB],
      ["balanced", 2 * 8 * KIB],
    ] as const) {
      const { heap, refs } = twoBlocks({ algorithm }, [], [8, 9]);
      const base = heap.addressOf(refs[10]) - 16 * KIB;
      expect(heap.compact(FULL, unlogged)).toBe(moved);
      const offsets = [10, 11, 12, 13].map((i) => heap.addressOf(refs[i]) - base).sort((a, b) => a - b);
      expect(offsets).toEqual(moved === 0 ? [16, 24, 32, 40].map((k) => k * KIB) : [0, 8, 16, 24].map((k) => k * KIB));
    }
  });

  it("moves no more allocations and no more bytes than it may, and goes on until a pass moves nothing", () => {
    for (const options of [{ passAllocations: 1 }, {}]) {
      const { space, heap } = twoBlocks({ algorithm: "fast", ...options }, [0, 1, 2, 3]);
      const budget = "passAllocations" in options ? FULL : 9 * KIB;
      const moved = Array.from({ length: 5 }, () => heap.compact(budget, unlogged));
      expect(moved).toEqual([8, 8, 8, 8, 0].map((k) => k * KIB));
      expect(space.costs[Cost.moves]).toBe(4);
    }
  });

  it("is asked for by the controller until one moves nothing, though each moves less than its budget", () => {
    const { heap } = twoBlocks({ algorithm: "fast", passAllocations: 1, fUpper: 1.01, fLower: 1, minSleep: 0 }, [0, 1]);
    const moved: number[] = [];
    for (let now = 10; now < 20; now += 0.1) {
      const due = heap.compactionDue(now);
      if (due > 0) moved.push(heap.compact(due, unlogged));
      if (moved.at(-1) === 0) break;
    }
    expect(moved).toEqual([8 * KIB, 8 * KIB, 0]);
  });

  it("leaves what refuses to move, and empties its block no further", () => {
    const { space, heap, refs } = twoBlocks({ algorithm: "fast", passAllocations: 2 }, [0, 1, 2]);
    heap.pin(refs[13]);
    const at = heap.addressOf(refs[13]);
    expect(heap.compact(FULL, unlogged)).toBe(8 * KIB);
    expect(heap.addressOf(refs[13])).toBe(at);
    expect(space.costs[Cost.moves]).toBe(1);
    heap.audit();
  });

  it("holds old and new places together, and gives the emptied block back at its end", () => {
    const { space, heap, refs } = twoBlocks({ algorithm: "full" }, [0, 1, 2, 3, 4, 5]);
    for (const i of [8, 9, 10, 11]) heap.free(refs[i]);
    const before = space.footprint;
    heap.compact(FULL, unlogged);
    expect(space.peakFootprint).toBe(before);
    // The block of 128 KiB is empty now: it is the one that is kept.
    expect(heapKib(space)).toBe(192);
    heap.audit();
  });
});

it("refuses a granule that is no power of two and limits in the wrong order", () => {
  expect(() => start({ granule: 48 })).toThrow(/^vma: option granule: 48 is no power of two$/);
  expect(() => start({ fLower: 2 })).toThrow(/^vma: option fLower: 2 is not below fUpper 1.4$/);
});
