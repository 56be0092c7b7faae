import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AddressSpace, createAddressSpace } from "../../memory/address-space.js";
import { HeapMap, kindNames } from "../../memory/heap-map.js";
import { Random } from "../../memory/random.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { type Fit, resolveFit, type SequentialFitOptions } from "./options.js";
import { PlaceTree } from "./place-tree.js";
import { SequentialFit } from "./sequential-fit.js";
import { SizeColumn } from "./sizes.js";
import { TextbookList } from "./textbook-list.properties.js";

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
  private readonly list: TextbookList;
  private readonly live: Ref[] = [];

  constructor(fit: Fit, given: Partial<SequentialFitOptions>, limit = Number.POSITIVE_INFINITY) {
    this.space = createAddressSpace(limit);
    this.listSpace = createAddressSpace(limit);
    const options = resolveFit(fit, given);
    this.heap = new SequentialFit(this.space, fit, options);
    this.list = new TextbookList(this.listSpace, fit, options);
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
    { weight: 6, arbitrary: fc.constant(1) },
    { weight: 2, arbitrary: fc.constantFrom(32, 64, 256) },
    { weight: 1, arbitrary: fc.constantFrom(4096, 65536) },
  ),
  pick: fc.nat(),
});

const fits: readonly Fit[] = ["first", "best", "next", "worst"];

/** Every combination of the options that choose places; the others are drawn anew for each. */
function* combinations(): Generator<Partial<SequentialFitOptions>> {
  const random = new Random(3);
  const oneOf = <Value>(...values: Value[]): Value => values[random.below(values.length)];
  for (const order of ["address", "lifo", "fifo"] as const) {
    for (const coalesce of ["immediate", "deferred", "none"] as const) {
      for (const cut of ["low", "high"] as const) {
        for (const wilderness of ["ordinary", "preserved"] as const) {
          for (const header of ["tag", "both-tags", "none"] as const) {
            const granule = header === "none" ? oneOf(1, 8, 64) : 16;
            const sizes = { minSplit: oneOf(0, 128), growth: oneOf(0, 4096, 135168), trim: oneOf(0, 4096, 131072) };
            const quick = coalesce === "deferred" ? { quickCount: oneOf(0, 20), quickLargest: oneOf(0, 300) } : {};
            yield { order, coalesce, cut, wilderness, header, granule, ...sizes, ...quick };
          }
        }
      }
    }
  }
}

const named: readonly Partial<SequentialFitOptions>[] = [
  {},
  { wilderness: "preserved" },
  { minSplit: 128 },
  { growth: 4096, trim: 4096 },
  { wilderness: "preserved", growth: 4096, trim: 8192, minSplit: 64 },
  { trim: 0 },
];

const programs = fc.array(operation, { maxLength: 120, size: "max" });

function churn(pair: Pair, events: number, seed: number): void {
  const random = new Random(seed);
  for (let i = 0; i < events; i++) {
    const die = random.below(100);
    // More blocks are asked for than freed while the heap fills, then about as many.
    const kind = die < (i < events / 2 ? 60 : 45) ? "allocate" : die < 90 ? "free" : "reallocate";
    const size = random.below(random.below(20) === 0 ? 20_000 : 400);
    const alignment = random.below(30) === 0 ? 1 << (5 + random.below(8)) : 1;
    pair.run({ kind, size, alignment, pick: random.below(0x7fffffff) });
  }
  pair.compareWalks();
}

for (const fit of fits) {
  describe(`${fit} fit against the textbook's list`, () => {
    for (const options of named) {
      const label = JSON.stringify(options);

      it(`places, counts, maps, touches and walks alike with ${label}`, () => {
        fc.assert(
          fc.property(programs, (operations) => {
            const pair = new Pair(fit, options);
            for (const one of operations) pair.run(one);
            pair.compareWalks();
          }),
          { numRuns: 50 },
        );
      });
    }

    it("does so under every combination of options, over a churn of hundreds of blocks", () => {
      let seed = 0;
      for (const options of combinations()) {
        seed++;
        try {
          churn(new Pair(fit, options), 500, seed);
        } catch (error) {
          throw new Error(`with ${JSON.stringify(options)}`, { cause: error });
        }
      }
      expect(seed).toBe(108);
    });

    it("fails alike in little memory, and changes nothing then", () => {
      const pages = fc.integer({ min: 1, max: 200 });
      fc.assert(
        fc.property(programs, pages, fc.constantFrom(...combinations()), (operations, limit, options) => {
          const pair = new Pair(fit, options, limit * 4096);
          for (const one of operations) pair.run(one);
          pair.compareWalks();
        }),
        { numRuns: 100 },
      );
    });
  });
}

describe("the index of free blocks", () => {
  it("answers as a sorted array does, while it grows", () => {
    const step = fc.record({
      at: fc.nat(511),
      size: fc.integer({ min: 2, max: 60 }),
      need: fc.integer({ min: 1, max: 64 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
        const sizes = new SizeColumn(64);
        const index = new PlaceTree(sizes);
        const model = new Map<number, number>();
        for (const { at, size, need } of steps) {
          while (at >= sizes.length) {
            sizes.grow(sizes.length * (1 + (need & 1)) * 2);
            index.grow();
          }
          const old = model.get(at);
          if (old !== undefined) {
            sizes.column[at] = 0;
            model.delete(at);
            index.remove(at, old);
          } else {
            sizes.column[at] = size;
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
      { numRuns: 100 },
    );
  });
});
