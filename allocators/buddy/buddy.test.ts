import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { InputError } from "../../memory/errors.js";
import { HeapMap, Kind, kindNames } from "../../memory/heap-map.js";
import { Random } from "../../memory/random.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { buddy } from "./buddy.js";
import type { BuddyOptions } from "./options.js";

const GIB = 0x40000000;
const KIB = 1024;
const CHUNK = 16 * KIB;

function heapWith(options: Partial<BuddyOptions> = {}, limit = Number.POSITIVE_INFINITY) {
  const space = createAddressSpace(limit);
  return { space, heap: buddy.create(space, options) };
}

function mapOf(heap: Allocator): HeapMap {
  const map = new HeapMap();
  heap.walk(map);
  return map;
}

/** The heap as `address:size`, counted from the first chunk; only free and fresh blocks are marked. */
function draw(heap: Allocator): string {
  const map = mapOf(heap);
  const words: string[] = [];
  for (let i = 0; i < map.length; i++) {
    if (map.kind[i] === Kind.meta) continue;
    const kind = map.kind[i] === Kind.live ? "" : ` ${kindNames[map.kind[i]]}`;
    words.push(`${map.start[i] - GIB}:${map.bytes[i]}${kind}`);
  }
  return words.join(", ");
}

describe("binary buddy", () => {
  it("splits down, and merges up as long as the buddy is free and whole (Knuth 2.5)", () => {
    // The textbook's arena of 1024 with blocks from 32, four times as large.
    for (const policy of ["lowest", "lifo"] as const) {
      const { space, heap } = heapWith({ policy, chunk: 4096, minOrder: 7 });
      const [a, b, c] = [400, 240, 800].map((size) => heap.allocate(size));
      expect(draw(heap)).toBe("0:512, 512:256, 768:256 free, 1024:1024, 2048:2048 fresh");
      expect(space.costs[Cost.splits]).toBe(4);
      heap.free(a);
      expect(draw(heap)).toBe("0:512 free, 512:256, 768:256 free, 1024:1024, 2048:2048 fresh");
      heap.free(b);
      expect(draw(heap)).toBe("0:1024 free, 1024:1024, 2048:2048 fresh");
      heap.free(c);
      expect(draw(heap)).toBe("0:2048 free, 2048:2048 fresh");
      expect(space.costs[Cost.coalesces]).toBe(4);
    }
  });

  it("uses the lowest of the smallest sufficient blocks, or the one freed last", () => {
    for (const [policy, places] of [
      ["lowest", [0, 1024, 2048]],
      ["lifo", [1024, 0, 2048]],
    ] as const) {
      const { heap } = heapWith({ policy, chunk: 4096 });
      const blocks = [0, 1, 2, 3, 4].map(() => heap.allocate(512));
      for (const i of [0, 2, 4]) heap.free(blocks[i]);
      // The one freed last has merged to 2048 bytes, more than is needed while the two others are free.
      expect(draw(heap)).toBe("0:512 free, 512:512, 1024:512 free, 1536:512, 2048:512 free, 2560:1536 fresh");
      expect([0, 1, 2].map(() => heap.allocate(512) - GIB)).toEqual(places);
    }
  });

  it("takes 2^k bytes from a block of 2^k with its bookkeeping beside the heap, and of 2^(k+1) with its header in band", () => {
    for (const [header, pieces] of [
      ["out", "0:64, 64:64 fresh"],
      ["in", "0:16 header, 16:112, 128:128 fresh"],
    ] as const) {
      const { heap } = heapWith({ header, chunk: 4096 });
      const ref = heap.allocate(64);
      expect(draw(heap)).toContain(pieces);
      expect(heap.capacityOf(ref)).toBe(header === "out" ? 64 : 112);
      expect(ref % 16).toBe(0);
    }
  });

  it("maps the bitmaps that it needs beside the heap", () => {
    // 1 MiB has 2^16 units of 16 bytes: a bit for each pair of buddies, and 2^17 - 1 bits with a 31st more above them.
    for (const [options, meta] of [
      [{}, 8192 + 16912],
      [{ policy: "lifo" }, 8192 + 8192],
      [{ header: "in" }, 8456],
      [{ policy: "lifo", header: "in" }, 0],
    ] as const) {
      const { space, heap } = heapWith(options);
      heap.allocate(1);
      expect(space.mappedFor(Use.meta)).toBe(Math.ceil(meta / 4096) * 4096);
      expect(mapOf(heap).totals()[Kind.meta]).toBe(space.mappedFor(Use.meta));
    }
  });

  it("places an aligned request in a block as large as its alignment, or behind its header inside one", () => {
    const out = heapWith().heap;
    out.allocate(16);
    expect(out.allocate(16, 4096) - GIB).toBe(4096);
    const inBand = heapWith({ header: "in", chunk: 4096 }).heap;
    const ref = inBand.allocate(100, 256);
    expect(draw(inBand)).toBe("0:16 header, 16:240 padding, 256:256, 512:512 fresh, 1024:1024 fresh, 2048:2048 fresh");
    inBand.free(ref);
    expect(draw(inBand)).toBe("0:512 free, 512:3584 fresh");
  });

  it("writes into free blocks only where their lists lie in band", () => {
    for (const [options, pages] of [
      [{}, 1],
      [{ policy: "lifo" }, 9],
      [{ header: "in" }, 9],
    ] as const) {
      const { space, heap } = heapWith(options);
      heap.allocate(1);
      expect(space.resident).toBe(pages * 4096);
    }
  });
});

