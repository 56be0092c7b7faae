/** Redis' hint and cycle over jemalloc: 16 regions of 256 bytes in a slab of one page. */
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { isCompacting, isTimed, type Ref, unlogged } from "../allocator.js";
import { type Checked, check } from "../checked.js";
import { DefragCycle } from "./defrag-cycle.js";
import { defragHint } from "./defrag-hint.js";
import { type DefragOptions, defragOptions } from "./options.js";

const FULL = Number.POSITIVE_INFINITY;
const defaults = defragHint.defaults;

function start(options: Partial<DefragOptions> = {}) {
  const space = createAddressSpace();
  const made = check(defragHint, defragHint.create(space, options), space);
  if (!isCompacting(made) || !isTimed(made)) throw new Error("neither moves nor has a clock");
  return { space, heap: made as typeof made & Checked };
}

/** Slabs of 16 objects; of each slab only as many stay as `kept` says, the first ones. */
function slabs(heap: Checked, kept: readonly number[]): Ref[][] {
  const all = kept.map(() => Array.from({ length: 16 }, () => heap.allocate(256)));
  return all.map((refs, i) => {
    for (const ref of refs.splice(kept[i])) heap.free(ref);
    return refs;
  });
}

const count = (space: AddressSpace, cost: keyof typeof Cost): number => space.costs[Cost[cost]];

describe("the hint", () => {
  it("moves objects out of slabs up to 9/8 of the mean of those neither full nor current, into the current one", () => {
    const { space, heap } = start();
    // The oldest with room is current. 2 + 3 + 9 in three slabs: 4.67 on average, 5.25 with the bonus.
    const [current, sparse, thin, dense, full] = slabs(heap, [10, 2, 3, 9, 16]);
    const placesOf = (...all: Ref[][]): number[] => all.flat().map((ref) => heap.addressOf(ref));
    const before = placesOf(current, dense, full);
    // With these gone, the slab of nine is as full as the mean of its like, being alone.
    expect(heap.compact(5 * 256, unlogged)).toBe(5 * 256);
    expect(placesOf(current, dense, full)).toEqual(before);
    const page = Math.floor(before[0] / 4096);
    expect(placesOf(sparse, thin).map((at) => Math.floor(at / 4096))).toEqual([page, page, page, page, page]);
    expect(count(space, "moves")).toBe(5);
    expect(count(space, "bytesMoved")).toBe(5 * 256);
    expect(count(space, "referencesPatched")).toBe(5);
    heap.audit();
  });

  it("counts each pointer to an object that moves, and no table load whatever is dereferenced", () => {
    const { space, heap } = start({ references: 3 });
    const [, sparse] = slabs(heap, [10, 1, 15]);
    heap.access(sparse[0], 10);
    heap.compact(256, unlogged);
    expect([count(space, "moves"), count(space, "referencesPatched")]).toEqual([1, 3]);
    expect([count(space, "tableLoads"), count(space, "tableWrites")]).toEqual([0, 0]);
  });

  it("leaves alone what the program cannot find, and frees it when it can again", () => {
    const { space, heap } = start();
    const [, sparse] = slabs(heap, [10, 2, 15]);
    const at = heap.addressOf(sparse[0]);
    heap.pin(sparse[0]);
    heap.compact(FULL, unlogged);
    expect(heap.addressOf(sparse[0])).toBe(at);
    expect(count(space, "moves")).toBe(1);
    heap.free(sparse[0]);
    expect(count(space, "deferredFrees")).toBe(1);
    heap.audit();
    heap.unpin(sparse[0]);
    heap.audit();
  });

  it("of Redis 4.0 spares slabs in the chunk of the current one", () => {
    const { space, heap } = start({ hint: "mean" });
    slabs(heap, [10, 1, 16]);
    heap.compact(FULL, unlogged);
    expect(count(space, "moves")).toBe(0);
    const far = start({ hint: "mean" });
    // 2 MiB of full slabs between the current one and the sparse one.
    slabs(far.heap, [10, ...Array.from({ length: 600 }, () => 16), 1]);
    far.heap.compact(FULL, unlogged);
    expect(count(far.space, "moves")).toBe(1);
  });
});

