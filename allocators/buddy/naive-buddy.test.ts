import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { HeapMap, kindNames } from "../../memory/heap-map.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { buddy } from "./buddy.js";
import { NaiveBuddy } from "./naive-buddy.properties.js";
import type { BuddyOptions } from "./options.js";

const GIB = 0x40000000;
const compared = [Cost.listHops, Cost.splits, Cost.coalesces, Cost.bytesCopied, Cost.pageFaults];

interface Operation {
  kind: "allocate" | "free" | "reallocate";
  size: number;
  alignment: number;
  pick: number;
}

/** Both heaps side by side; `run` plays one operation on both and compares everything that can be seen. */
class Pair {
  readonly space: AddressSpace;
  readonly heap: Allocator;
  readonly naive: NaiveBuddy;
  readonly live: { ref: Ref; address: number }[] = [];
  /** How much higher the heap's runs lie: it may set addresses aside for bookkeeping before them. */
  private shift = 0;

  constructor(options: Partial<BuddyOptions>, limit = Number.POSITIVE_INFINITY) {
    this.space = createAddressSpace(limit);
    this.heap = buddy.create(this.space, options);
    this.naive = new NaiveBuddy(options, limit);
  }

  run(operation: Operation): void {
    const { live, heap, naive } = this;
    const { kind, size, alignment } = operation;
    if (kind === "allocate" || live.length === 0) {
      const block = { ref: heap.allocate(size, alignment), address: naive.allocate(size, alignment) };
      this.comparePlace(block.ref, block.address);
      if (block.ref === none) return;
      expect(block.ref % alignment).toBe(0);
      expect(heap.capacityOf(block.ref)).toBeGreaterThanOrEqual(size);
      live.push(block);
    } else {
      const i = operation.pick % live.length;
      const { ref, address } = live[i];
      if (kind === "free") {
        heap.free(ref);
        naive.free(address);
        live[i] = live[live.length - 1];
        live.pop();
      } else {
        const moved = { ref: heap.reallocate(ref, size), address: naive.reallocate(address, size) };
        this.comparePlace(moved.ref, moved.address);
        if (moved.ref !== none) live[i] = moved;
      }
    }
    expect(this.space.mappedFor(Use.meta)).toBe(naive.meta());
    expect(this.space.mappedFor(Use.heap)).toBe(naive.space.mapped);
    expect(this.space.resident).toBe(naive.space.resident);
    for (const cost of compared) expect(this.space.costs[cost]).toBe(naive.space.costs[cost]);
  }

  compareWalks(): void {
    const map = new HeapMap();
    this.heap.walk(map);
    const pieces = Array.from({ length: map.length }, (_, i): [number, number, string] => [
      map.start[i] >= this.naive.runBase + this.shift ? map.start[i] - this.shift : map.start[i],
      map.bytes[i],
      kindNames[map.kind[i]],
    ]);
    const meta = pieces.filter((piece) => piece[2] === "meta");
    expect(meta.reduce((sum, piece) => sum + piece[1], 0)).toBe(this.naive.meta());
    expect(pieces.filter((piece) => piece[2] !== "meta")).toEqual(this.naive.pieces());
  }

  private comparePlace(ref: Ref, address: number): void {
    if (ref !== none && address >= this.naive.runBase && this.shift === 0) {
      this.shift = ref - address;
      expect(Math.abs(this.shift % GIB)).toBe(0);
    }
    expect(ref).toBe(address === 0 || address < this.naive.runBase ? address : address + this.shift);
  }
}

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 5_000_000 }) },
);

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant("allocate" as const) },
    { weight: 3, arbitrary: fc.constant("free" as const) },
    { weight: 2, arbitrary: fc.constant("reallocate" as const) },
  ),
  size,
  alignment: fc.oneof(
    { weight: 6, arbitrary: fc.constant(16) },
    { weight: 2, arbitrary: fc.constantFrom(32, 64, 256) },
    { weight: 1, arbitrary: fc.constantFrom(4096, 65536, 4194304) },
  ),
  pick: fc.nat(),
});

const everyOptionSet: Partial<BuddyOptions>[] = [
  {},
  ...buddy.variants.filter(({ merge }) => merge !== "lazy"),
  { policy: "lifo", release: "always", chunk: 4096 },
  { policy: "lifo", header: "in", minOrder: 8, chunk: 8192, release: "never" },
];

describe("buddy against the naive buddy", () => {
  for (const options of everyOptionSet) {
    const label = JSON.stringify(options);

    it(`places, counts, maps, touches and walks alike with ${label}`, () => {
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 100, size: "max" }), (operations) => {
          const pair = new Pair(options);
          for (const one of operations) pair.run(one);
          pair.compareWalks();
        }),
        { numRuns: 100 },
      );
    });

    it(`fails alike in little memory with ${label}, and changes nothing then`, () => {
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 100 }), fc.integer({ min: 1, max: 1000 }), (operations, pages) => {
          const pair = new Pair(options, pages * 4096);
          for (const one of operations) pair.run(one);
          pair.compareWalks();
        }),
        { numRuns: 50 },
      );
    });
  }
});