describe("chunks", () => {
  it("go back when they are wholly free: all but one, all, or none", () => {
    for (const [release, kept] of [
      ["keep-one", 1],
      ["always", 0],
      ["never", 3],
    ] as const) {
      const { space, heap } = heapWith({ release, chunk: 64 * KIB });
      const blocks = [0, 1, 2].map(() => heap.allocate(64 * KIB));
      expect(space.mappedFor(Use.heap)).toBe(3 * 64 * KIB);
      for (const ref of blocks) heap.free(ref);
      expect(space.mappedFor(Use.heap)).toBe(kept * 64 * KIB);
    }
  });

  it("are mapped at the lowest vacant place, fresh", () => {
    const { heap } = heapWith({ release: "always", chunk: 4096 });
    const blocks = [0, 1, 2].map(() => heap.allocate(4096));
    heap.free(blocks[1]);
    heap.free(blocks[0]);
    expect(heap.allocate(2048)).toBe(blocks[0]);
    expect(draw(heap)).toBe("0:2048, 2048:2048 fresh, 8192:4096");
  });

  it("are passed over by larger requests, which get runs of their own and give them back when freed", () => {
    for (const release of ["keep-one", "never"] as const) {
      const { space, heap } = heapWith({ release, chunk: 4096 });
      const small = heap.allocate(16);
      const mapped = space.mapped;
      const large = heap.allocate(4097);
      expect(heap.capacityOf(large)).toBe(8192);
      expect(large % 8192).toBe(0);
      expect(space.mappedFor(Use.heap)).toBe(4096 + 8192);
      expect(mapOf(heap).totals()[Kind.live]).toBe(16 + 8192);
      heap.free(large);
      expect(space.mapped).toBe(mapped);
      heap.free(small);
    }
  });

  it("come in runs up to 16 GiB", () => {
    const { heap } = heapWith();
    const ref = heap.allocate(5 * GIB);
    expect(heap.capacityOf(ref)).toBe(8 * GIB);
    heap.free(ref);
    expect(heap.allocate(17 * GIB)).toBe(none);
    expect(heap.allocate(16, 2 * GIB)).toBe(none);
  });
});

