/** Worked examples: heaps of a few blocks, drawn before and after. */
import { beforeEach, describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Compacting, isCompacting, type Ref, unlogged } from "../allocator.js";
import { drawHeap, nameOf } from "./draw-heap.js";
import { type HandleTableOptions, handleTable } from "./handle-table.js";

const FULL = Number.POSITIVE_INFINITY;

let space: AddressSpace;
let heap: Compacting;

function start(options: Partial<HandleTableOptions> = {}): void {
  space = createAddressSpace();
  const made = handleTable.create(space, options);
  if (!isCompacting(made)) throw new Error("these options give no compaction");
  heap = made;
}

function malloc(...sizes: number[]): Ref[] {
  return sizes.map((size) => heap.allocate(size));
}

/** Runs one pass and says what it moved. */
function compact(budget = FULL): number {
  return heap.compact(budget, unlogged);
}

beforeEach(() => start());

describe("E1: placing, splitting, reusing", () => {
  it("serves from the lists, splits what is worth a block, and gives the top back", () => {
    const [a, b, c] = malloc(24, 100, 24);
    expect([a, b, c].map(nameOf)).toEqual(["0:g0", "1:g0", "2:g0"]);
    expect(drawHeap(heap)).toBe("0:48#0, 48:128#1, 176:48#2 | top 224");

    heap.free(b);
    expect(drawHeap(heap)).toBe("0:48#0, 48:128 free, 176:48#2 | top 224");

    const d = heap.allocate(40);
    expect(nameOf(d)).toBe("1:g1");
    expect(drawHeap(heap)).toBe("0:48#0, 48:64#1, 112:64 free, 176:48#2 | top 224");

    const e = heap.allocate(33);
    expect(nameOf(e)).toBe("3:g0");
    expect(drawHeap(heap)).toBe("0:48#0, 48:64#1, 112:64#3, 176:48#2 | top 224");
    expect(space.costs[Cost.splits]).toBe(1);

    heap.free(c);
    heap.free(e);
    expect(drawHeap(heap)).toBe("0:48#0, 48:64#1 | top 112");

    expect(heap.addressOf(b)).toBe(0);
    expect(space.costs[Cost.staleHandles]).toBe(1);

    const f = heap.allocate(17);
    expect(nameOf(f)).toBe("3:g1");
    expect(drawHeap(heap)).toBe("0:48#0, 48:64#1, 112:48#3 | top 160");
  });
});

describe("E2: sliding", () => {
  it("keeps address order and handles, and reuses entries last in, first out", () => {
    const [a, b, c, d, e] = malloc(16, 48, 64, 16, 100);
    expect(drawHeap(heap)).toBe("0:32#0, 32:64#1, 96:80#2, 176:32#3, 208:128#4 | top 336");
    heap.free(b);
    heap.free(d);
    const base = heap.addressOf(a) - 16;

    expect(compact()).toBe(208);
    expect(drawHeap(heap)).toBe("0:32#0, 32:80#2, 112:128#4 | top 240");
    expect([a, c, e].map((ref) => heap.addressOf(ref) - 16 - base)).toEqual([0, 32, 112]);
    expect([b, d].map((ref) => heap.addressOf(ref))).toEqual([0, 0]);

    expect(nameOf(heap.allocate(1))).toBe("3:g1");
    expect(drawHeap(heap)).toBe("0:32#0, 32:80#2, 112:128#4, 240:32#3 | top 272");
  });
});

