import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost, costsByName } from "../../memory/costs.js";
import { InputError } from "../../memory/errors.js";
import { HeapMap, Kind, kindNames } from "../../memory/heap-map.js";
import { defaultsOf } from "../../memory/options.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { BinaryBuddy } from "./binary-buddy.js";
import { buddy } from "./buddy.js";
import { doubleBuddy } from "./double-buddy.js";
import { fibonacciBuddy } from "./fibonacci-buddy.js";
import { NaiveTree, naiveSplits } from "./naive-tree.properties.js";
import { type BuddyOptions, buddyOptions } from "./options.js";
import { fibonacci, halves, SplitTree, tripleHalves, weighted } from "./split-tree.js";
import { TreeBuddy } from "./tree-buddy.js";
import { weightedBuddy } from "./weighted-buddy.js";

const GIB = 0x40000000;

const step = fc.record({
  kind: fc.constantFrom("allocate", "allocate", "allocate", "free", "free", "reallocate"),
  size: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  ),
  pick: fc.nat(),
});

const largeStep = fc.record({
  kind: step.map(({ kind }) => kind),
  size: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 2_000_000 }) },
  ),
  alignment: fc.constantFrom(16, 16, 16, 32, 256, 4096, 65536),
  pick: fc.nat(),
});

function mapOf(heap: Allocator): [number, number, string][] {
  const map = new HeapMap();
  heap.walk(map);
  return Array.from({ length: map.length }, (_, i) => [map.start[i], map.bytes[i], kindNames[map.kind[i]]]);
}

describe("the tree engine with halves, against the binary buddy system", () => {
  for (const given of buddy.variants.filter(({ merge }) => merge !== "lazy")) {
    it(`places, counts, touches and walks alike with ${JSON.stringify(given)}, in little memory too`, () => {
      const options: BuddyOptions = { ...defaultsOf(buddyOptions), ...given };
      fc.assert(
        fc.property(fc.array(largeStep, { maxLength: 120 }), fc.constantFrom(300, 5000), (steps, pages) => {
          const spaces = [createAddressSpace(pages * 4096), createAddressSpace(pages * 4096)];
          const [binary, tree] = [
            new BinaryBuddy(spaces[0], options),
            new TreeBuddy(spaces[1], options, halves, halves),
          ];
          const live: Ref[] = [];
          for (const { kind, size, alignment, pick } of steps) {
            const i = pick % Math.max(1, live.length);
            if (kind === "allocate" || live.length === 0) {
              const ref = binary.allocate(size, alignment);
              expect(tree.allocate(size, alignment)).toBe(ref);
              if (ref !== none) live.push(ref);
            } else if (kind === "free") {
              for (const heap of [binary, tree]) heap.free(live[i]);
              live.splice(i, 1);
            } else {
              const ref = binary.reallocate(live[i], size);
              expect(tree.reallocate(live[i], size)).toBe(ref);
              if (ref !== none) live[i] = ref;
            }
            expect(spaces[1].footprint).toBe(spaces[0].footprint);
          }
          expect(mapOf(tree)).toEqual(mapOf(binary));
          expect(costsByName(spaces[1].costs)).toEqual(costsByName(spaces[0].costs));
        }),
        {
          numRuns: 40,
          // A run that must stay where it is for want of memory, although its new size would fit a chunk.
          examples: [
            [
              [
                { kind: "allocate", size: 520_193, alignment: 4096, pick: 0 },
                { kind: "allocate", size: 0, alignment: 65_536, pick: 0 },
                { kind: "reallocate", size: 0, alignment: 16, pick: 0 },
              ],
              300,
            ],
          ],
        },
      );
    });
  }
});

