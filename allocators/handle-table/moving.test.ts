/** The other ways to move blocks: small heaps drawn before and after, and scenarios with known numbers. */
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { randomFor } from "../../memory/random.js";
import { type Compacting, isCompacting, none, type Ref, unlogged } from "../allocator.js";
import { allocators } from "../registry.js";
import { CompactingHandles } from "./compacting-handles.js";
import { drawHeap } from "./draw-heap.js";
import type { HandleTableOptions } from "./handle-table.js";
import { InnerHandles } from "./inner-handles.js";

const FULL = Number.POSITIVE_INFINITY;

interface Started {
  readonly heap: Compacting;
  readonly space: AddressSpace;
}

function start(options: Partial<HandleTableOptions>, name = "handle-table"): Started {
  const space = createAddressSpace();
  const heap = allocators[name].create(space, options);
  if (!isCompacting(heap)) throw new Error("these options give no compaction");
  return { heap, space };
}

function malloc(heap: Compacting, ...sizes: number[]): Ref[] {
  return sizes.map((size) => heap.allocate(size));
}

describe("best fit", () => {
  it("fills the smallest hole that takes a block, where two fingers fill the lowest", () => {
    for (const [compact, after] of [
      ["bestFit", "0:32#1, 32:128 free, 160:64#4, 224:32#3 | top 256"],
      ["twoFinger", "0:64#4, 64:64#3, 128:32#1 | top 160"],
    ] as const) {
      const { heap } = start({ compact });
      const [a, , c, pinned] = malloc(heap, 112, 16, 48, 16, 48);
      if (compact === "bestFit") heap.pin(pinned);
      heap.free(a);
      heap.free(c);
      expect(drawHeap(heap)).toBe("0:128 free, 128:32#1, 160:64 free, 224:32#3, 256:64#4 | top 320");
      heap.compact(FULL, unlogged);
      expect(drawHeap(heap)).toBe(after);
    }
  });
});

describe("evacuation of sparse pages", () => {
  it("empties the page with least on it into the holes of the others, whatever its place", () => {
    const { heap, space } = start({ compact: "evacuate" });
    // Blocks of 1 KiB, four to a page: one is left on page 1, three on pages 0, 2 and 3.
    const refs = Array.from({ length: 16 }, () => heap.allocate(1008));
    for (const i of [1, 5, 6, 7, 9, 13]) heap.free(refs[i]);
    expect(heap.compact(FULL, unlogged)).toBe(1024);
    expect(drawHeap(heap)).toBe(
      "0:1024#0, 1024:1024#4, 2048:1024#2, 3072:1024#3, 4096:4096 free, 8192:1024#8, 9216:1024 free, " +
        "10240:1024#10, 11264:1024#11, 12288:1024#12, 13312:1024 free, 14336:1024#14, 15360:1024#15 | top 16384",
    );
    // The page keeps the header and the links of the hole.
    expect(space.costs[Cost.pagesReleased]).toBe(0);
  });

  it("leaves a page under a pinned block alone", () => {
    const { heap } = start({ compact: "evacuate" });
    const refs = Array.from({ length: 16 }, () => heap.allocate(1008));
    for (const i of [1, 5, 6, 7, 9, 13]) heap.free(refs[i]);
    heap.pin(refs[4]);
    const at = heap.addressOf(refs[4]);
    heap.compact(FULL, unlogged);
    expect(heap.addressOf(refs[4])).toBe(at);
  });
});

