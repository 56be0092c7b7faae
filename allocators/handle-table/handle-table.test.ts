import { beforeEach, describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { type Compacting, isCompacting, none, type Ref, unlogged } from "../allocator.js";
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

describe("the free lists", () => {
  it("serve a request from the first list above its own whose head fits, past lists that have run empty", () => {
    // Free blocks of 48, 112 and 224 bytes lie in the lists of 32, 128 and 256.
    const [a, , b, , c] = malloc(32, 1, 96, 1, 208, 1);
    for (const ref of [a, b, c]) heap.free(ref);
    malloc(90);
    expect(drawHeap(heap)).toBe("0:48 free, 48:32#1, 80:112#4, 192:32#3, 224:224 free, 448:32#5 | top 480");
    malloc(20);
    expect(drawHeap(heap)).toBe("0:48#2, 48:32#1, 80:112#4, 192:32#3, 224:224 free, 448:32#5 | top 480");
    malloc(20);
    expect(drawHeap(heap)).toBe("0:48#2, 48:32#1, 80:112#4, 192:32#3, 224:48#0, 272:176 free, 448:32#5 | top 480");
  });

  it("look at the head alone, or at all of the request's own list", () => {
    for (const [fit, hops, after] of [
      ["headOnly", 1, "0:128 free, 128:32#1, 160:96 free, 256:32#3, 288:128#2 | top 416"],
      ["firstInList", 2, "0:128#2, 128:32#1, 160:96 free, 256:32#3 | top 288"],
    ] as const) {
      start({ fit });
      const [a, , b] = malloc(112, 1, 80, 1);
      heap.free(a);
      heap.free(b);
      malloc(112);
      expect(drawHeap(heap)).toBe(after);
      expect(space.costs[Cost.listHops]).toBe(hops);
    }
  });
});

describe("larger alignments", () => {
  it("leave a free block in front, never a gap of one unit, and are kept by slides and reallocations", () => {
    const [a] = malloc(16);
    heap.allocate(16, 64);
    // A payload at 64 would leave 16 bytes in front of its header.
    expect(drawHeap(heap)).toBe("0:32#0, 32:80 free, 112:32#1 | top 144");
    malloc(16);
    expect(drawHeap(heap)).toBe("0:32#0, 32:32#2, 64:48 free, 112:32#1 | top 144");
    heap.free(a);
    expect(compact()).toBe(32);
    expect(drawHeap(heap)).toBe("0:32#2, 32:80 free, 112:32#1 | top 144");
    const page = heap.allocate(16, 4096);
    malloc(5000);
    expect(heap.reallocate(page, 4000)).toBe(page);
    expect(heap.addressOf(page) % 4096).toBe(0);
  });

  it("are kept by two fingers", () => {
    start({ compact: "twoFinger" });
    const [a] = malloc(400, 16);
    const b = heap.allocate(16, 128);
    heap.free(a);
    expect(compact()).toBe(64);
    expect(heap.addressOf(b) % 128).toBe(0);
    expect(drawHeap(heap)).toBe("0:112 free, 112:32#2, 144:32#1 | top 176");
  });

  it("cut a hole of which two fingers go on filling the larger part", () => {
    start({ compact: "twoFinger" });
    const [a] = malloc(300, 16);
    heap.allocate(16, 256);
    heap.free(a);
    expect(drawHeap(heap)).toBe("0:320 free, 320:32#1, 352:144 free, 496:32#2 | top 528");
    compact();
    expect(drawHeap(heap)).toBe("0:32#1, 32:208 free, 240:32#2 | top 272");
  });
});

describe("reallocation", () => {
  it("keeps the handle, cuts what is worth a block, and grows into a free successor", () => {
    const [a, b] = malloc(200, 50, 16);
    expect(heap.reallocate(a, 180)).toBe(a);
    expect(drawHeap(heap)).toBe("0:224#0, 224:80#1, 304:32#2 | top 336");
    expect(heap.reallocate(a, 100)).toBe(a);
    expect(drawHeap(heap)).toBe("0:128#0, 128:96 free, 224:80#1, 304:32#2 | top 336");
    expect(heap.reallocate(a, 120)).toBe(a);
    expect(drawHeap(heap)).toBe("0:144#0, 144:80 free, 224:80#1, 304:32#2 | top 336");
    expect(heap.reallocate(b, 300)).toBe(b);
    expect(drawHeap(heap)).toBe("0:144#0, 144:160 free, 304:32#2, 336:320#1 | top 656");
    expect(space.costs[Cost.bytesCopied]).toBe(64);
    expect(heap.reallocate(b, 330)).toBe(b);
    expect(drawHeap(heap)).toBe("0:144#0, 144:160 free, 304:32#2, 336:352#1 | top 688");
  });
});

describe("stale handles", () => {
  it("are counted by every operation and change nothing", () => {
    const [a, b] = malloc(16, 16);
    heap.free(a);
    const before = drawHeap(heap);
    heap.free(a);
    expect(heap.reallocate(a, 10)).toBe(none);
    expect(heap.addressOf(a)).toBe(0);
    expect(heap.capacityOf(a)).toBe(0);
    heap.pin(a);
    heap.unpin(a);
    heap.free(none);
    heap.free(77 as Ref);
    expect(space.costs[Cost.staleHandles]).toBe(8);
    expect(drawHeap(heap)).toBe(before);
    expect(heap.addressOf(b)).toBeGreaterThan(0);
  });
});

describe("limits", () => {
  it("answer none beyond 2^31 bytes and give a page of entries back that turns out useless", () => {
    expect(heap.allocate(0x80000001)).toBe(none);
    expect(heap.reallocate(heap.allocate(1), 0x80000001)).toBe(none);
    space = createAddressSpace(8192);
    const small = handleTable.create(space);
    expect(small.allocate(5000)).toBe(none);
    expect(space.mapped).toBe(0);
    expect(nameOf(small.allocate(4000))).toBe("0:g0");
  });
});

describe("options", () => {
  it("with compact=none give an allocator that cannot compact", () => {
    expect(isCompacting(handleTable.create(createAddressSpace(), { compact: "none" }))).toBe(false);
  });

  it("must leave room for hysteresis", () => {
    expect(() => handleTable.create(createAddressSpace(), { fUpper: 1.05 })).toThrow(
      "handle-table: option fLower: 1.05 is not below fUpper 1.05",
    );
  });
});