describe("the tree engine against naive trees", () => {
  const rules = { halves, tripleHalves, weighted, fibonacci };
  for (const name of ["halves", "tripleHalves", "weighted", "fibonacci"] as const) {
    for (const [merge, policy, release] of [
      ["eager", "lowest", "keep-one"],
      ["eager", "lifo", "always"],
      ["lazy", "lowest", "always"],
      ["lazy", "lifo", "never"],
    ] as const) {
      it(`places, splits, merges and maps ${name} alike: ${merge}, ${policy}, ${release}`, () => {
        const options: BuddyOptions = { ...defaultsOf(buddyOptions), merge, policy, release, chunk: 4096 };
        const chunk = { halves: 256, tripleHalves: 192, weighted: 256, fibonacci: 233 }[name];
        fc.assert(
          fc.property(fc.array(step, { maxLength: 150, size: "max" }), (steps) => {
            const space = createAddressSpace();
            const heap = new TreeBuddy(space, options, rules[name]);
            const naive = new NaiveTree({
              split: naiveSplits[name],
              chunk,
              stride: 256,
              lifo: policy === "lifo",
              lazy: merge === "lazy",
              release,
            });
            const unitOf = (ref: Ref): number => (ref - GIB) / 16;
            const live: { ref: Ref; units: number }[] = [];
            for (const { kind, size, pick } of steps) {
              const units = Math.max(1, Math.ceil(size / 16));
              const i = pick % Math.max(1, live.length);
              if (kind === "allocate" || live.length === 0) {
                const ref = heap.allocate(size);
                expect(unitOf(ref)).toBe(naive.allocate(units));
                live.push({ ref, units });
              } else if (kind === "free") {
                heap.free(live[i].ref);
                naive.free(unitOf(live[i].ref));
                live.splice(i, 1);
              } else {
                const ref = heap.reallocate(live[i].ref, size);
                if (!naive.resize(unitOf(live[i].ref), units)) {
                  expect(unitOf(ref)).toBe(naive.allocate(units));
                  naive.free(unitOf(live[i].ref));
                } else expect(ref).toBe(live[i].ref);
                live[i] = { ref, units };
              }
              expect([space.costs[Cost.splits], space.costs[Cost.coalesces]]).toEqual([naive.splits, naive.coalesces]);
              expect(space.mappedFor(Use.heap)).toBe(naive.chunks.size * 4096);
            }
            const held = new Map(mapOf(heap).map(([start, bytes, kind]) => [(start - GIB) / 16, [bytes / 16, kind]]));
            for (const [start, size, isLive] of naive.pieces())
              if (isLive) expect(held.get(start)).toEqual([size, "live"]);
          }),
          { numRuns: 30 },
        );
      });
    }
  }
});

describe("split trees", () => {
  it("have the sizes of their papers, and each split's parts make up the whole", () => {
    expect(Array.from(new SplitTree(fibonacci, 64).sizes)).toEqual([1, 2, 3, 5, 8, 13, 21, 34, 55]);
    expect(Array.from(new SplitTree(weighted, 32).sizes)).toEqual([1, 2, 3, 4, 6, 8, 12, 16, 24, 32]);
    expect(Array.from(new SplitTree(tripleHalves, 64).sizes)).toEqual([3, 6, 12, 24, 48]);
    for (const rule of [halves, tripleHalves, fibonacci, weighted]) {
      const { sizes, rights, root } = new SplitTree(rule, 1 << 16);
      for (let k = 1; k <= root; k++) expect(sizes[k - 1] + sizes[rights[k]]).toBe(sizes[k]);
    }
  });

  it("know the largest power of two that all blocks of a class lie at multiples of", () => {
    for (const [name, rule] of Object.entries({ halves, tripleHalves, weighted, fibonacci })) {
      const tree = new SplitTree(rule, 64);
      const starts = new Map<number, number[]>();
      const visit = (start: number, size: number): void => {
        starts.set(size, [...(starts.get(size) ?? []), start]);
        const parts = naiveSplits[name as keyof typeof naiveSplits](size);
        if (parts === undefined) return;
        visit(start, parts[0]);
        visit(start + parts[0], parts[1]);
      };
      visit(0, tree.sizes[tree.root]);
      tree.sizes.forEach((size, k) => {
        let multiple = 64;
        while (starts.get(size)?.some((start) => start % multiple !== 0)) multiple /= 2;
        expect(tree.natural[k]).toBe(multiple);
      });
    }
  });

  it("round up beyond the chunk in the same sequence", () => {
    expect(new SplitTree(fibonacci, 64).roundUp(100)).toBe(144);
    expect(new SplitTree(weighted, 64).roundUp(65)).toBe(96);
    expect(new SplitTree(weighted, 64).roundUp(97)).toBe(128);
  });
});

