/** Scenarios with known numbers: 100,000 objects of 48 bytes (blocks of 64) unless said otherwise. */
import { beforeEach, describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { type Ref, unlogged } from "../allocator.js";
import { CompactingHandles } from "./compacting-handles.js";
import { type HandleTableOptions, handleTable } from "./handle-table.js";

const N = 100_000;
const FULL = Number.POSITIVE_INFINITY;

let space: AddressSpace;
let heap: CompactingHandles;
let refs: Ref[];

function start(options: Partial<HandleTableOptions> = {}): void {
  space = createAddressSpace();
  const made = handleTable.create(space, options);
  if (!(made instanceof CompactingHandles)) throw new Error("these options give no compaction");
  heap = made;
}

function fill(): void {
  refs = Array.from({ length: N }, () => heap.allocate(48));
}

function freeWhere(isFreed: (index: number) => boolean): void {
  refs.forEach((ref, index) => {
    if (isFreed(index)) heap.free(ref);
  });
}

function top(): number {
  return heap.handles.heap.blocks.top * 16;
}

function fragmentation(): number {
  return top() / (heap.handles.heap.liveUnits * 16);
}

beforeEach(() => start());

describe("A1: every other object freed", () => {
  for (const [compact, moves] of [
    ["slide", 50_000],
    ["twoFinger", 25_000],
  ] as const) {
    it(`is packed by ${compact} with ${moves} moves, and half of the heap's pages go; the table stays`, () => {
      start({ compact });
      fill();
      freeWhere((i) => i % 2 === 0);
      expect(fragmentation()).toBe(2);
      expect(space.resident).toBe(6_402_048);
      expect(heap.compact(FULL, unlogged)).toBe(moves * 64);
      expect(space.costs[Cost.moves]).toBe(moves);
      expect(fragmentation()).toBe(1);
      expect(space.resident).toBe(3_203_072);
      expect(space.mappedFor(Use.heap)).toBe(3_203_072);
      expect(space.mappedFor(Use.table)).toBe(802_816);
    });
  }
});

describe("A2: one object of 64 pinned, so one on each page, and half of the rest freed", () => {
  const pinAndFree = (): void => {
    fill();
    refs.forEach((ref, i) => {
      if (i % 64 === 63) heap.pin(ref);
    });
    freeWhere((i) => i % 2 === 1 && i % 64 !== 63);
  };

  it("makes a slide move 3.1 MB and give no page back", () => {
    pinAndFree();
    expect(heap.compact(FULL, unlogged) / 1e6).toBeCloseTo(3.1, 1);
    expect(top()).toBe(6_398_976);
    expect(fragmentation()).toBeCloseTo(1.939, 3);
    expect(space.costs[Cost.pagesReleased]).toBe(0);
    expect(space.resident).toBe(6_402_048);
  });

  it("lets two fingers return a page at most", () => {
    start({ compact: "twoFinger" });
    pinAndFree();
    heap.compact(FULL, unlogged);
    expect(fragmentation()).toBeCloseTo(1.939, 3);
    expect(space.resident).toBe(6_397_952);
  });
});

describe("A2b: only the top block pinned, every other object freed", () => {
  it("leaves the extent at 2.0 while residence halves, so the two metrics disagree", () => {
    fill();
    const pinned = refs[N - 1];
    heap.pin(pinned);
    freeWhere((i) => i % 2 === 0);
    heap.compact(FULL, unlogged);
    expect(fragmentation()).toBe(2);
    expect(space.resident).toBe(3_207_168);
  });
});

describe("A3: a million objects of 16 bytes, all but the last freed", () => {
  it("leaves a heap of one page under a table of 8 MB", () => {
    const all = Array.from({ length: 1_000_000 }, () => heap.allocate(16));
    const last = all.pop();
    for (const ref of all) heap.free(ref);
    heap.compact(FULL, unlogged);
    expect(space.mappedFor(Use.heap)).toBe(4096);
    expect(space.mappedFor(Use.table)).toBe(8_003_584);
    expect(space.footprint).toBe(4096 + 8_003_584);
    expect(heap.capacityOf(last as Ref)).toBe(16);
  });
});

describe("A4: one object allocated and freed 2,500 times with 1,000 generations", () => {
  it("wears three entries out, of which none comes back after its retirement", () => {
    start({ generations: 1000 });
    const seen = new Map<number, number>();
    for (let i = 0; i < 2500; i++) {
      const ref = heap.allocate(16);
      const entry = (ref % 0x100000000) - 1;
      seen.set(entry, (seen.get(entry) ?? 0) + 1);
      heap.free(ref);
    }
    expect([...seen]).toEqual([
      [0, 1000],
      [1, 1000],
      [2, 500],
    ]);
  });

  it("without retirement reuses one entry, and an old handle looks alive again", () => {
    start({ generations: 1000, retireOnWrap: false });
    const first = heap.allocate(16);
    heap.free(first);
    for (let i = 1; i < 1000; i++) heap.free(heap.allocate(16));
    expect(heap.addressOf(first)).toBe(0);
    expect(heap.allocate(16)).toBe(first);
  });
});

describe("A7: only the lowest object freed", () => {
  for (const [compact, moves] of [
    ["slide", 99_999],
    ["twoFinger", 1],
  ] as const) {
    it(`makes ${compact} move ${moves}`, () => {
      start({ compact });
      fill();
      freeWhere((i) => i === 0);
      expect(heap.compact(FULL, unlogged)).toBe(moves * 64);
      expect(space.costs[Cost.moves]).toBe(moves);
      expect(top()).toBe(99_999 * 64);
    });
  }
});

describe("A8: 1,000 holes of 64 bytes between blocks of 32, below 1,000 blocks of 4,096", () => {
  // Two fingers look at all blocks for holes, then at 1,000 large ones and 1,000 more until the lowest hole is above.
  for (const [compact, after, moves, moved, visited] of [
    ["slide", 1, 2000, 4_128_000, 3000],
    ["twoFinger", 1.0116, 500, 16_000, 5000],
  ] as const) {
    it(`leaves F at ${after} after ${compact}`, () => {
      start({ compact });
      const holes: Ref[] = [];
      for (let i = 0; i < 1000; i++) {
        holes.push(heap.allocate(48));
        heap.allocate(16);
      }
      for (let i = 0; i < 1000; i++) heap.allocate(4080);
      for (const ref of holes) heap.free(ref);
      expect(heap.compact(FULL, unlogged)).toBe(moved);
      expect(space.costs[Cost.moves]).toBe(moves);
      expect(space.costs[Cost.blocksVisited]).toBe(visited);
      expect(fragmentation()).toBeCloseTo(after, 4);
    });
  }
});

describe("a slide within slack", () => {
  it("moves at most 1/(slack - 1) bytes for each byte allocated", () => {
    for (const slack of [1.25, 2]) {
      start({ place: "bump" });
      const { heap: backing } = heap.handles;
      let allocated = 0;
      let x = 9;
      const live: Ref[] = [];
      for (let i = 0; i < 50_000; i++) {
        x = (Math.imul(x, 1103515245) + 12345) >>> 0;
        if (live.length < 1000) {
          const ref = heap.allocate(16 + ((x >>> 8) % 200));
          live.push(ref);
          allocated += heap.capacityOf(ref) + 16;
        } else {
          const index = (x >>> 8) % live.length;
          heap.free(live[index]);
          live[index] = live[live.length - 1];
          live.pop();
        }
        if (backing.blocks.top > slack * backing.liveUnits + 100) heap.compact(FULL, unlogged);
      }
      expect(space.costs[Cost.passes]).toBeGreaterThan(20);
      const ratio = space.costs[Cost.bytesMoved] / allocated;
      expect(ratio).toBeGreaterThan(0.1);
      expect(ratio).toBeLessThanOrEqual(1 / (slack - 1));
    }
  });
});
