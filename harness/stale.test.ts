/** Uses of freed blocks are counted, and change nothing else. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isStaleAware } from "../allocators/allocator.js";
import { type AnyAllocatorSpec, allocators } from "../allocators/registry.js";
import { createAddressSpace } from "../memory/address-space.js";
import { Op, type Trace } from "../workloads/trace.js";
import { TraceBuilder } from "../workloads/trace-builder.js";
import { runSession, type SessionResult } from "./session.js";

const pins = { pins: "window", pinShare: 0.5, pinWindow: 200 };
const compacting = { poll: 0, firstPoll: 0, fUpper: 1.05, fLower: 1.01, alpha: 1 };
const more: readonly (readonly [string, object])[] = [
  ["handle-table", { compact: "none" }],
  ["handle-table", { inner: "first-fit", compact: "none" }],
  ["handle-table", { inner: "buddy", compact: "evacuate", region: 4096, ...compacting }],
  ["handle-table", { ...compacting, ...pins }],
  ["handle-table", { releaseTablePages: true, freeOrder: "fifo", generations: 4 }],
  ["palm", { retireOnWrap: true }],
];

function tellsAll(spec: AnyAllocatorSpec, options: object): boolean {
  const heap = spec.create(createAddressSpace(), { ...spec.defaults, ...options });
  return isStaleAware(heap) && heap.tellsAll;
}

/** Every allocator of the registry that tells stale handles, and some with other options. */
const arms = [...Object.keys(allocators).map((name) => [name, {}] as const), ...more].filter(([name, options]) =>
  tellsAll(allocators[name], options),
);

/** What may be done to a freed block. An unpin ends the pins of a block that was freed while pinned: here none is. */
const uses = [Op.free, Op.reallocate, Op.access, Op.pin, Op.unpin] as const;

const steps = fc.array(
  fc.record({ what: fc.nat(9), pick: fc.nat(), size: fc.oneof(fc.nat(600), fc.nat(20000)), use: fc.nat(4) }),
  { minLength: 20, maxLength: 1400, size: "max" },
);
type Steps = typeof steps extends fc.Arbitrary<infer Value> ? Value : never;

/** The program with its uses of freed blocks, or with marks in their place, so that both have the same clock. */
function traceOf(program: Steps, isFaulty: boolean): { trace: Trace; stale: number; first: number } {
  const builder = new TraceBuilder("program", 0, isFaulty);
  const live: number[] = [];
  const dead: number[] = [];
  let stale = 0;
  let first = -1;
  for (const { what, pick, size, use } of program) {
    const at = pick % Math.max(1, live.length);
    if (what < 4 || live.length === 0) live.push(builder.allocate(size));
    else if (what < 6) {
      const [slot] = live.splice(at, 1);
      builder.free(slot);
      dead.push(slot);
    } else if (what === 6) builder.reallocate(live[at], size);
    else if (what === 7 && builder.pinsOf(live[at]) === 0) {
      builder.pin(live[at]);
      builder.access(live[at], 2);
      builder.unpin(live[at]);
    } else if (dead.length > 0) {
      if (first < 0) first = builder.length;
      stale += uses[use] === Op.access ? size % 5 : 1;
      if (!isFaulty) builder.phase("stale");
      else builder.stale(uses[use], dead[pick % dead.length], uses[use] === Op.access ? size % 5 : size);
    }
  }
  return { trace: builder.build(), stale, first };
}

/** What does not say how often the table was asked. */
function effectOf(result: SessionResult): object {
  const { costs, costTime, firstStale, snapshots, ...rest } = result;
  const { staleHandles, tableLoads, ...others } = costs;
  return { ...rest, others };
}

describe.each(arms)("uses of freed blocks on %s %o", (name, given) => {
  const spec = allocators[name];
  // No pins reach an allocator whose blocks never move.
  const heap = spec.create(createAddressSpace(), { ...spec.defaults, ...given });
  const hearsPins = "pin" in heap;

  it("leave the same footprint series and costs as a program without them, with real bytes too", async () => {
    let most = 0;
    let moves = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (program) => {
        const heard = hearsPins ? program : program.map((step) => ({ ...step, use: step.use % 3 }));
        const [faulty, sound] = [traceOf(heard, true), traceOf(heard, false)];
        const settings = { looks: 4, extent: true };
        const run = await runSession(spec, given, faulty.trace, settings);
        const reference = await runSession(spec, given, sound.trace, settings);
        expect(effectOf(run)).toEqual(effectOf(reference));
        expect(run.costs.staleHandles).toBe(faulty.stale);
        expect(reference.costs.staleHandles).toBe(0);
        const checked = await runSession(spec, given, faulty.trace, { ...settings, checked: true });
        expect(checked.costs).toEqual(run.costs);
        if (run.firstStale !== undefined) expect(run.firstStale.event).toBeGreaterThanOrEqual(faulty.first);
        expect(run.firstStale === undefined).toBe(faulty.stale === 0);
        expect(checked.firstStale).toEqual(run.firstStale);
        most = Math.max(most, faulty.stale);
        moves += run.costs.moves;
      }),
      // A smaller program takes too long to find: runs are compared in full.
      { numRuns: 5, seed: 1, endOnFailure: true },
    );
    expect(most).toBeGreaterThan(20);
    expect(moves > 0).toBe("alpha" in given || name === "compact-fit");
  });
});

describe("the allocators that tell all stale handles", () => {
  it("are those with handle tables whose entries retire", () => {
    expect(arms.filter(([, options]) => Object.keys(options).length === 0).map(([name]) => name)).toEqual([
      "handle-table",
      "anchorage",
      "compact-fit",
      "zsmalloc",
      "vma",
    ]);
  });
});

describe("a block freed while pinned", () => {
  it("is given back by the unpin that comes after its free", async () => {
    const builder = new TraceBuilder("doomed", 0, true);
    const slot = builder.allocate(100_000);
    builder.pin(slot);
    builder.free(slot);
    builder.stale(Op.unpin, slot);
    builder.stale(Op.unpin, slot);
    const trace = builder.build();
    for (const checked of [false, true]) {
      const { costs, firstStale, snapshots } = await runSession(allocators["handle-table"], {}, trace, { checked });
      expect([costs.deferredFrees, costs.staleHandles, firstStale?.event]).toEqual([1, 1, 4]);
      expect(snapshots.at(-1)?.kinds.padding).toBe(0);
    }
  });
});
