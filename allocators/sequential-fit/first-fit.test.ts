import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { InputError } from "../../memory/errors.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { firstFit } from "./first-fit.js";
import type { SequentialFitOptions } from "./options.js";

/** The first block's header lies 8 bytes into the heap, at the second GiB. */
const FIRST = 0x40000008;

const GIB = 0x40000000;

/** The heap as `address:size` of its blocks, headers included, counted from the first one: `0:48 used, 48:96 free`. */
function draw(heap: Allocator): string {
  const map = new HeapMap();
  heap.walk(map);
  const words: string[] = [];
  for (let i = 0; i < map.length; i++) {
    const at = map.start[i] - FIRST;
    if (map.kind[i] === Kind.live) words.push(`${at - 8}:${map.bytes[i] + 8} used`);
    if (map.kind[i] === Kind.free) words.push(`${at}:${map.bytes[i]} free`);
    if (map.kind[i] === Kind.fresh) words.push(`fresh from ${at}`);
  }
  return words.join(", ");
}

function heapWith(options: Partial<SequentialFitOptions> = {}, limit = Number.POSITIVE_INFINITY) {
  const space = createAddressSpace(limit);
  return { space, heap: firstFit.create(space, options) };
}

/** A block whose size with its header is `bytes`. */
function chunk(heap: Allocator, bytes: number): Ref {
  return heap.allocate(bytes - 8);
}

/** Hops that one allocation costs. */
function hopsOf(space: AddressSpace, act: () => unknown): number {
  const before = space.costs[Cost.listHops];
  act();
  return space.costs[Cost.listHops] - before;
}

/** Holes of 96, 48, 256 and 64 bytes at 0, 160, 320 and 640, between blocks in use (Wilson et al. 1995, section 3.4). */
function fourHoles(options: Partial<SequentialFitOptions> = {}) {
  const { space, heap } = heapWith(options);
  const sizes = [96, 64, 48, 112, 256, 64, 64, 64];
  const blocks = sizes.map((bytes) => chunk(heap, bytes));
  for (const i of [4, 0, 6, 2]) heap.free(blocks[i]);
  return { space, heap, blocks };
}

describe("first fit", () => {
  it("takes the lowest hole that is large enough and leaves its rest in place", () => {
    const { space, heap } = fourHoles();
    expect(draw(heap)).toBe(
      "0:96 free, 96:64 used, 160:48 free, 208:112 used, 320:256 free, 576:64 used, 640:64 free, 704:64 used, fresh from 768",
    );
    expect(hopsOf(space, () => chunk(heap, 48))).toBe(1);
    expect(draw(heap)).toBe(
      "0:48 used, 48:48 free, 96:64 used, 160:48 free, 208:112 used, 320:256 free, 576:64 used, 640:64 free, 704:64 used, fresh from 768",
    );
    expect(hopsOf(space, () => chunk(heap, 240))).toBe(3);
    expect(draw(heap)).toContain("320:256 used");
  });

  it("keeps a remainder below the threshold inside the block", () => {
    const { heap } = fourHoles({ minSplit: 64 });
    const block = chunk(heap, 48);
    expect(heap.capacityOf(block)).toBe(88);
    expect(draw(heap)).toContain("0:96 used, 96:64 used");
  });

  it("coalesces a freed block with both neighbours at once", () => {
    const { space, heap, blocks } = fourHoles();
    heap.free(blocks[1]);
    expect(draw(heap)).toContain("0:208 free, 208:112 used");
    expect(space.costs[Cost.coalesces]).toBe(2);
    heap.free(blocks[3]);
    expect(draw(heap)).toContain("0:576 free, 576:64 used");
    expect(space.costs[Cost.coalesces]).toBe(4);
  });

  it("gives the smallest block to requests of 0 to 24 bytes, each at its own multiple of 16", () => {
    const { heap } = heapWith();
    const blocks = [0, 1, 24, 25].map((size) => heap.allocate(size));
    expect(blocks.map((ref) => heap.capacityOf(ref))).toEqual([24, 24, 24, 40]);
    expect(blocks.map((ref) => ref - blocks[0])).toEqual([0, 32, 64, 96]);
    for (const ref of blocks) expect(heap.addressOf(ref) % 16).toBe(0);
  });
});