describe("reallocation", () => {
  it("stays in place within the order, below it, and above it while the upper buddies are free", () => {
    const { space, heap } = heapWith({ chunk: 4096 });
    const ref = heap.allocate(100);
    expect(heap.reallocate(ref, 128)).toBe(ref);
    expect(heap.reallocate(ref, 1000)).toBe(ref);
    expect(draw(heap)).toBe("0:1024, 1024:1024 fresh, 2048:2048 fresh");
    expect(heap.reallocate(ref, 17)).toBe(ref);
    expect(draw(heap)).toBe(
      "0:32, 32:32 free, 64:64 free, 128:128 free, 256:256 free, 512:512 free, 1024:1024 fresh, 2048:2048 fresh",
    );
    expect(space.costs[Cost.bytesCopied]).toBe(0);
  });

  it("moves where the block is an upper half, and counts the bytes copied", () => {
    const { space, heap } = heapWith({ chunk: 4096 });
    const [lower, upper] = [heap.allocate(64), heap.allocate(64)];
    heap.free(lower);
    expect(heap.reallocate(upper, 100) - GIB).toBe(128);
    expect(space.costs[Cost.bytesCopied]).toBe(64);
  });

  it("shortens a run by halves, and moves it into a chunk where it fits", () => {
    const { space, heap } = heapWith({ chunk: 4096, policy: "lifo", header: "in" });
    const run = heap.allocate(60_000);
    expect(space.mapped).toBe(65536);
    expect(heap.reallocate(run, 10_000)).toBe(run);
    expect(space.mapped).toBe(16384);
    expect(heap.reallocate(run, 100) - GIB).toBe(16);
    expect(space.mapped).toBe(4096);
    expect(space.costs[Cost.bytesCopied]).toBe(100);
  });
});

describe("options", () => {
  it("refuse a chunk that is no power of two, and say so", () => {
    expect(() => heapWith({ chunk: 100_000 })).toThrow(InputError);
    expect(() => heapWith({ chunk: 100_000 })).toThrow("buddy: option chunk: 100000 is not a power of two");
  });
});

describe("the invariants", () => {
  for (const options of [{}, { policy: "lifo" }, { header: "in", policy: "lifo" }] as const) {
    it(`hold after any churn with ${JSON.stringify(options)}: no two free buddies, and the sum is what is mapped`, () => {
      const { space, heap } = heapWith({ ...options, chunk: CHUNK, release: "never" });
      // Once every byte has been handed out, each piece of free memory in a walk is one block.
      const all = Array.from({ length: 200 }, () => heap.allocate(CHUNK - 16));
      for (const ref of all) heap.free(ref);
      const { mapped } = space;
      const random = new Random(5);
      const live: Ref[] = [];
      for (let i = 0; i < 5000; i++) {
        if (live.length < 500 && random.below(2) === 0) live.push(heap.allocate(random.below(3000)));
        else if (live.length > 0) heap.free(live.splice(random.below(live.length), 1)[0]);
        if (i % 100 === 0) expectSound(heap, mapped);
      }
      for (const ref of live) heap.free(ref);
      expect(mapOf(heap).totals()[Kind.free]).toBe(200 * CHUNK);
    });
  }
});

/** Each free block lies at a multiple of its size, its buddy is not free and whole, and all pieces make up the heap. */
function expectSound(heap: Allocator, mapped: number): void {
  const map = mapOf(heap);
  expect(map.totals().reduce((sum, bytes) => sum + bytes, 0)).toBe(mapped);
  expect(map.totals()[Kind.fresh]).toBe(0);
  const free = new Map<number, number>();
  for (let i = 0; i < map.length; i++) if (map.kind[i] === Kind.free) free.set(map.start[i] - GIB, map.bytes[i]);
  for (const [start, bytes] of free) {
    expect(start % bytes).toBe(0);
    const buddyOf = (start / bytes) % 2 === 0 ? start + bytes : start - bytes;
    if (bytes < CHUNK) expect(free.get(buddyOf)).not.toBe(bytes);
  }
}
