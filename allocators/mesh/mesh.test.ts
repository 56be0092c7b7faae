import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { Random } from "../../memory/random.js";
import { isCompacting, isReorganizing, type Ref, unlogged } from "../allocator.js";
import { type Checked, check } from "../checked.js";
import { mesh } from "./mesh.js";
import { MiniHeaps, WORDS } from "./mini-heaps.js";
import type { MeshOptions } from "./options.js";
import { classBytes, classObjects, classOfGranules, classPages } from "./size-classes.js";
import { splitMesher } from "./split-mesher.js";

const PAGE = 4096;

interface Heap {
  readonly heap: Checked & {
    compact: (budget: number, log: typeof unlogged) => number;
    compactionDue(now: number): number;
  };
  readonly space: ReturnType<typeof createAddressSpace>;
}

function create(given: Partial<MeshOptions> = {}): Heap {
  const space = createAddressSpace();
  const heap = check(mesh, mesh.create(space, given), space);
  if (!isReorganizing(heap)) throw new Error("mesh does not compact");
  return { heap: heap as Heap["heap"], space };
}

/**
 * Fills `spans` spans of the class of `size` and frees all but the first `kept` objects that each handed out. One more
 * block is allocated first in a further span, so that all of these are detached.
 */
function sparse({ heap }: Heap, size: number, spans: number, kept: number): Ref[] {
  const objects = classObjects[classOfGranules[size / 16]];
  const refs = Array.from({ length: spans * objects }, () => heap.allocate(size));
  heap.allocate(size);
  const [keep, drop] = [0, 1].map((part) => refs.filter((_, i) => Number(i % objects >= kept) === part));
  for (const ref of drop) heap.free(ref);
  return keep;
}

const all = Number.POSITIVE_INFINITY;

/** C(b - r, r) / C(b, r). */
function chance(b: number, r: number): number {
  let p = 1;
  for (let i = 0; i < r; i++) p *= (b - r - i) / (b - i);
  return p;
}

describe("size classes", () => {
  it("are the published ones, with a page of objects and at least 8 in a span", () => {
    expect(classBytes.length).toBe(24);
    const spans = Object.fromEntries(classBytes.map((bytes, k) => [bytes, [classObjects[k], classPages[k]]]));
    expect(spans[16]).toEqual([256, 1]);
    expect(spans[48]).toEqual([85, 1]);
    expect(spans[256]).toEqual([16, 1]);
    expect(spans[512]).toEqual([8, 1]);
    expect(spans[640]).toEqual([8, 2]);
    expect(spans[1024]).toEqual([8, 2]);
    expect(spans[4096]).toEqual([8, 8]);
    expect(spans[16384]).toEqual([8, 32]);
  });

  it("serve the sizes of both Redis servers as the reference says: 256 and 512", () => {
    const { heap } = create();
    const capacities = [252, 244, 506, 498, 24, 13, 1025, 16384, 16385].map((n) => heap.capacityOf(heap.allocate(n)));
    expect(capacities).toEqual([256, 256, 512, 512, 32, 16, 2048, 16384, 20480]);
  });
});

describe("the chance that two spans mesh", () => {
  it("is C(b-r1,r2)/C(b,r2) for spans that the shuffle vectors filled: 0.010024 at 10 of 32 objects", () => {
    expect(chance(32, 10)).toBeCloseTo(0.010024, 6);
    const heap = create();
    const masks = new Map<number, number>();
    for (const ref of sparse(heap, 128, 1000, 10)) {
      const page = Math.floor(ref / PAGE);
      masks.set(page, (masks.get(page) ?? 0) | (1 << ((ref % PAGE) / 128)));
    }
    const spans = [...masks.values()];
    expect(spans.length).toBe(1000);
    const meets: number[][] = spans.map((one, i) =>
      spans.flatMap((other, j) => (j > i && (one & other) === 0 ? [j] : [])),
    );
    const edges = meets.reduce((sum, list) => sum + list.length, 0);
    expect(Math.abs(edges / (499_500 * chance(32, 10)) - 1)).toBeLessThan(3 / Math.sqrt(499_500 * 0.010024));
    let triangles = 0;
    meets.forEach((list) => {
      for (const j of list) for (const k of list) if (k > j && (spans[j] & spans[k]) === 0) triangles++;
    });
    // Were edges independent there would be 167; the paper counts fewer than 2 on average (1.70).
    expect(triangles).toBeLessThan(8);
  }, 20_000);

  it("is hopeless for full spans of small objects and good for those of 256 bytes", () => {
    expect(chance(256, 26)).toBeLessThan(0.06);
    expect(chance(256, 51)).toBeLessThan(1e-5);
    expect(chance(16, 7)).toBeGreaterThan(0.003);
    expect(chance(16, 4)).toBeGreaterThan(0.27);
  });

  it("follows the bitmaps of the paper's Figure 5: spans 1-4, 2-3 and 3-4 mesh", () => {
    const heaps = new MiniHeaps();
    const ids = ["01101000", "01010000", "00100110", "00010000"].map((text) => {
      const id = heaps.create(0, classOfGranules[32], 1);
      heaps.bits[id * WORDS] = Number.parseInt(text, 2);
      return id;
    });
    const edges = ids.flatMap((a) => ids.filter((b) => a < b && heaps.areDisjoint(a, b)).map((b) => [a + 1, b + 1]));
    expect(edges).toEqual([
      [1, 4],
      [2, 3],
      [3, 4],
    ]);
  });
});

