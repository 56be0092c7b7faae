/** The table: sizes of entries, order of reuse, pages that go; and who is pinned. */
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { type Compacting, isCompacting, type Ref, unlogged } from "../allocator.js";
import { CompactingHandles } from "./compacting-handles.js";
import { nameOf } from "./draw-heap.js";
import { type HandleTableOptions, handleTable } from "./handle-table.js";
import { MoveCredit } from "./move-credit.js";
import { chanceOf } from "./pin-model.js";
import { TwoHeapHandles } from "./two-heap-handles.js";

const FULL = Number.POSITIVE_INFINITY;

function start(options: Partial<HandleTableOptions>): { heap: Compacting; space: AddressSpace } {
  const space = createAddressSpace();
  const heap = handleTable.create(space, options);
  if (!isCompacting(heap)) throw new Error("these options give no compaction");
  return { heap, space };
}

function malloc(heap: Compacting, count: number, size = 16): Ref[] {
  return Array.from({ length: count }, () => heap.allocate(size));
}

describe("entries", () => {
  it("cost 4, 8 or 16 bytes each", () => {
    for (const [entryBytes, pages] of [
      [4, 10],
      [8, 20],
      [16, 40],
    ] as const) {
      const { heap, space } = start({ entryBytes, generations: 16 });
      malloc(heap, 10_000);
      expect(space.mappedFor(Use.table)).toBe(pages * 4096);
    }
  });

  it("are reused last in first out, first in first out, or lowest first", () => {
    for (const [freeOrder, names] of [
      ["lifo", ["1:g1", "3:g1", "2:g1", "5:g0"]],
      ["fifo", ["2:g1", "3:g1", "1:g1", "5:g0"]],
      ["lowest", ["1:g1", "2:g1", "3:g1", "5:g0"]],
    ] as const) {
      const { heap } = start({ freeOrder });
      const refs = malloc(heap, 5);
      for (const i of [2, 3, 1]) heap.free(refs[i]);
      expect(malloc(heap, 4).map(nameOf)).toEqual(names);
    }
  });

  it("reach a heap of 2 GiB with 4 bytes", () => {
    const { heap } = start({ entryBytes: 4, generations: 1, retireOnWrap: false });
    expect(heap.allocate(0x7fffffe0)).toBeGreaterThan(0);
    expect(heap.allocate(16)).toBe(0);
  });
});

describe("the first stale handle", () => {
  it("is remembered with its event, entry and generation", () => {
    const { heap, space } = start({});
    const [a, b] = malloc(heap, 2);
    heap.free(a);
    heap.free(heap.allocate(16));
    space.log.now = 17;
    heap.free(a);
    space.log.now = 18;
    heap.free(b);
    heap.free(b);
    if (!(heap instanceof CompactingHandles)) throw new Error("no compaction");
    expect(heap.firstStale).toEqual({ event: 17, entry: 0, generation: 0 });
    expect(space.costs[Cost.staleHandles]).toBe(2);
  });
});

describe("pages of the table", () => {
  it("go when no entry on them lives, but one, and come back with the generations they had", () => {
    const { heap, space } = start({ releaseTablePages: true, freeOrder: "lowest" });
    const refs = malloc(heap, 2048);
    const old = refs[600];
    for (const ref of refs.slice(512)) heap.free(ref);
    // Four pages of entries, one kept empty and the one that is in use up to its end; a page of the directory.
    expect(space.mappedFor(Use.table)).toBe(3 * 4096);
    const again = malloc(heap, 1024);
    const same = again.find((ref) => ref % 0x100000000 === old % 0x100000000) as Ref;
    expect(nameOf(same)).toBe("600:g1");
    expect(heap.addressOf(old)).toBe(0);
    expect(heap.addressOf(same)).toBeGreaterThan(0);
  });

  it("stay away for good when an entry on them is worn out", () => {
    const { heap, space } = start({ releaseTablePages: true, freeOrder: "lowest", generations: 1 });
    const refs = malloc(heap, 1536);
    for (const ref of refs.slice(0, 1024)) heap.free(ref);
    const left = space.mappedFor(Use.table);
    malloc(heap, 512);
    expect(space.mappedFor(Use.table)).toBe(left + 4096);
  });

  it("stay where the table does not release them", () => {
    const { heap, space } = start({ freeOrder: "lowest" });
    for (const ref of malloc(heap, 2048)) heap.free(ref);
    // Beside its pages lies one with a bit for each entry.
    expect(space.mappedFor(Use.table)).toBe(5 * 4096);
  });
});

