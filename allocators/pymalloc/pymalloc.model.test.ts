/**
 * pymalloc against a second implementation that is as plain as it can be: objects and arrays, linear searches, and a
 * touch for every word that the C code or the program writes. Both must place alike, and have the same pages resident.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { none, type Ref } from "../allocator.js";
import type { PymallocOptions } from "./geometry.js";
import { type Block, Model, type ModelOptions } from "./plain-pymalloc.properties.js";
import { pymalloc } from "./pymalloc.js";

const mixed = [0, 0x10, 0, 0x800, 0x3000, 0x1000, 0, 0x2ff0];
const small = { align: 16, pool: 2048, arena: 16384, keepsEmpty: true };
const cases: [string, Partial<PymallocOptions>, ModelOptions][] = [
  [
    "3.7",
    { variant: "cpython-3.7", pool: 2048, arena: 8192 },
    { ...small, align: 8, arena: 8192, keepsEmpty: false, offsets: [0] },
  ],
  [
    "3.8",
    { variant: "cpython-3.8", pool: 2048, arena: 16384, base: "m16" },
    { ...small, keepsEmpty: false, offsets: [0x10] },
  ],
  [
    "3.9",
    { variant: "cpython-3.9", pool: 4096, arena: 16384, base: "mixed" },
    { ...small, pool: 4096, offsets: mixed },
  ],
  ["3.10, small pools", { pool: 2048, arena: 16384, base: "mixed" }, { ...small, offsets: mixed }],
  [
    "3.10, large pools",
    { pool: 8192, arena: 32768, base: "page" },
    { ...small, pool: 8192, arena: 32768, offsets: [0x3000] },
  ],
  [
    "arenas by age, none kept",
    { pool: 2048, arena: 8192, choose: "oldest", keep: "no" },
    { ...small, arena: 8192, keepsEmpty: false, offsets: [0], rank: (arena) => -arena.ordinal },
  ],
  [
    "arenas by address, misaligned",
    { pool: 2048, arena: 8192, choose: "address", misalign: 48 },
    { ...small, arena: 8192, offsets: [48], rank: ({ slot }) => -slot },
  ],
  [
    "the emptiest arena, alignment 8, one kept",
    { variant: "cpython-3.7", pool: 4096, arena: 16384, choose: "emptiest", keep: "yes" },
    { ...small, align: 8, pool: 4096, offsets: [0], rank: (_, freePools) => freePools },
  ],
  [
    "geometric classes up to 2048 bytes",
    { pool: 8192, arena: 32768, spacing: "geometric", threshold: 2048, perDoubling: 2 },
    {
      ...small,
      pool: 8192,
      arena: 32768,
      offsets: [0],
      sizes: [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048],
    },
  ],
  [
    "three classes",
    { pool: 4096, arena: 16384, spacing: "listed", sizes: "48+368+1024", threshold: 1024 },
    { ...small, pool: 4096, offsets: [0], sizes: [48, 368, 1024] },
  ],
];

/** A step makes many like blocks, or frees or reallocates many in one of several orders. */
type Step =
  | { do: "make"; size: number; times: number }
  | { do: "free"; pick: number; stride: number; times: number }
  | { do: "resize"; pick: number; size: number; times: number };

const size = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(8, 16, 17, 120, 256, 368, 496, 500, 512) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 512 }) },
);
const anySize = fc.oneof({ weight: 9, arbitrary: size }, { weight: 1, arbitrary: fc.constantFrom(0, 513, 700, 5000) });
const steps = (sizes: fc.Arbitrary<number>): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant("make" as const), size: sizes, times: fc.integer({ min: 1, max: 90 }) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("free" as const),
          pick: fc.nat(10_000),
          stride: fc.constantFrom(1, 1, 2, 7, 61),
          times: fc.integer({ min: 1, max: 120 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("resize" as const),
          pick: fc.nat(10_000),
          size: sizes,
          times: fc.integer({ min: 1, max: 5 }),
        }),
      },
    ),
    { minLength: 10, maxLength: 60, size: "max" },
  );

/** Small requests that were served from the heap of large ones, and requests that were not served. */
interface Seen {
  fellBack: number;
  failed: number;
}

function agree(program: Step[], given: Partial<PymallocOptions>, options: ModelOptions, limit?: number): Seen {
  const space = createAddressSpace(limit);
  const plainSpace = createAddressSpace(limit);
  const heap = pymalloc.create(space, given);
  const model = new Model(plainSpace, options);
  const live: { ref: Ref; block: Block }[] = [];
  const seen: Seen = { fellBack: 0, failed: 0 };
  const compare = (ref: Ref, block: Block | undefined, size: number): void => {
    if (ref === none || block === undefined) {
      if (ref !== none || block !== undefined) throw new Error("one has memory left, the other has not");
      seen.failed++;
      return;
    }
    const place = heap.placementOf(ref);
    const want =
      "large" in block ? undefined : { arena: block.pool.arena.ordinal, offset: block.at - block.pool.arena.base };
    if (want === undefined && size > 0 && size <= 512) seen.fellBack++;
    if (place?.arena !== want?.arena || place?.offset !== want?.offset) expect(place).toEqual(want);
  };
  const one = (s: Step, i: number): void => {
    if (s.do === "make") {
      const ref = heap.allocate(s.size);
      const block = model.malloc(s.size);
      compare(ref, block, s.size);
      if (block !== undefined) live.push({ ref, block });
    } else if (live.length > 0) {
      const at = s.do === "free" ? (s.pick + i * (s.stride - 1)) % live.length : (s.pick + i) % live.length;
      const entry = live[at];
      if (s.do === "free") {
        heap.free(entry.ref);
        model.free(entry.block);
        live.splice(at, 1);
      } else {
        const ref = heap.reallocate(entry.ref, s.size);
        const block = model.realloc(entry.block, s.size);
        compare(ref, block, s.size);
        if (block !== undefined) live[at] = { ref, block };
      }
    }
  };
  for (const s of program) {
    for (let i = 0; i < s.times; i++) one(s, i);
    expect(space.mappedFor(Use.heap)).toBe(plainSpace.mappedFor(Use.heap));
    expect(space.resident).toBe(plainSpace.resident);
    expect(space.costs[Cost.pageFaults]).toBe(plainSpace.costs[Cost.pageFaults]);
  }
  return seen;
}

describe("pymalloc against a plain model that touches every word it writes", () => {
  it.each(cases)("places alike and has the same pages resident: %s", (_, given, options) => {
    fc.assert(
      fc.property(steps(anySize), (program) => {
        agree(program, given, options);
      }),
      { numRuns: 150 },
    );
  });

  it("also where memory runs out, and small requests go to the heap of the large ones while it has room", () => {
    const options: ModelOptions = { ...small, keepsEmpty: false, offsets: [0] };
    const given: Partial<PymallocOptions> = { variant: "cpython-3.8", pool: 2048, arena: 16384 };
    const fill: Step[] = [
      { do: "make", size: 700, times: 1 },
      { do: "make", size: 256, times: 400 },
    ];
    let fellBack = 0;
    let failed = 0;
    fc.assert(
      fc.property(steps(anySize), (program) => {
        const seen = agree([...fill, ...program], given, options, 60 * 4096);
        fellBack += seen.fellBack;
        failed += seen.failed;
      }),
      { numRuns: 60 },
    );
    expect(fellBack).toBeGreaterThan(0);
    expect(failed).toBeGreaterThan(0);
  });
});
