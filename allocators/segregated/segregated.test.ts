import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { Random } from "../../memory/random.js";
import type { Allocator, Ref } from "../allocator.js";
import { type SegregatedOptions, segregated } from "./segregated.js";

const GIB = 0x40000000;

function totals(heap: Allocator): Float64Array {
  const map = new HeapMap();
  heap.walk(map);
  return map.totals();
}

/** The policy told slowly: an array of free blocks for each size, and runs cut up at once. */
class Naive {
  end = 0;
  private readonly lists = new Map<number, number[]>();
  private readonly live = new Map<number, number>();
  private readonly sizes: readonly number[];
  private readonly header: number;

  constructor(given: Partial<SegregatedOptions>) {
    const powers = Array.from({ length: 30 }, (_, k) => 16 * (1 << k));
    const thirds = given.classes === "thirds" ? powers.slice(0, 28).map((size) => size * 3) : [];
    this.sizes = [...powers, ...thirds].sort((a, b) => a - b);
    this.header = given.header === "in" ? 16 : 0;
  }

  allocate(bytes: number): number {
    const size = this.sizeFor(bytes);
    const free = this.lists.get(size) ?? [];
    if (free.length === 0) {
      const run = Math.max(size, size % 3 === 0 ? 12288 : 4096);
      for (let at = this.end + run - size; at >= this.end; at -= size) free.push(at);
      this.end += run;
    }
    const at = free.pop() as number;
    this.lists.set(size, free);
    this.live.set(at, size);
    return at + this.header;
  }

  free(at: number): void {
    const start = at - this.header;
    const size = this.live.get(start) as number;
    this.live.delete(start);
    this.lists.get(size)?.push(start);
  }

  staysAt(at: number, bytes: number): boolean {
    return this.live.get(at - this.header) === this.sizeFor(bytes);
  }

  private sizeFor(bytes: number): number {
    return this.sizes.find((size) => size >= bytes + this.header) as number;
  }
}

describe("simple segregated storage", () => {
  for (const given of [{}, ...segregated.variants]) {
    it(`places like arrays of free blocks do with ${JSON.stringify(given)}`, () => {
      const space = createAddressSpace();
      const heap = segregated.create(space, given);
      const naive = new Naive(given);
      const random = new Random(7);
      const live: Ref[] = [];
      for (let i = 0; i < 6000; i++) {
        const size = random.below(random.below(4) === 0 ? 30_000 : 400);
        const pick = random.below(Math.max(1, live.length));
        if (live.length < 300 && random.below(2) === 0) {
          const ref = heap.allocate(size);
          expect(ref - GIB).toBe(naive.allocate(size));
          live.push(ref);
        } else if (live.length > 0 && random.below(3) === 0) {
          const ref = heap.reallocate(live[pick], size);
          if (naive.staysAt(live[pick] - GIB, size)) {
            expect(ref).toBe(live[pick]);
          } else {
            expect(ref - GIB).toBe(naive.allocate(size));
            naive.free(live[pick] - GIB);
          }
          live[pick] = ref;
        } else if (live.length > 0) {
          heap.free(live[pick]);
          naive.free(live[pick] - GIB);
          live.splice(pick, 1);
        }
      }
      expect(space.mappedFor(Use.heap)).toBe(naive.end);
      expect(space.costs[Cost.splits] + space.costs[Cost.coalesces] + space.costs[Cost.listHops]).toBe(0);
    });
  }

  it("needs M(b + 1) bytes of a program that fills M with each size from 1 to 2^b units in turn", () => {
    const space = createAddressSpace();
    const heap = segregated.create(space);
    const M = 65536;
    for (let size = 16; size <= 4096; size *= 2) {
      const refs = Array.from({ length: M / size }, () => heap.allocate(size));
      for (const ref of refs) heap.free(ref);
    }
    expect(space.mappedFor(Use.heap)).toBe(M * 9);
  });

  it("serves 36 bytes from 64, or from 48 with 3 * 2^k: Johnstone & Wilson's LRUsim", () => {
    const block = (given: Partial<SegregatedOptions>): number => {
      const heap = segregated.create(createAddressSpace(), given);
      return heap.capacityOf(heap.allocate(36));
    };
    expect([block({}), block({ classes: "thirds" }), block({ header: "in" })]).toEqual([64, 48, 48]);
  });

  it("is charged a byte for each page beside the heap, or 16 bytes in each block", () => {
    for (const [given, meta, header] of [
      [{}, 4096, 0],
      [{ header: "in" }, 0, 1600],
    ] as const) {
      const space = createAddressSpace();
      const heap = segregated.create(space, given);
      for (let i = 0; i < 100; i++) heap.allocate(32);
      expect(space.mappedFor(Use.meta)).toBe(meta);
      expect(totals(heap)[Kind.header]).toBe(header);
    }
  });
});