describe("the lazy buddy system", () => {
  it("frees lazily while half of the live blocks remain, then merges (Lee & Barkley, the watermark)", () => {
    const space = createAddressSpace();
    const heap = buddy.create(space, { merge: "lazy", chunk: 4096 });
    const refs = Array.from({ length: 8 }, () => heap.allocate(512));
    const merges = refs.map((ref) => {
      heap.free(ref);
      return space.costs[Cost.coalesces];
    });
    // Slack 8, 6, 4, 2: lazy. Slack 0: each free merges itself and one that was lazy.
    expect(merges.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(merges[7]).toBe(7);
    expect(mapOf(heap).filter(([, , kind]) => kind !== "meta")).toEqual([[GIB, 4096, "free"]]);
  });

  it("hands out a lazy block without a split, the one freed last", () => {
    const space = createAddressSpace();
    const heap = buddy.create(space, { merge: "lazy" });
    const refs = [1, 2, 3, 4, 5, 6].map(() => heap.allocate(100));
    heap.free(refs[1]);
    heap.free(refs[4]);
    const splits = space.costs[Cost.splits];
    expect([heap.allocate(128), heap.allocate(65)]).toEqual([refs[4], refs[1]]);
    expect(space.costs[Cost.splits]).toBe(splits);
  });

  it("merges what is lazy rather than running out of memory", () => {
    const heap = buddy.create(createAddressSpace(3 * 4096), {
      merge: "lazy",
      chunk: 4096,
      header: "in",
      policy: "lifo",
    });
    const refs = Array.from({ length: 96 }, () => heap.allocate(100));
    expect(heap.allocate(100)).toBe(none);
    // Half of the blocks, all of the third chunk and half of the second: all lazy.
    for (const ref of refs.slice(48)) heap.free(ref);
    expect(heap.allocate(4000)).not.toBe(none);
  });
});

describe("internal waste of uniform sizes", () => {
  /** Bytes of blocks over bytes asked for, sizes 16 to `largest` in steps of 16, each once. */
  function ratio(heap: Allocator, largest: number): number {
    let blocks = 0;
    let asked = 0;
    for (let size = 16; size <= largest; size += 16) {
      blocks += heap.capacityOf(heap.allocate(size));
      asked += size;
    }
    return blocks / asked;
  }

  it("is what the closed forms say: 4/3, 1.236 and 7/6 (blocks over bytes, classes in a ratio r: 2r/(r+1))", () => {
    const chunk = 1 << 22;
    const golden = (1 + Math.sqrt(5)) / 2;
    expect(ratio(buddy.create(createAddressSpace(), { chunk }), 1 << 17)).toBeCloseTo(4 / 3, 2);
    // The closed form is for sizes up to a class: here 17711 and 2^13 units.
    const upTo = 6765 * 16;
    expect(ratio(fibonacciBuddy.create(createAddressSpace(), { chunk }), upTo)).toBeCloseTo(
      (2 * golden) / (golden + 1),
      2,
    );
    for (const spec of [weightedBuddy, doubleBuddy]) {
      // Ratios of 3/2 and 4/3 in turn: up to 2^k the mean of 7/6.
      expect(ratio(spec.create(createAddressSpace(), { chunk }), 1 << 17)).toBeCloseTo(7 / 6, 2);
    }
  });
});

describe("double buddy", () => {
  it("serves 36 bytes from a block of 48, which is what Johnstone & Wilson's LRUsim row shows", () => {
    const heap = doubleBuddy.create(createAddressSpace());
    expect(heap.capacityOf(heap.allocate(36))).toBe(48);
    const binary = buddy.create(createAddressSpace());
    expect(binary.capacityOf(binary.allocate(36))).toBe(64);
  });

  it("keeps the two systems apart: freed blocks of one do not serve the other", () => {
    const heap = doubleBuddy.create(createAddressSpace(), { chunk: 65536, release: "never" });
    const triple = heap.allocate(49152);
    heap.free(triple);
    const power = heap.allocate(65536);
    expect(power).not.toBe(triple);
    expect(heap.allocate(3072)).toBe(triple);
  });

  it("refuses chunks in which no block of 3 * 2^k fits, with the reason", () => {
    expect(() => doubleBuddy.create(createAddressSpace(), { chunk: 4096, minOrder: 10 })).toThrow(InputError);
    expect(() => doubleBuddy.create(createAddressSpace(), { chunk: 4096, minOrder: 10 })).toThrow(
      "chunk: 4096 is too small for blocks of 3 * 2^10: give at least 8192",
    );
  });
});

describe("chunks of the Fibonacci system", () => {
  it("are the largest Fibonacci number of units that fits; the rest of the last page is tail", () => {
    const heap = fibonacciBuddy.create(createAddressSpace());
    heap.allocate(100);
    const tail = mapOf(heap).filter(([, , kind]) => kind === kindNames[Kind.tail]);
    expect(tail).toEqual([[GIB + 46368 * 16, 182 * 4096 - 46368 * 16, "tail"]]);
  });

  it("split towards the smaller part that suffices", () => {
    const heap = fibonacciBuddy.create(createAddressSpace(), { chunk: 4096 });
    // 233 = 144 + 89, and 80 units fit the 89 above.
    expect(heap.allocate(80 * 16) - GIB).toBe(144 * 16);
    expect(heap.capacityOf(heap.allocate(80 * 16))).toBe(89 * 16);
  });

  it("serve an alignment that no class has from inside a larger block", () => {
    const space = createAddressSpace();
    const heap = fibonacciBuddy.create(space);
    heap.allocate(16);
    const ref = heap.allocate(100, 4096);
    expect(ref % 4096).toBe(0);
    heap.free(ref);
    expect(mapOf(heap).filter(([, , kind]) => kind === "live")).toHaveLength(1);
  });
});