describe("A9: semispace", () => {
  it("holds both copies at its peak, counts them, and gives the old space back", () => {
    const { heap, space } = start({ compact: "semispace" });
    const refs = Array.from({ length: 10_000 }, () => heap.allocate(48));
    refs.forEach((ref, i) => {
      if (i % 2 === 0) heap.free(ref);
    });
    expect(space.resident).toBe(643_072);
    expect(heap.compact(FULL, unlogged)).toBe(5000 * 64);
    expect(space.resident).toBe(323_584);
    // The from-space is given back at the end of the pass, not page by page.
    expect(space.peakResident).toBe(643_072 + 323_584);
  });

  it("walks the old space from its top, and leaves what is pinned there", () => {
    const { heap } = start({ compact: "semispace" });
    const [a, b, c, d] = malloc(heap, 16, 32, 48, 64);
    heap.free(b);
    heap.pin(c);
    const at = heap.addressOf(c);
    expect(heap.compact(FULL, unlogged)).toBe(80 + 32);
    expect(heap.addressOf(c)).toBe(at);
    expect(heap.addressOf(a) - heap.addressOf(d)).toBe(80);
    heap.unpin(c);
    expect(heap.addressOf(malloc(heap, 16)[0]) - heap.addressOf(a)).toBe(32);
  });

  it("copies at each reallocation where Anchorage does, also into the place behind the old one", () => {
    const { heap } = start({}, "anchorage");
    const [a] = malloc(heap, 16, 16);
    const [b, c] = malloc(heap, 16, 16);
    heap.free(b);
    heap.reallocate(a, 16);
    expect(drawHeap(heap)).toBe("0:32 free, 32:32#1, 64:32#0, 96:32#3 | top 128");
    heap.free(c);
    heap.reallocate(a, 20);
    expect(drawHeap(heap)).toBe("0:32 free, 32:32#1, 64:32 free, 96:48#0 | top 144");
  });

  it("counts payloads alone against Anchorage's tokens, and says what it moved with headers", () => {
    const { heap } = start({}, "anchorage");
    malloc(heap, 16, 16, 16, 16, 16);
    expect(heap.compact(48, unlogged)).toBe(3 * 32);
  });
});

describe("a slide that goes on", () => {
  it("does not look again at what the last pass packed", () => {
    const visits = [false, true].map((resume) => {
      const { heap, space } = start({ resume });
      const refs = Array.from({ length: 1000 }, () => heap.allocate(48));
      for (let i = 0; i < 1000; i += 2) heap.free(refs[i]);
      while (heap.compact(640, unlogged) > 0);
      expect(drawHeap(heap).endsWith("| top 32000")).toBe(true);
      return space.costs[Cost.blocksVisited];
    });
    // 50 passes over 1,000 blocks shrinking to 500, against one walk and one empty pass.
    expect(visits[0]).toBeGreaterThan(30_000);
    expect(visits[1]).toBeLessThan(1600);
  });

  it("takes in what was freed below its cursor in the next round", () => {
    const { heap } = start({ resume: true });
    const [a, b] = malloc(heap, 16, 16, 16, 16, 16);
    heap.free(a);
    expect(heap.compact(32, unlogged)).toBe(32);
    expect(drawHeap(heap)).toBe("0:32#1, 32:32 free, 64:32#2, 96:32#3, 128:32#4 | top 160");
    heap.free(b);
    expect(heap.compact(32, unlogged)).toBe(32);
    expect(drawHeap(heap)).toBe("0:32#2, 32:64 free, 96:32#3, 128:32#4 | top 160");
    expect(heap.compact(1000, unlogged)).toBe(64);
    expect(drawHeap(heap)).toBe("0:32#2, 32:32#3, 64:32#4 | top 96");
  });
});

