/**
 * The conformance suite that every registry entry passes, under its defaults and each of its variants. A new allocator
 * is tested before it has a test file of its own.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../memory/address-space.js";
import { costsByName } from "../memory/costs.js";
import { HeapError, InputError } from "../memory/errors.js";
import { type HeapMap, Kind } from "../memory/heap-map.js";
import { formatSelector } from "../memory/options.js";
import { isCompacting, isReorganizing, isTimed, none, type Ref, unlogged } from "./allocator.js";
import { type Checked, check } from "./checked.js";
import type { AnyAllocatorSpec } from "./registry.js";

type Options = Readonly<Record<string, unknown>>;

/** One step of a random program; `pick` chooses among the live blocks. */
type Step =
  | { readonly do: "allocate"; readonly size: number; readonly alignment: number }
  | { readonly do: "free" | "read" | "pin" | "unpin"; readonly pick: number }
  | { readonly do: "reallocate"; readonly pick: number; readonly size: number }
  | { readonly do: "compact"; readonly budget: number }
  | { readonly do: "tick"; readonly after: number };

/** Sizes as programs ask for them: mostly small, the borders of classes, a few large, zero. */
const size = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 600 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(0, 1, 8, 15, 16, 17, 24, 31, 32, 33, 48, 496, 504, 512, 513, 4080, 4096, 4097),
  },
  { weight: 1, arbitrary: fc.integer({ min: 600, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 400_000 }) },
);
const alignment = fc.oneof(
  { weight: 9, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constantFrom(32, 64, 256, 4096, 16384) },
);
const pick = fc.nat(1_000_000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ do: fc.constant("allocate" as const), size, alignment }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant("free" as const), pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("reallocate" as const), pick, size }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("read" as const, "pin" as const, "unpin" as const), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("compact" as const), budget: fc.constantFrom(0, 100, 5000, Infinity) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("tick" as const), after: fc.constantFrom(0, 0.1, 3, 50, 20_000) }),
  },
);

interface Program {
  readonly heap: Checked;
  readonly space: ReturnType<typeof createAddressSpace>;
  readonly live: { ref: Ref; size: number }[];
  readonly pinned: Ref[];
  /** What the program saw, for the determinism property. */
  readonly seen: number[];
  /** Virtual time in milliseconds. */
  now: number;
}

function start(spec: AnyAllocatorSpec, options: Options, limit?: number): Program {
  const space = createAddressSpace(limit);
  return { heap: check(spec, spec.create(space, options), space), space, live: [], pinned: [], seen: [], now: 0 };
}

function takeStep(p: Program, s: Step): void {
  const { heap, live, pinned, seen } = p;
  if (s.do === "allocate") {
    const ref = s.alignment === 0 ? heap.allocate(s.size) : heap.allocate(s.size, s.alignment);
    if (ref !== none) live.push({ ref, size: s.size });
    seen.push(ref, ref === none ? 0 : heap.addressOf(ref));
  } else if (s.do === "compact") {
    if (isReorganizing(heap)) seen.push(heap.compact(s.budget, unlogged));
  } else if (s.do === "tick") {
    p.now += s.after;
    if (isTimed(heap)) heap.tick(p.now);
  } else if (s.do === "unpin") {
    const ref = pinned.pop();
    if (ref !== undefined && isCompacting(heap)) heap.unpin(ref);
  } else if (live.length > 0) {
    const i = s.pick % live.length;
    const block = live[i];
    if (s.do === "free") {
      heap.free(block.ref);
      live.splice(i, 1);
    } else if (s.do === "reallocate") {
      const ref = heap.reallocate(block.ref, s.size);
      if (ref !== none) live[i] = { ref, size: s.size };
      seen.push(ref);
    } else if (s.do === "pin") {
      if (!isCompacting(heap)) return;
      heap.pin(block.ref);
      pinned.push(block.ref);
    } else {
      seen.push(heap.addressOf(block.ref), heap.capacityOf(block.ref));
    }
  }
}

/** A short alternation of growth and decay that visits arenas, chunks and the top of a heap. */
function* longProgram(): Generator<Step> {
  let x = 12345;
  const next = (n: number): number => {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    return (x >>> 8) % n;
  };
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 700; i++) yield { do: "allocate", size: 1 + next(round % 2 === 0 ? 200 : 2000), alignment: 0 };
    for (let i = 0; i < 600; i++) {
      if (next(3) === 0) yield { do: "allocate", size: next(600), alignment: 0 };
      else yield { do: "free", pick: next(1_000_000) };
      if (i % 150 === 149) yield { do: "compact", budget: 20_000 };
      if (i % 100 === 99) yield { do: "tick", after: 2 };
    }
  }
}