describe("pin models", () => {
  const moved = (options: Partial<HandleTableOptions>, passes = 1): number[] => {
    const { heap, space } = start(options);
    return Array.from({ length: passes }, () => {
      const refs = malloc(heap, 2000);
      refs.forEach((ref, i) => {
        if (i % 2 === 0) heap.free(ref);
      });
      const before = space.costs[Cost.moves];
      heap.compact(FULL, unlogged);
      return space.costs[Cost.moves] - before;
    });
  };

  it("pin the share they are told to", () => {
    for (const pins of ["bernoulli", "sticky"] as const) {
      const [count] = moved({ pins, pinShare: 0.2 });
      expect(count).toBeGreaterThan(740);
      expect(count).toBeLessThan(860);
      expect(moved({ pins, pinShare: 0 })).toEqual([1000]);
      expect(moved({ pins, pinShare: 1 })).toEqual([0]);
    }
  });

  it("draw anew in each pass, or once for life", () => {
    const stays = (pins: "bernoulli" | "sticky"): number => {
      const { heap } = start({ pins, pinShare: 0.5, compact: "semispace" });
      const refs = malloc(heap, 1000);
      const places = refs.map((ref) => heap.addressOf(ref));
      for (let pass = 0; pass < 8; pass++) heap.compact(FULL, unlogged);
      return refs.filter((ref, i) => heap.addressOf(ref) === places[i]).length;
    };
    expect(stays("sticky")).toBeGreaterThan(400);
    expect(stays("bernoulli")).toBeLessThan(150);
  });

  it("hold an object for a window of operations after its last use (A13)", () => {
    const { heap, space } = start({ pins: "window", pinShare: 1, pinWindow: 100 });
    const refs = malloc(heap, 50);
    heap.free(refs[0]);
    expect(heap.compact(FULL, unlogged)).toBe(0);
    for (let i = 0; i < 60; i++) heap.access(refs[49], 3);
    expect(space.costs[Cost.tableLoads]).toBe(180);
    heap.compact(FULL, unlogged);
    // 111 operations: those before the twelfth are out of the window, and the first object is gone.
    expect(space.costs[Cost.moves]).toBe(10);
  });

  it("make the controller fall back to waiting when all is held", () => {
    const { heap, space } = start({ pins: "window", pinShare: 1, pinWindow: 1e9, poll: 10, firstPoll: 10 });
    malloc(heap, 100).forEach((ref, i) => {
      if (i % 4 !== 3) heap.free(ref);
    });
    for (let now = 0; now <= 100; now += 0.05) {
      const budget = heap.compactionDue(now);
      if (budget > 0) heap.compact(budget, unlogged);
    }
    expect(space.costs[Cost.passes]).toBeGreaterThanOrEqual(9);
    expect(space.costs[Cost.passes]).toBeLessThanOrEqual(10);
    expect(space.costs[Cost.moves]).toBe(0);
  });

  it("put what will be pinned for life out of the way, so that the rest packs", () => {
    const extents = [false, true].map((pinnedHigh) => {
      const { heap } = start({ pins: "sticky", pinShare: 0.05, pinnedHigh });
      malloc(heap, 4000).forEach((ref, i) => {
        if (i % 4 !== 0) heap.free(ref);
      });
      heap.compact(FULL, unlogged);
      if (!(heap instanceof CompactingHandles)) throw new Error("no compaction");
      expect(heap.handles instanceof TwoHeapHandles).toBe(pinnedHigh);
      return heap.handles.extent();
    });
    expect(extents[0]).toBeGreaterThan(3800 * 32);
    expect(extents[1]).toBeLessThan(1200 * 32);
  });

  it("draw evenly", () => {
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i++) counts[Math.floor(10 * chanceOf(1, i, 0))]++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

describe("budgets and triggers", () => {
  it("let a c-partial heap move no more than its share of what was allocated, and save up to a cap", () => {
    const { heap, space } = start({ cPartial: 4 });
    const refs = malloc(heap, 1000);
    refs.forEach((ref, i) => {
      if (i % 2 === 0) heap.free(ref);
    });
    // A thousand blocks of 32 bytes earn 8,000.
    expect(heap.compact(FULL, unlogged)).toBe(8000);
    expect(heap.compact(FULL, unlogged)).toBe(0);
    malloc(heap, 8);
    expect(heap.compact(FULL, unlogged)).toBe(64);
    expect(space.costs[Cost.bytesMoved]).toBe(8064);
    const credit = new MoveCredit({ cPartial: 2, creditCap: 100 });
    credit.earn(1000);
    expect([credit.left, credit.most]).toEqual([100, 100]);
  });

  it("compact on demand: a request beyond the limit gets nothing until a pass has made room", () => {
    const { heap, space } = start({ trigger: "onDemand", heapLimit: 4096 });
    const refs = malloc(heap, 64, 48);
    expect(heap.allocate(48)).toBe(0);
    refs.forEach((ref, i) => {
      if (i % 2 === 0) heap.free(ref);
    });
    expect(heap.allocate(1000)).toBe(0);
    for (let now = 0; now < 1000; now++) expect(heap.compactionDue(now)).toBe(0);
    heap.compact(FULL, unlogged);
    expect(heap.allocate(1000)).toBeGreaterThan(0);
    expect(space.mappedFor(Use.heap)).toBe(4096);
  });

  it("compact at every poll when told to", () => {
    const { heap } = start({ trigger: "periodic", poll: 5, firstPoll: 5 });
    malloc(heap, 100);
    let passes = 0;
    for (let now = 0; now <= 50; now += 0.5) {
      const budget = heap.compactionDue(now);
      if (budget > 0) passes++;
      if (budget > 0) heap.compact(budget, unlogged);
    }
    expect(passes).toBeGreaterThanOrEqual(9);
    expect(passes).toBeLessThanOrEqual(10);
  });
});

describe("options that do not go together", () => {
  it.each([
    [{ inner: "first-fit" }, /option inner: slide moves blocks within the table's own heap/],
    [{ inner: "first-fit", compact: "evacuate", heapLimit: 8192 }, /option heapLimit: is of the table's own heap/],
    [
      { inner: "first-fit", compact: "evacuate", region: 12288 },
      /option region: 12288 is neither 0 nor a power of two/,
    ],
    [{ entryBytes: 5 }, /option entryBytes: 5 is not 4, 8 or 16/],
    [{ entryBytes: 4 }, /option entryBytes: 4 bytes hold 4 bits of generation/],
    [{ cPartial: 0.5 }, /option cPartial: 0.5 is below 1/],
    [{ resume: true, compact: "twoFinger" }, /option resume: only a slide/],
    [{ resume: true, place: "bump" }, /option resume: dead blocks/],
    [{ pinnedHigh: true }, /option pinnedHigh: that an object will be pinned/],
    [{ alpha: 0 }, /option alpha: 0 leaves a pass nothing to move: use compact=none/],
    [{ creditCap: 4096 }, /option creditCap: .* set cPartial/],
    [{ pinShare: 0.2 }, /option pinShare: .* set pins=bernoulli, sticky or window/],
    [{ victims: "highest" }, /option victims: is for another allocator/],
    [{ trigger: "onDemand" }, /option trigger: onDemand answers requests that heapLimit refuses/],
    [{ payloadOnly: true }, /option payloadOnly: is of compact=semispace/],
    [{ region: 8192 }, /option region: is for another allocator/],
  ] as [Partial<HandleTableOptions>, RegExp][])("%o are refused with the reason", (options, message) => {
    expect(() => handleTable.create(createAddressSpace(), options)).toThrow(message);
  });
});
