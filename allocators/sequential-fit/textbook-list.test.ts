import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace } from "../../memory/address-space.js";
import { HeapMap, kindNames } from "../../memory/heap-map.js";
import { Random } from "../../memory/random.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { firstFit } from "./first-fit.js";
import type { SequentialFitOptions } from "./options.js";
import { PlaceTree } from "./place-tree.js";
import { LinearList } from "./textbook-list.properties.js";

/** The heap as pieces [offset, bytes, kind], like those of the linear list. */
function pieces(heap: Allocator, base: number): [number, number, string][] {
  const map = new HeapMap();
  heap.walk(map);
  return Array.from({ length: map.length }, (_, i) => [map.start[i] - base, map.bytes[i], kindNames[map.kind[i]]]);
}

interface Operation {
  kind: "allocate" | "free" | "reallocate";
  size: number;
  alignment: number;
  pick: number;
}

/** Both heaps side by side; `run` plays one operation on both and compares everything that can be seen. */
class Pair {
  private readonly space: AddressSpace;
  private readonly listSpace: AddressSpace;
  private readonly heap: Allocator;
  private readonly list: LinearList;
  private readonly live: Ref[] = [];

  constructor(options: Partial<SequentialFitOptions>, limit = Number.POSITIVE_INFINITY) {
    this.space = createAddressSpace(limit);
    this.listSpace = createAddressSpace(limit);
    this.heap = firstFit.create(this.space, options);
    this.list = new LinearList(this.listSpace, options);
  }

  run(operation: Operation): void {
    const { live } = this;
    const { size, alignment, pick } = operation;
    if (operation.kind === "allocate" || live.length === 0) {
      const ref = this.heap.allocate(size, alignment);
      expect(ref).toBe(this.list.allocate(size, alignment));
      if (ref !== none) {
        expect(ref % alignment).toBe(0);
        live.push(ref);
      }
    } else {
      const i = pick % live.length;
      const ref = live[i];
      if (operation.kind === "free") {
        this.heap.free(ref);
        this.list.free(ref);
        live[i] = live[live.length - 1];
        live.pop();
      } else {
        const moved = this.heap.reallocate(ref, size);
        expect(moved).toBe(this.list.reallocate(ref, size));
        if (moved !== none) live[i] = moved;
      }
    }
    if (this.space.mapped !== this.listSpace.mapped || this.space.resident !== this.listSpace.resident) {
      expect([this.space.mapped, this.space.resident]).toEqual([this.listSpace.mapped, this.listSpace.resident]);
    }
    const differs = this.space.costs.findIndex((cost, i) => cost !== this.listSpace.costs[i]);
    if (differs >= 0) expect([...this.space.costs]).toEqual([...this.listSpace.costs]);
  }

  compareWalks(): void {
    expect(pieces(this.heap, this.list.base)).toEqual(this.list.pieces());
  }
}

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.oneof(
    { weight: 4, arbitrary: fc.constant("allocate" as const) },
    { weight: 3, arbitrary: fc.constant("free" as const) },
    { weight: 2, arbitrary: fc.constant("reallocate" as const) },
  ),
  size: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 9000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 400_000 }) },
  ),
  alignment: fc.oneof(
    { weight: 6, arbitrary: fc.constant(16) },
    { weight: 2, arbitrary: fc.constantFrom(32, 64, 256) },
    { weight: 1, arbitrary: fc.constantFrom(4096, 65536) },
  ),
  pick: fc.nat(),
});

const everyOptionSet: Partial<SequentialFitOptions>[] = [{}, ...firstFit.variants.slice(0, 5)];

describe("first fit against the linear list", () => {
  for (const options of everyOptionSet) {
    const label = JSON.stringify(options);

    it(`places, counts, maps, touches and walks alike with ${label}`, () => {
      fc.assert(
        fc.property(fc.array(operation, { maxLength: 200, size: "max" }), (operations) => {
          const pair = new Pair(options);
          for (const one of operations) pair.run(one);
          pair.compareWalks();
        }),
        { numRuns: 150 },
      );
    });

    it(`fails alike in little memory with ${label}, and changes nothing then`, () => {
      fc.assert(
        fc.property(
          fc.array(operation, { maxLength: 100, size: "max" }),
          fc.integer({ min: 1, max: 200 }),
          (operations, pages) => {
            const pair = new Pair(options, pages * 4096);
            for (const one of operations) pair.run(one);
            pair.compareWalks();
          },
        ),
        { numRuns: 100 },
      );
    });

    it(`stays alike over a long churn of hundreds of blocks with ${label}`, () => {
      const random = new Random(17);
      const pair = new Pair(options);
      for (let i = 0; i < 8000; i++) {
        const die = random.below(100);
        // Twice as many blocks are asked for as freed while the heap fills, then as many.
        const kind = die < (i < 3000 ? 60 : 45) ? "allocate" : die < 90 ? "free" : "reallocate";
        const size = random.below(random.below(20) === 0 ? 20_000 : 400);
        const alignment = random.below(30) === 0 ? 1 << (5 + random.below(8)) : 16;
        pair.run({ kind, size, alignment, pick: random.below(0x7fffffff) });
      }
      pair.compareWalks();
    });
  }
});

describe("the index of free blocks", () => {
  it("answers as a sorted array does, while it grows", () => {
    const step = fc.record({
      at: fc.nat(511),
      size: fc.integer({ min: 2, max: 60 }),
      need: fc.integer({ min: 1, max: 64 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        let sizes = new Int32Array(64);
        const index = new PlaceTree(sizes);
        const model = new Map<number, number>();
        for (const { at, size, need } of steps) {
          while (at >= sizes.length) {
            const grown = new Int32Array(sizes.length * (1 + (need & 1)) * 2);
            grown.set(sizes);
            sizes = grown;
            index.grow(sizes);
          }
          const old = model.get(at);
          if (old !== undefined) {
            sizes[at] = 0;
            model.delete(at);
            index.remove(at, old);
          } else {
            sizes[at] = size;
            model.set(at, size);
            index.insert(at, size);
          }
          const sorted = [...model].sort((a, b) => a[0] - b[0]);
          const place = sorted.findIndex(([, bytes]) => bytes >= need);
          const first = index.first(need);
          expect(first).toBe(place < 0 ? -1 : sorted[place][0]);
          expect(index.hops).toBe(place < 0 ? sorted.length : place + 1);
          if (place < 0) continue;
          const next = sorted.findIndex(([, bytes], i) => i > place && bytes >= need);
          expect(index.next(first, need)).toBe(next < 0 ? -1 : sorted[next][0]);
          expect(index.hops).toBe(next < 0 ? sorted.length : next + 1);
        }
      }),
      { numRuns: 300 },
    );
  });
});