describe("over another allocator", () => {
  it("places blocks where that one does without handles", () => {
    const bare = allocators["pymalloc"].create(createAddressSpace());
    const handles = allocators["handle-table"].create(createAddressSpace(), { inner: "pymalloc", compact: "none" });
    expect(handles).toBeInstanceOf(InnerHandles);
    const random = randomFor("inner", 1);
    const live: [Ref, Ref][] = [];
    for (let i = 0; i < 5000; i++) {
      if (random.below(5) < 3) {
        const size = random.below(700);
        live.push([bare.allocate(size), handles.allocate(size)]);
      } else if (live.length > 0) {
        const [[a, b]] = live.splice(random.below(live.length), 1);
        bare.free(a);
        handles.free(b);
      }
    }
    const first = bare.addressOf(live[0][0]) - handles.addressOf(live[0][1]);
    for (const [a, b] of live) expect(bare.addressOf(a) - handles.addressOf(b)).toBe(first);
  });

  it("empties the sparsest arenas of pymalloc, so that they go", () => {
    const { heap, space } = start({ inner: "pymalloc/variant=cpython-3.8", compact: "evacuate", region: 0 });
    const refs = Array.from({ length: 100_000 }, () => heap.allocate(48));
    const random = randomFor("inner", 2);
    const live = refs.filter((ref) => {
      const stays = random.below(2) === 0;
      if (!stays) heap.free(ref);
      return stays;
    });
    const before = space.resident;
    const meta = space.mappedFor(Use.meta);
    expect(heap.compact(FULL, unlogged)).toBe(space.costs[Cost.moves] * 48);
    expect(space.resident).toBeLessThan(0.62 * before);
    expect(space.resident).toBeGreaterThan(live.length * 48);
    expect(space.mappedFor(Use.meta)).toBe(meta);
  });

  it("empties a heap that is cut at its end alone from there, which the sparsest regions would not", () => {
    const [before, sparsest, highest] = (["none", "sparsest", "highest"] as const).map((victims) => {
      const { heap, space } = start({
        inner: "first-fit",
        compact: "evacuate",
        ...(victims === "none" ? {} : { victims }),
      });
      const random = randomFor("inner", 3);
      for (const ref of Array.from({ length: 20_000 }, () => heap.allocate(48)))
        if (random.below(2) === 0) heap.free(ref);
      if (victims !== "none") heap.compact(FULL, unlogged);
      return space.resident;
    });
    expect(sparsest).toBeGreaterThan(0.95 * before);
    expect(highest).toBeLessThan(0.75 * before);
  });

  it("does nothing where memory for its lists is missing", () => {
    const space = createAddressSpace(8 * 4096);
    const heap = allocators["handle-table"].create(space, {
      inner: "first-fit/growth=4096",
      compact: "evacuate",
    }) as Compacting;
    const refs: Ref[] = [];
    for (let ref = heap.allocate(1000); ref !== none; ref = heap.allocate(1000)) refs.push(ref);
    expect(refs.length).toBeGreaterThan(20);
    heap.free(refs[3]);
    expect(heap.compact(FULL, unlogged)).toBe(0);
  });
});

describe("A6: sizes that double, every other survivor freed at each step", () => {
  /** Extent of the largest heap, and bytes moved for each allocated. */
  function grow(compact: boolean): { peak: number; ratio: number } {
    const { heap, space } = start({ heapLimit: 64 * 1048576 });
    if (!(heap instanceof CompactingHandles)) throw new Error("no compaction");
    const { heap: backing } = heap.handles;
    const most = 1048576 / 16;
    let peak = 0;
    let allocated = 0;
    let live: Ref[] = [];
    for (let size = 48; size <= 32752; size = 2 * size + 16) {
      while (backing.liveUnits + (size + 16) / 16 <= most) {
        live.push(heap.allocate(size));
        allocated += size + 16;
      }
      peak = Math.max(peak, backing.blocks.top * 16);
      live.sort((a, b) => heap.addressOf(a) - heap.addressOf(b));
      live = live.filter((ref, i) => {
        if (i % 2 === 1) heap.free(ref);
        return i % 2 === 0;
      });
      if (compact) heap.compact(FULL, unlogged);
    }
    return { peak: peak / 1048576, ratio: space.costs[Cost.bytesMoved] / allocated };
  }

  it("spreads a heap that moves nothing over 5.47 times its budget of 1 MiB, by half a MiB at each step", () => {
    expect(grow(false)).toEqual({ peak: 5734464 / 1048576, ratio: 0 });
    expect(grow(false).peak).toBeCloseTo(5.47, 2);
  });

  it("stays within the budget with a slide after each step, at 0.91 bytes moved for each allocated", () => {
    const { peak, ratio } = grow(true);
    expect(peak).toBe(1);
    expect(ratio).toBeCloseTo(0.91, 2);
  });
});