describe("SplitMesher", () => {
  it.each([
    [1 / 256, 64],
    [1 / 64, 64],
    [0.05, 16],
  ])("finds n (1 - e^-2k) / 4 pairs or more for chance %d and %d probes", (q, probes) => {
    const n = 1000;
    let found = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const ids = Array.from({ length: n }, (_, i) => i);
      const coin = new Random(seed + 1000);
      found += splitMesher(ids, () => coin.double() < q, random, probes, n).left.length / 20;
    }
    const bound = (n * (1 - Math.exp(-2 * probes * q))) / 4;
    expect(found).toBeGreaterThan(0.97 * bound);
  });

  it("takes every span once, pairs left with right, and stops at its bounds", () => {
    const ids = Array.from({ length: 101 }, (_, i) => i);
    const { left, right, compared } = splitMesher(ids, () => true, new Random(5), 64, 1000);
    expect(left.length).toBe(50);
    expect(new Set([...left, ...right]).size).toBe(100);
    // The span that is left over tries all 50 of the other half, which are taken.
    expect(compared).toBe(50);
    expect(left.every((id) => id % 2 === 0) && right.every((id) => id % 2 === 1)).toBe(true);
    expect(splitMesher(ids, () => true, new Random(5), 64, 7).left.length).toBe(7);
    expect(splitMesher(ids, () => false, new Random(5), 3, 1000).compared).toBe(51 * 3);
    expect(splitMesher([3], () => true, new Random(5), 64, 10).left).toEqual([]);
  });
});