describe("the wilderness", () => {
  it("is the last block of the list where it is ordinary, and is not looked at where it is preserved", () => {
    for (const [wilderness, hops] of [
      ["ordinary", [0, 1, 5]],
      ["preserved", [0, 0, 4]],
    ] as const) {
      const { space, heap } = heapWith({ wilderness });
      expect(hopsOf(space, () => chunk(heap, 96))).toBe(hops[0]);
      expect(hopsOf(space, () => chunk(heap, 64))).toBe(hops[1]);
      const holes = fourHoles({ wilderness });
      expect(hopsOf(holes.space, () => chunk(holes.heap, 512))).toBe(hops[2]);
      expect(draw(holes.heap)).toContain("704:64 used, 768:512 used");
    }
  });

  it("leaves a remainder in the block cut from it where it is ordinary, and keeps it where it is preserved", () => {
    const options = { growth: 4096, minSplit: 64 };
    const ordinary = heapWith(options).heap;
    expect(ordinary.capacityOf(chunk(ordinary, 4096 - 16 - 48))).toBe(4096 - 16 - 8);
    const preserved = heapWith({ ...options, wilderness: "preserved" }).heap;
    expect(preserved.capacityOf(chunk(preserved, 4096 - 16 - 48))).toBe(4096 - 16 - 48 - 8);
    expect(preserved.capacityOf(chunk(preserved, 48))).toBe(40);
    expect(draw(preserved)).toBe("0:4032 used, 4032:48 used");
  });

  it("grows by the fewest steps that make up what the free end lacks", () => {
    for (const wilderness of ["ordinary", "preserved"] as const) {
      const { space, heap } = heapWith({ wilderness, growth: 8192 });
      chunk(heap, 8192 - 16 - 160);
      expect(space.mapped).toBe(8192);
      chunk(heap, 160 + 8192);
      expect(space.mapped).toBe(16384);
      chunk(heap, 32);
      expect(space.mapped).toBe(24576);
    }
  });

  it("is untouched until it is handed out", () => {
    const { space, heap } = heapWith();
    heap.allocate(100);
    expect(space.resident).toBe(4096);
    heap.allocate(20_000);
    expect(space.resident).toBe(5 * 4096);
  });
});

describe("trimming", () => {
  it("waits for the threshold, then leaves at most one growth step of whole pages", () => {
    for (const wilderness of ["ordinary", "preserved"] as const) {
      const { space, heap } = heapWith({ wilderness, growth: 8192, trim: 32768 });
      chunk(heap, 4096);
      const small = chunk(heap, 20000);
      heap.free(small);
      expect(space.mapped).toBe(24576);
      heap.free(chunk(heap, 40000));
      // 16 + 4096 bytes stay in use and up to 8192 behind them: 12288 is the fewest whole pages less.
      expect(space.mapped).toBe(12288);
      expect(draw(heap)).toBe("0:4096 used, 4096:8176 free");
    }
  });

  it("leaves one page more rather than an end too short to be a block, unless the end is no block", () => {
    for (const [wilderness, mapped] of [
      ["ordinary", 8192],
      ["preserved", 4096],
    ] as const) {
      const { space, heap } = heapWith({ wilderness, growth: 4096, trim: 4096 });
      const block = chunk(heap, 8192 - 16);
      expect(heap.reallocate(block, 4096 - 32 - 8)).toBe(block);
      expect(space.mapped).toBe(mapped);
      expect(draw(heap)).toBe(`0:4064 used, 4064:${mapped - 4080} free`);
    }
  });

  it("never happens with a threshold of 0 or Infinity", () => {
    for (const trim of [0, Number.POSITIVE_INFINITY]) {
      const { space, heap } = heapWith({ growth: 4096, trim });
      heap.free(heap.allocate(1_000_000));
      expect(space.mapped).toBe(1_003_520);
    }
  });

  it("makes memory fresh again that is mapped anew", () => {
    const { space, heap } = heapWith({ growth: 4096, trim: 4096 });
    heap.free(heap.allocate(50_000));
    expect(space.mapped).toBe(4096);
    heap.allocate(5000);
    expect(space.resident).toBe(8192);
    expect(draw(heap)).toBe("0:5008 used, fresh from 5008");
  });
});