/** Defines the suite for one allocator family. */
export function describeAllocator(spec: AnyAllocatorSpec): void {
  for (const given of [{}, ...spec.variants] as Options[]) {
    describe(`${formatSelector(spec.name, spec.options, { ...spec.defaults, ...given })} keeps the contract`, () => {
      it("serves, keeps and gives back blocks under random programs, and the walk stays a partition", () => {
        fc.assert(
          fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
            const p = start(spec, given);
            for (const s of steps) takeStep(p, s);
            p.heap.audit();
            while (p.pinned.length > 0) takeStep(p, { do: "unpin", pick: 0 });
            for (const block of p.live.splice(0)) p.heap.free(block.ref);
            p.heap.audit();
          }),
          { numRuns: 60 },
        );
      });

      it("stays sound through growth and decay of thousands of blocks", () => {
        const p = start(spec, given);
        let i = 0;
        for (const s of longProgram()) {
          takeStep(p, s);
          if (++i % 500 === 0) p.heap.audit();
        }
        expect(p.live.length).toBeGreaterThan(500);
        p.heap.audit();
      });

      it("does the same twice", () => {
        const runs = [0, 1].map(() => {
          const p = start(spec, given);
          for (const s of longProgram()) takeStep(p, s);
          const map = p.heap.audit();
          return {
            seen: p.seen,
            costs: costsByName(p.space.costs),
            memory: [p.space.mapped, p.space.peakMapped, p.space.footprint, p.space.peakFootprint],
            map: Array.from(map.start.subarray(0, map.length)),
          };
        });
        expect(runs[1]).toEqual(runs[0]);
      });

      it("answers `none` when memory is used up, keeps what it has, and serves again after frees", () => {
        const p = start(spec, given, 4 * 1048576);
        while (p.live.length < 100_000) {
          const before = p.live.length;
          takeStep(p, { do: "allocate", size: 3000, alignment: 0 });
          if (p.live.length === before) break;
        }
        expect(p.live.length).toBeGreaterThan(100);
        expect(p.live.length).toBeLessThan((4 * 1048576) / 3000);
        const last = p.live[p.live.length - 1];
        expect(p.heap.reallocate(last.ref, 8 * 1048576)).toBe(none);
        expect(p.heap.allocate(8 * 1048576)).toBe(none);
        p.heap.audit();
        expect(p.space.mapped).toBeLessThanOrEqual(4 * 1048576);
        for (const block of p.live.splice(0)) p.heap.free(block.ref);
        if (isReorganizing(p.heap)) p.heap.compact(Number.POSITIVE_INFINITY, unlogged);
        takeStep(p, { do: "allocate", size: 3000, alignment: 0 });
        expect(p.live.length).toBe(1);
        p.heap.audit();
      });

      it("detects a double free and a stale reference when checked", () => {
        const p = start(spec, given);
        const ref = p.heap.allocate(100);
        const other = p.heap.allocate(100);
        p.heap.free(ref);
        expect(() => p.heap.free(ref)).toThrow(expect.objectContaining({ name: "HeapError", fault: "double-free" }));
        expect(() => p.heap.addressOf(ref)).toThrow(HeapError);
        expect(() => p.heap.reallocate(ref, 10)).toThrow(HeapError);
        expect(p.heap.addressOf(other)).toBeGreaterThan(0);
      });

      it("has an empty account before the first request and shows a lone block", () => {
        const p = start(spec, given);
        p.heap.audit();
        const ref = p.heap.allocate(100);
        const map: HeapMap = p.heap.audit();
        expect(map.totals()[Kind.live]).toBeGreaterThanOrEqual(100);
        expect(p.space.footprint).toBeGreaterThanOrEqual(4096);
        expect(p.space.footprint).toBeLessThanOrEqual(p.space.mapped);
        p.heap.free(ref);
        expect(p.heap.audit().totals()[Kind.live]).toBe(0);
      });
    });
  }

  it(`${spec.name} refuses an option it does not have, in one line`, () => {
    expect(() => spec.create(createAddressSpace(), { "no-such-option": 1 })).toThrow(InputError);
    expect(() => spec.create(createAddressSpace(), { "no-such-option": 1 })).toThrow(/^[^\n]*no-such-option[^\n]*$/);
  });

  it(`${spec.name} says what it is and where it comes from`, () => {
    expect(spec.title.length).toBeGreaterThan(5);
    expect(spec.source.length).toBeGreaterThan(10);
    expect(Object.keys(spec.defaults as object)).toEqual(Object.keys(spec.options));
  });
}