describe("a pass", () => {
  it("halves the memory of sparse spans and changes neither address nor contents", () => {
    const h = create();
    const refs = sparse(h, 256, 400, 2);
    const addresses = refs.map((ref) => h.heap.addressOf(ref));
    const { costs } = h.space;
    const resident = h.space.resident;
    const mapped = h.space.mapped;
    const calls = costs[Cost.osCalls];
    const moved = h.heap.compact(all, unlogged);
    const pairs = moved / 512;
    expect(pairs).toBeGreaterThan(190);
    expect(resident - h.space.resident).toBe(pairs * PAGE);
    expect(h.space.mapped).toBe(mapped);
    expect([costs[Cost.moves], costs[Cost.bytesMoved], costs[Cost.pagesReleased]]).toEqual([2 * pairs, moved, pairs]);
    // mprotect, mmap and fallocate for each pair.
    expect(costs[Cost.osCalls] - calls).toBe(3 * pairs);
    expect(refs.map((ref) => h.heap.addressOf(ref))).toEqual(addresses);
    h.heap.audit();
    while (h.heap.compact(all, unlogged) > 0) h.heap.audit();
    expect(h.space.resident).toBeLessThan(resident / 3);
    for (const ref of refs) h.heap.free(ref);
    h.heap.audit();
    h.heap.compact(all, unlogged);
    // What is left is the span that blocks come from, and the bookkeeping.
    expect(h.space.resident).toBe(PAGE);
    h.heap.audit();
  });

  it("A11: finds nothing where every span has its object at the same offset, nearly all pairs where placement is random", () => {
    const pairs = (randomize: boolean): number => {
      const h = create({ randomize });
      sparse(h, 16, 64, 1);
      return h.heap.compact(all, unlogged) / 16;
    };
    expect(pairs(false)).toBe(0);
    // None at all would have a chance of 10^-152.
    expect(pairs(true)).toBeGreaterThanOrEqual(31);
  });

  it("copies no more than its budget", () => {
    for (const budget of [0, 100, 512, 5000]) {
      const h = create();
      sparse(h, 256, 100, 2);
      const moved = h.heap.compact(budget, unlogged);
      expect(moved).toBeLessThanOrEqual(budget);
      expect(moved).toBe(Math.floor(budget / 512) * 512);
    }
  });

  it("keeps to its bounds on pairs, sharers, occupancy and meshed pages", () => {
    const saved = (given: Partial<MeshOptions>, kept: number, passes: number): number => {
      const h = create(given);
      sparse(h, 256, 256, kept);
      const before = h.space.resident;
      for (let k = 0; k < passes; k++) h.heap.compact(all, unlogged);
      h.heap.audit();
      return (before - h.space.resident) / PAGE;
    };
    expect(saved({ maxPairs: 10 }, 1, 3)).toBe(30);
    expect(saved({ maxShared: 2 }, 1, 8)).toBeLessThanOrEqual(128);
    expect(saved({ maxShared: 2 }, 1, 8)).toBeGreaterThan(110);
    expect(saved({ occupancy: 0.25 }, 4, 8)).toBe(0);
    expect(saved({ maxPairs: 10, maxMeshes: 15 }, 1, 8)).toBe(20);
    expect(saved({ meshing: false }, 1, 2)).toBe(0);
  });

  it("never meshes objects of a page or more, nor spans that blocks come from", () => {
    for (const size of [4096, 8192]) {
      const h = create();
      sparse(h, size, 20, 1);
      expect(h.heap.compact(all, unlogged)).toBe(0);
    }
    const h = create();
    const few = Array.from({ length: 3 }, () => h.heap.allocate(256));
    h.heap.free(few[1]);
    expect(h.heap.compact(all, unlogged)).toBe(0);
  });

  it("is due after a free in a detached span, once in a period, and not in an idle heap", () => {
    const { heap } = create({ period: 100 });
    const refs = Array.from({ length: 200 }, () => heap.allocate(256));
    const large = heap.allocate(100_000);
    expect(heap.compactionDue(500)).toBe(0);
    heap.free(refs.at(-1) as Ref); // back to the span it came from, which is attached
    heap.free(large);
    expect(heap.compactionDue(500)).toBe(0);
    heap.free(refs[0]);
    expect(heap.compactionDue(99.9)).toBe(0);
    expect(heap.compactionDue(500)).toBe(all);
    heap.compact(all, unlogged);
    expect(heap.compactionDue(10_000)).toBe(0);
    heap.free(refs[17]);
    expect(heap.compactionDue(599)).toBe(0);
    expect(heap.compactionDue(600)).toBe(all);
    expect(create({ meshing: false }).heap.compactionDue(1e6)).toBe(0);
  });
});

describe("pages", () => {
  it("of freed spans stay resident up to the bound, then all go at once", () => {
    const { heap, space } = create({ dirtyPages: 30, emptySpans: 0 });
    const large = Array.from({ length: 4 }, () => heap.allocate(10 * PAGE));
    const full = space.resident;
    for (const ref of large.slice(0, 3)) heap.free(ref);
    expect(space.resident).toBe(full);
    heap.free(large[3]);
    expect(space.resident).toBe(full - 40 * PAGE);
  });

  it("are reused dirty before clean ones, and split", () => {
    const { heap, space } = create();
    const large = heap.allocate(20 * PAGE);
    heap.free(large);
    const faults = space.costs[Cost.pageFaults];
    expect(heap.allocate(5 * PAGE)).toBe(large);
    expect(heap.allocate(15 * PAGE)).toBe(large + 5 * PAGE);
    expect(space.costs[Cost.pageFaults]).toBe(faults);
  });

  it("are charged: 64 bytes for each virtual span, 4 for each page of the arena", () => {
    const { heap, space } = create();
    for (let i = 0; i < 16 * 1000; i++) heap.allocate(256);
    // 1,000 MiniHeaps and an index of 4,096 pages.
    expect(space.footprint - space.resident).toBe(16 * PAGE + 4 * PAGE);
  });
});

it("mesh changes no address, so it has no pins", () => {
  expect(isCompacting(create().heap)).toBe(false);
});