describe("E3: pins", () => {
  it("slides up to a pinned block, leaves one hole in front of it, and goes on behind it", () => {
    const [a, , c, d] = malloc(48, 16, 64, 16, 16);
    heap.pin(c);
    heap.free(a);
    heap.free(d);
    expect(drawHeap(heap, [c])).toBe("0:64 free, 64:32#1, 96:80#2P, 176:32 free, 208:32#4 | top 240");

    expect(compact()).toBe(64);
    expect(drawHeap(heap, [c])).toBe("0:32#1, 32:64 free, 96:80#2P, 176:32#4 | top 208");

    heap.unpin(c);
    expect(compact()).toBe(112);
    expect(drawHeap(heap)).toBe("0:32#1, 32:80#2, 112:32#4 | top 144");
  });

  it("holds a block until as many unpins as pins have been given", () => {
    const [a, b] = malloc(16, 16);
    heap.pin(b);
    heap.pin(b);
    heap.free(a);
    heap.unpin(b);
    expect(compact()).toBe(0);
    expect(drawHeap(heap, [b])).toBe("0:32 free, 32:32#1P | top 64");
    heap.unpin(b);
    expect(compact()).toBe(32);
    expect(drawHeap(heap)).toBe("0:32#1 | top 32");
    expect(space.costs[Cost.pins]).toBe(2);
  });

  it("puts the free of a pinned block off until its unpin, though its handle is stale at once", () => {
    const [a, b, c] = malloc(16, 16, 16);
    heap.pin(b);
    heap.free(b);
    expect(space.costs[Cost.deferredFrees]).toBe(1);
    expect(heap.addressOf(b)).toBe(0);
    heap.free(b);
    expect(space.costs[Cost.staleHandles]).toBe(2);
    heap.free(a);
    expect(compact()).toBe(0);
    const map = new HeapMap();
    heap.walk(map);
    expect(map.totals()[Kind.padding]).toBe(16);
    expect(nameOf(heap.allocate(16))).toBe("0:g1");

    heap.unpin(b);
    expect(nameOf(heap.allocate(16))).toBe("1:g1");
    expect(drawHeap(heap)).toBe("0:32#0, 32:32#1, 64:32#2 | top 96");
    expect(heap.capacityOf(c)).toBe(16);
  });

  it("waits with such a free for the last unpin", () => {
    const [a, b] = malloc(16, 16);
    heap.pin(a);
    heap.pin(a);
    heap.free(a);
    heap.unpin(a);
    expect(nameOf(heap.allocate(16))).toBe("2:g0");
    heap.unpin(a);
    expect(nameOf(heap.allocate(16))).toBe("0:g1");
    expect(space.costs[Cost.deferredFrees]).toBe(1);
    expect(heap.capacityOf(b)).toBe(16);
  });

  it("moves a pinned block when the program reallocates it, and leaves it there for its pins", () => {
    const [a, b] = malloc(16, 16);
    heap.pin(a);
    expect(heap.reallocate(a, 100)).toBe(a);
    expect(drawHeap(heap, [a])).toBe("0:32 free, 32:32#1, 64:128#0P | top 192");
    heap.free(b);
    expect(compact()).toBe(0);
    expect(drawHeap(heap, [a])).toBe("0:64 free, 64:128#0P | top 192");
  });
});

describe("E4: two fingers", () => {
  it("fills the lowest holes from the top, out of address order", () => {
    start({ compact: "twoFinger" });
    const [a, , c] = malloc(48, 16, 100, 16, 40);
    heap.free(a);
    heap.free(c);
    expect(drawHeap(heap)).toBe("0:64 free, 64:32#1, 96:128 free, 224:32#3, 256:64#4 | top 320");
    expect(compact()).toBe(96);
    expect(drawHeap(heap)).toBe("0:64#4, 64:32#1, 96:32#3 | top 128");
  });

  it("moves more when it slides", () => {
    const [a, , c] = malloc(48, 16, 100, 16, 40);
    heap.free(a);
    heap.free(c);
    expect(compact()).toBe(128);
    expect(drawHeap(heap)).toBe("0:32#1, 32:32#3, 64:64#4 | top 128");
  });
});

describe("E5: slack", () => {
  it("hides in a moved block when the rest of its hole is not worth a block", () => {
    start({ compact: "twoFinger" });
    const [a, , c] = malloc(64, 16, 40);
    heap.free(a);
    expect(drawHeap(heap)).toBe("0:80 free, 80:32#1, 112:64#2 | top 176");
    expect(compact()).toBe(64);
    expect(drawHeap(heap)).toBe("0:80#2, 80:32#1 | top 112");
    expect(heap.capacityOf(c)).toBe(64);
  });

  it("is copied along by default, and cut off with trimOnMove", () => {
    for (const [trimOnMove, moved, after] of [
      [false, 112, "0:80#1, 80:32#2 | top 112"],
      [true, 96, "0:64#1, 64:32#2 | top 96"],
    ] as const) {
      start({ trimOnMove });
      const [a, b] = malloc(16, 64, 16);
      heap.free(b);
      heap.allocate(48);
      expect(drawHeap(heap)).toBe("0:32#0, 32:80#1, 112:32#2 | top 144");
      heap.free(a);
      expect(compact()).toBe(moved);
      expect(drawHeap(heap)).toBe(after);
    }
  });
});

describe("E6: budgets", () => {
  it("let the hole bubble upwards; the top falls only in the last pass", () => {
    const [a] = malloc(16, 16, 16, 48, 16);
    heap.free(a);
    expect(drawHeap(heap)).toBe("0:32 free, 32:32#1, 64:32#2, 96:64#3, 160:32#4 | top 192");
    expect(compact(40)).toBe(64);
    expect(drawHeap(heap)).toBe("0:32#1, 32:32#2, 64:32 free, 96:64#3, 160:32#4 | top 192");
    expect(compact(40)).toBe(64);
    expect(drawHeap(heap)).toBe("0:32#1, 32:32#2, 64:64#3, 128:32 free, 160:32#4 | top 192");
    expect(compact(40)).toBe(32);
    expect(drawHeap(heap)).toBe("0:32#1, 32:32#2, 64:64#3, 128:32#4 | top 160");
  });
});

