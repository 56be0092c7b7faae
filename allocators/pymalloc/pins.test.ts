import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import type { Ref } from "../allocator.js";
import type { PymallocOptions } from "./geometry.js";
import { afterOldest, arenaPins, groupPins, homesOf, poolsByBlocks, type Survivors } from "./pins.js";
import { PoolOccupancyRecorder } from "./pool-occupancy.js";
import { type PymallocAllocator, pymalloc } from "./pymalloc.js";

/** Arenas of four pools with seven blocks of 512 bytes each. */
function smallHeap(variant: PymallocOptions["variant"]): PymallocAllocator {
  return pymalloc.create(createAddressSpace(), { variant, arena: 16384 });
}

const PER_ARENA = 28;

/** Fills three arenas with blocks of 512 bytes and keeps those of the given numbers, the birth being the number. */
function survivorsOf(heap: PymallocAllocator, kept: readonly number[]): Survivors {
  const refs = Array.from({ length: 3 * PER_ARENA }, () => heap.allocate(500));
  refs.forEach((ref, i) => {
    if (!kept.includes(i)) heap.free(ref);
  });
  return {
    length: kept.length,
    ref: Float64Array.from(kept, (i) => refs[i]),
    size: Float64Array.from(kept, () => 500),
    birth: Float64Array.from(kept),
    site: new Uint32Array(0),
  };
}

/** Two in one pool and one in another of arena 0, one in arena 1, none in arena 2. */
const kept = [0, 3, 20, 30];

describe("what keeps arenas", () => {
  it("is counted by arena, with the ages of the blocks", () => {
    const heap = smallHeap("cpython-3.8");
    const survivors = survivorsOf(heap, kept);
    const homes = homesOf(heap, survivors);
    expect([...homes.arena]).toEqual([0, 0, 0, 1]);
    const facts = { liveBytes: 1500, blockBytes: 1536, oldest: 0, newest: 20 };
    expect(arenaPins(heap, survivors, homes)).toEqual([
      { arena: 0, slot: 0, pools: 4, poolsInUse: 2, blocks: 3, ...facts },
      {
        arena: 1,
        slot: 1,
        pools: 4,
        poolsInUse: 1,
        blocks: 1,
        liveBytes: 500,
        blockBytes: 512,
        oldest: 30,
        newest: 30,
      },
    ]);
    expect(poolsByBlocks(survivors, homes)).toEqual([
      { least: 1, most: 1, pools: 2, blocks: 2, liveBytes: 1000 },
      { least: 2, most: 2, pools: 1, blocks: 2, liveBytes: 1000 },
    ]);
  });

  it("is counted by group, with the pools and arenas that a group keeps alone", () => {
    const heap = smallHeap("cpython-3.8");
    const survivors = survivorsOf(heap, kept);
    const rows = groupPins(survivors, homesOf(heap, survivors), [0, 1, 1, 1], ["a", "b", "none"]);
    expect(rows).toEqual([
      { name: "a", blocks: 1, liveBytes: 500, pools: 1, poolsAlone: 0, arenas: 1, arenasAlone: 0 },
      { name: "b", blocks: 3, liveBytes: 1500, pools: 3, poolsAlone: 2, arenas: 2, arenasAlone: 1 },
    ]);
  });

  it.each([
    ["cpython-3.8", [32768, 32768, 16384, 0]],
    // The arena that empties last is the only one of the list then, so it stays.
    ["cpython-3.9", [32768, 32768, 16384, 16384]],
  ] as const)("returns arena by arena as the oldest go, under %s as that keeps an empty one", (variant, arenaBytes) => {
    const heap = smallHeap(variant);
    const survivors = survivorsOf(heap, kept);
    const rows = afterOldest(heap, survivors, homesOf(heap, survivors), new Set([1]));
    expect(rows.map((row) => row.freed)).toEqual([0, 1, 3, 4]);
    expect(rows.map((row) => row.arenaBytes)).toEqual(arenaBytes);
    expect(rows.map((row) => row.poolBytes)).toEqual([12288, 12288, 4096, 0]);
    expect(rows.map((row) => row.liveBytes)).toEqual([2000, 1500, 500, 0]);
  });
});

describe("pool occupancy", () => {
  it("shows how full each pool is, by slot of the arena and over time", () => {
    const heap = smallHeap("cpython-3.8");
    const recorder = new PoolOccupancyRecorder(heap);
    recorder.add();
    const refs = Array.from({ length: PER_ARENA + 1 }, () => heap.allocate(500));
    recorder.add();
    for (const ref of refs.slice(0, PER_ARENA)) heap.free(ref as Ref);
    recorder.add();
    const { width, height, slots, cells } = recorder.build(100);
    expect([width, height, slots]).toEqual([3, 8, 2]);
    const seventh = 1 + Math.round(254 / 7);
    const column = (x: number): number[] => Array.from({ length: height }, (_, y) => cells[y * width + x]);
    expect(column(0)).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect(column(1)).toEqual([255, 255, 255, 255, seventh, 1, 1, 1]);
    expect(column(2)).toEqual([0, 0, 0, 0, seventh, 1, 1, 1]);
    const coarse = recorder.build(4);
    expect([coarse.height, coarse.cells[1], coarse.cells[3 * 3 + 1]]).toEqual([4, 255, 1]);
  });
});