describe("aligned requests", () => {
  it("leave a free block before them, or none, but never a gap too small to be one", () => {
    const { heap } = heapWith();
    chunk(heap, 32);
    const wide = heap.allocate(40, 256);
    expect(wide % 256).toBe(0);
    expect(draw(heap)).toBe("0:32 used, 32:208 free, 240:48 used, fresh from 288");
    chunk(heap, 160);
    // 16 bytes lie before the next multiple of 32, both in the hole and at the end: too few, so the one after it is used.
    expect(heap.allocate(8, 32) - FIRST).toBe(288 + 48 + 8);
    expect(draw(heap)).toContain("32:160 used, 192:48 free, 240:48 used, 288:48 free, 336:32 used");
  });
});

describe("reallocation", () => {
  it("shrinks in place and frees the part cut off", () => {
    const { heap } = heapWith();
    const [block] = [chunk(heap, 256), chunk(heap, 64)];
    expect(heap.reallocate(block, 100)).toBe(block);
    expect(draw(heap)).toBe("0:112 used, 112:144 free, 256:64 used, fresh from 320");
    expect(heap.reallocate(block, 80)).toBe(block);
    expect(heap.capacityOf(block)).toBe(104);
  });

  it("grows in place into a free successor or the end of the heap, else moves and counts the bytes copied", () => {
    for (const wilderness of ["ordinary", "preserved"] as const) {
      const { space, heap } = heapWith({ wilderness, growth: 4096 });
      const [first, second, third] = [chunk(heap, 64), chunk(heap, 96), chunk(heap, 64)];
      heap.free(second);
      expect(heap.reallocate(first, 100)).toBe(first);
      expect(draw(heap)).toContain("0:112 used, 112:48 free, 160:64 used");
      expect(heap.reallocate(third, 10_000)).toBe(third);
      expect(space.mapped).toBe(12288);
      expect(space.costs[Cost.bytesCopied]).toBe(0);
      expect(heap.reallocate(first, 200)).not.toBe(first);
      expect(space.costs[Cost.bytesCopied]).toBe(104);
      expect(draw(heap)).toContain("0:160 free, 160:10016 used, 10176:208 used");
    }
  });

  it("leaves the block as it was where there is no memory", () => {
    const { heap } = heapWith({ growth: 4096 }, 8192);
    const block = heap.allocate(3000);
    const before = draw(heap);
    expect(heap.reallocate(block, 9000)).toBe(none);
    expect(heap.allocate(1024 * GIB)).toBe(none);
    expect(heap.reallocate(block, 1024 * GIB)).toBe(none);
    expect(draw(heap)).toBe(before);
  });
});

describe("the heap", () => {
  it("goes on where addresses no longer fit 32 bits", () => {
    const { space, heap } = heapWith({ growth: GIB });
    const huge = heap.allocate(3 * GIB);
    const behind = heap.allocate(100);
    expect(behind - huge).toBe(3 * GIB + 16);
    expect(heap.capacityOf(huge)).toBe(3 * GIB + 8);
    expect(space.resident).toBe(3 * GIB + 4096);
    heap.free(huge);
    expect(heap.allocate(100)).toBe(huge);
  });

  it("names the option that is wrong", () => {
    expect(() => heapWith({ minSplit: 16 })).toThrow(InputError);
    expect(() => heapWith({ minSplit: 16 })).toThrow(/first-fit: option minSplit/);
  });
});