describe("the walk", () => {
  it("has no order: early moves empty hardly a slab, late ones many", () => {
    const { heap } = start({ ignore: 1, lower: 1, upper: 1000, passTime: "redis" });
    // 200 slabs of 8 objects beside one with a single object and room: half full is thin.
    const refs = slabs(heap, [1, ...Array.from({ length: 200 }, () => 8)]).flat();
    const pages = (): number => new Set(refs.map((ref) => Math.floor(heap.addressOf(ref) / 4096))).size;
    heap.compact(400 * 256, unlogged);
    // A quarter of the objects has moved; in order, that would have emptied 50 slabs.
    expect(pages()).toBeGreaterThan(190);
    heap.compact(FULL, unlogged);
    expect(pages()).toBeLessThan(140);
  });

  it("looks at each object once", () => {
    const { space, heap } = start();
    let live = 0;
    for (const slabsMade of [1, 2, 3, 100, 1000]) {
      const kept = Array.from({ length: slabsMade }, () => 13);
      slabs(heap, kept);
      live += 13 * slabsMade;
      const before = count(space, "blocksVisited");
      heap.compact(FULL, unlogged);
      expect(count(space, "blocksVisited") - before).toBe(live);
    }
  });

  it("of a program that adds its prefix to what a block holds moves each object to the next class", () => {
    const { heap } = start({ prefix: 8 });
    const [, sparse] = slabs(heap, [10, 2, 15]);
    heap.compact(FULL, unlogged);
    expect(sparse.map((ref) => heap.capacityOf(ref))).toEqual([320, 320]);
    heap.audit();
  });
});

describe("the cycle", () => {
  const cycle = (given: Partial<DefragOptions> = {}): DefragCycle => new DefragCycle({ ...defaults, ...given });
  const MB100 = 104_857_600;

  it("waits for both thresholds, and takes a share of the time in a straight line between the two efforts", () => {
    const slice = (wasted: number, allocated: number): number => cycle().slice(wasted, allocated);
    expect(slice(MB100 - 1, MB100)).toBe(0);
    expect(slice(MB100, 10 * MB100 + 10)).toBe(0);
    expect(slice(MB100, 10 * MB100)).toBeCloseTo(1, 10);
    expect(slice(1.1 * MB100, 2 * MB100)).toBeCloseTo(13, 10);
    expect(slice(MB100, MB100)).toBeCloseTo(25, 10);
    expect(slice(5 * MB100, MB100)).toBeCloseTo(25, 10);
  });

  it("works at each period, harder within a scan but never less, and starts anew with the next scan", () => {
    const one = cycle({ start: 50 });
    expect([0, 49, 50, 99, 100, 180, 199.9, 200].map((now) => one.isAwake(now))).toEqual([
      false,
      false,
      true,
      false,
      true,
      false,
      false,
      true,
    ]);
    expect(one.slice(1.1 * MB100, 2 * MB100)).toBeCloseTo(13, 10);
    expect(one.slice(2 * MB100, MB100)).toBeCloseTo(25, 10);
    expect(one.slice(0, MB100)).toBeCloseTo(25, 10);
    expect(one.scanned(MB100, 10 * MB100)).toBe(true);
    expect(one.slice(MB100, 10 * MB100)).toBeCloseTo(1, 10);
    expect(one.scanned(0, MB100)).toBe(false);
    expect(one.slice(0, MB100)).toBe(0);
  });

  it("asks for nothing where nothing is wasted, even with thresholds of 0", () => {
    expect(cycle({ lower: 0, ignore: 0 }).slice(0, MB100)).toBe(0);
  });

  it("ends a slice when its time is up and goes on from there in the next", () => {
    // 1 % of 100 ms at 2.6 us a look, and what little moves cost; the clock is looked at after 16 looks.
    const { space, heap } = start({ ignore: 1, lower: 1, upper: 1000, cycleMax: 1 });
    slabs(heap, [4, ...Array.from({ length: 100 }, () => 15)]);
    for (const slice of [1, 2]) {
      expect(heap.compactionDue(100 * slice)).toBe(FULL);
      heap.compact(FULL, unlogged);
      expect(heap.compactionDue(100 * slice + 99)).toBe(0);
      const looks = count(space, "blocksVisited") * 0.0026;
      expect(looks).toBeGreaterThan(0.95 * slice);
      expect(looks).toBeLessThan(slice + slice * 16 * 0.0026);
    }
  });

  it("refuses thresholds and efforts in the wrong order", () => {
    expect(() => start({ lower: 100 })).toThrow(/^defrag-hint: option lower: 100 is not below upper 100$/);
    expect(() => start({ cycleMin: 30 })).toThrow(/^defrag-hint: option cycleMin: 30 is above cycleMax 25$/);
    expect(Object.keys(defragOptions)).toContain("dirtyDecay");
  });
});