describe("E7: pages", () => {
  it("gives no page back for a hole of one page, and the tail after a slide", () => {
    const [a, , c] = malloc(4080, 4080, 4080, 4080, 4080);
    expect(space.footprint).toBe(24576);
    heap.free(a);
    heap.free(c);
    expect(space.resident).toBe(20480);
    expect(compact(0)).toBe(0);
    expect(space.costs[Cost.pagesReleased]).toBe(0);

    heap.allocate(100);
    expect(drawHeap(heap)).toBe(
      "0:4096 free, 4096:4096#1, 8192:128#2, 8320:3968 free, 12288:4096#3, 16384:4096#4 | top 20480",
    );
    expect(compact()).toBe(12416);
    expect(drawHeap(heap)).toBe("0:4096#1, 4096:128#2, 4224:4096#3, 8320:4096#4 | top 12416");
    expect(space.resident).toBe(16384);
    expect(space.mapped).toBe(16384 + 4096);
    expect(space.footprint).toBe(20480);
  });

  it("keeps the page that a hole's header and links lie in", () => {
    const [a, b] = malloc(8176, 100);
    heap.pin(b);
    heap.free(a);
    compact();
    expect(space.costs[Cost.pagesReleased]).toBe(1);
    expect(space.resident).toBe(2 * 4096);
  });

  it("gives the inner pages of a hole back and takes them again when the hole is used", () => {
    const [, b, c] = malloc(100, 16000, 100);
    heap.free(b);
    heap.pin(c);
    compact();
    expect(space.costs[Cost.pagesReleased]).toBe(2);
    const faults = space.costs[Cost.pageFaults];
    heap.allocate(16000);
    expect(space.costs[Cost.pageFaults]).toBe(faults + 2);
  });

  it("takes a page for the head of what is left of a hole, and of the gap that a slide leaves", () => {
    const [a, b, c] = malloc(16368, 4080, 100);
    heap.pin(c);
    heap.free(a);
    compact(0);
    expect(space.resident).toBe(3 * 4096);
    heap.free(heap.allocate(4080));
    expect(drawHeap(heap, [c])).toBe("0:16384 free, 16384:4096#1, 20480:128#2P | top 20608");
    expect(space.resident).toBe(4 * 4096);
    compact(0);
    expect(space.resident).toBe(3 * 4096);
    compact();
    expect(drawHeap(heap, [c])).toBe("0:4096#1, 4096:16384 free, 20480:128#2P | top 20608");
    expect(space.resident).toBe(3 * 4096);
    expect(heap.capacityOf(b)).toBe(4080);
  });

  it("has the program write a byte of an object of none", () => {
    malloc(4064, 0);
    expect(space.resident).toBe(2 * 4096);
  });

  it("keeps the pages above the top until a pass", () => {
    const [a, b] = malloc(100, 100_000);
    heap.free(b);
    expect(drawHeap(heap)).toBe("0:128#0 | top 128");
    expect(space.resident).toBe(25 * 4096);
    compact(0);
    expect(space.resident).toBe(4096);
    expect(space.mapped).toBe(2 * 4096);
    expect(heap.capacityOf(a)).toBe(112);
  });

  it("obeys the least lengths of a tail and a hole", () => {
    start({ tailRelease: 3, minHolePages: 3 });
    const [a, , c] = malloc(16000, 100, 8192);
    heap.free(a);
    heap.free(c);
    const [pin] = malloc(10);
    heap.pin(pin);
    compact(0);
    expect(space.costs[Cost.pagesReleased]).toBe(0);
    const mapped = space.mapped;
    heap.free(heap.allocate(16384));
    compact(0);
    expect(space.mapped).toBeLessThan(mapped);
  });
});

describe("E8: bump", () => {
  it("reuses nothing before a pass", () => {
    start({ place: "bump" });
    const [a, b] = malloc(16, 48, 16);
    heap.free(b);
    expect(nameOf(heap.allocate(48))).toBe("1:g1");
    expect(drawHeap(heap)).toBe("0:32#0, 32:64 free, 96:32#2, 128:64#1 | top 192");
    heap.free(a);
    expect(compact()).toBe(96);
    expect(drawHeap(heap)).toBe("0:32#2, 32:64#1 | top 96");
  });

  it("merges dead neighbours for two fingers, and drops dead blocks at the top", () => {
    start({ place: "bump", compact: "twoFinger" });
    const [a, b, , , e] = malloc(16, 16, 16, 48, 16);
    heap.free(a);
    heap.free(b);
    heap.free(e);
    expect(drawHeap(heap)).toBe("0:32 free, 32:32 free, 64:32#2, 96:64#3 | top 160");
    expect(compact()).toBe(64);
    expect(drawHeap(heap)).toBe("0:64#3, 64:32#2 | top 96");
  });
});
