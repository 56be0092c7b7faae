import { describe, expect, it } from "vitest";
import { type AnyAllocatorSpec, allocators } from "../allocators/registry.js";
import { kindNames } from "../memory/heap-map.js";
import type { Trace } from "../workloads/trace.js";
import { TraceBuilder } from "../workloads/trace-builder.js";
import { workloadArm } from "./arm.js";
import { measure, metrics } from "./metrics/registry.js";
import { placements } from "./place.js";
import { runSession } from "./session.js";

async function traceOf(selector: string): Promise<Trace> {
  const arm = workloadArm(selector);
  return await arm.spec.generate(1, arm.options);
}

const specs = Object.values(allocators);

describe.each(specs.map((spec) => [spec.name, spec] as const))("a run of %s", (_name, spec: AnyAllocatorSpec) => {
  it("has kinds that sum to the footprint at every look, and the same result whatever is looked at", async () => {
    const trace = await traceOf("phases:events=20000,live=65536");
    const plain = await runSession(spec, {}, trace, { looks: 1, bins: 8 });
    const watched = await runSession(spec, {}, trace, { looks: 50, bins: 100, mapRows: 16 });
    expect(watched.fragmentation).toEqual(plain.fragmentation);
    expect(watched.costs).toEqual(plain.costs);
    expect(watched.snapshots.length).toBeGreaterThan(50);
    for (const look of watched.snapshots) {
      const sum = kindNames.reduce((total, kind) => total + look.kinds[kind], 0);
      expect(sum).toBe(look.footprint);
      for (const kind of kindNames) expect(look.kinds[kind], kind).toBeGreaterThanOrEqual(0);
      expect(look.footprint).toBe(look.resident + look.meta);
    }
    const end = watched.snapshots[watched.snapshots.length - 1];
    expect(end).toMatchObject({
      label: "end",
      footprint: watched.fragmentation.endFootprint,
      live: watched.fragmentation.endLive,
    });
    expect(watched.occupancy?.width).toBe(49);
  });

  it("has a map whose shades sum to the live bytes, a row to a page", async () => {
    const trace = await traceOf("phases:events=20000,live=65536");
    const { occupancy, snapshots } = await runSession(spec, {}, trace, { looks: 8, mapRows: 1e6 });
    const { cells, width = 0 } = occupancy ?? {};
    const shades = Buffer.from(cells ?? "", "base64");
    snapshots
      .filter(({ label }) => label === "")
      .forEach(({ live }, x) => {
        const column = shades.filter((_, i) => i % width === x && shades[i] > 0);
        const drawn = column.reduce((sum, shade) => sum + ((shade - 1) / 254) * 4096, 0);
        // A shade is one of 254: half a step off at most.
        expect(Math.abs(drawn - live), `look ${x}`).toBeLessThanOrEqual((column.length * 4096) / 508);
      });
  });

  it("is the same with real bytes behind the blocks", async () => {
    const trace = await traceOf("sawtooth:events=6000,live=800");
    const plain = await runSession(spec, {}, trace);
    const checked = await runSession(spec, {}, trace, { checked: true });
    expect({ ...checked, snapshots: [] }).toEqual({ ...plain, snapshots: [] });
  });

  it("measures every metric of the registry as a number", async () => {
    const trace = await traceOf("churn:events=5000,live=500");
    const values = measure(await runSession(spec, {}, trace, { extent: true }));
    // A bound has no addresses to take an extent or runs of, Linux's index is for requests that fail, not every run has passes and
    // not every allocator has a table.
    const passes = values["pauses"] > 0;
    const table = values["end.table"] > 0;
    const undefinedHere = (name: string): boolean =>
      (/^(extent$|fExt|available)/.test(name) && spec.placeless === true) ||
      name.startsWith("fragmentationIndex") ||
      (/^(pause(P|Max)|movedPerByteFreed)/.test(name) && !passes) ||
      (name === "movedPerByteFreed" && !(values["reclaimed"] > 0)) ||
      (name.startsWith("table") && !table);
    for (const { name, unit } of metrics) {
      if (undefinedHere(name)) continue;
      expect(values[name], name).toBeTypeOf("number");
      expect(Number.isNaN(values[name]), name).toBe(false);
      if (unit === "share") expect(values[name]).toBeLessThanOrEqual(1);
      if (/^f(Ext|Res)/.test(name)) expect(values[name], name).toBeGreaterThanOrEqual(1);
    }
    expect(values["peakFootprint"]).toBeGreaterThanOrEqual(values["peakLive"]);
    expect(values["fResAtPeak"]).toBeCloseTo(values["jw2"] + 1, 9);
  });

  it("places one line for each allocation and reallocation, the same twice", async () => {
    const trace = await traceOf("phases:events=20000,live=65536");
    const arm = { label: "", spec, options: spec.defaults, selector: spec.name };
    const placed = [...placements(arm, trace)];
    expect(placed).toHaveLength([...trace.op].filter((op) => (op & 15) === 0 || (op & 15) === 2).length);
    expect(placed.every(({ address }) => address > 0)).toBe(true);
    expect([...placements(arm, trace)]).toEqual(placed);
  });
});

describe.each([
  ["first-fit", {}],
  ["buddy", {}],
  ["pymalloc", {}],
  ["handle-table", { compact: "none" }],
  ["handle-table", { poll: 0, firstPoll: 0 }],
])("`place` of %s %o", (name, given) => {
  it("puts blocks where a session has them, also behind a compaction", async () => {
    const spec = allocators[name];
    const trace = await traceOf("scenario:scene=three-objects");
    const options = { ...spec.defaults, ...given };
    const { layouts, costs } = await runSession(spec, options, trace, { layouts: true });
    const pieces = layouts?.find(({ label }) => label === "end")?.pieces ?? [];
    const startOf = (block: number): number => pieces.find((piece) => piece.block === block)?.start ?? Number.NaN;
    // D and E, allocated behind the only safepoint, against A, which never moves.
    const [a, , , d, e] = [...placements({ label: "", spec, options, selector: name }, trace)].map(
      ({ address }) => address,
    );
    expect([d - a, e - a]).toEqual([startOf(3) - startOf(0), startOf(4) - startOf(0)]);
    expect(costs.passes).toBe("poll" in given ? 1 : 0);
  });
});

describe("a session", () => {
  it("compacts once before it gives up, and says at which event memory ran out", async () => {
    // Every other block of 64 KiB freed, then one block of 600 KiB: there is room only after compaction.
    const builder = new TraceBuilder("holes");
    const slots = Array.from({ length: 24 }, () => builder.allocate(60_000));
    for (let i = 0; i < slots.length; i += 2) builder.free(slots[i]);
    builder.allocate(600_000);
    const trace = builder.build();
    const limit = 24 * 65536;
    const fixed = await runSession(allocators["first-fit"], {}, trace, { limit });
    expect(fixed).toMatchObject({ state: "exhausted", events: trace.length - 1 });
    expect(fixed.snapshots[fixed.snapshots.length - 1]).toMatchObject({ label: "end", event: trace.length - 1 });
    const moving = await runSession(allocators["handle-table"], {}, trace, { limit });
    expect(moving.state).toBe("completed");
    expect(moving.costs.passes).toBe(1);
    expect(moving.costs.bytesMoved).toBeGreaterThan(600_000);
  });

  it("ends as exhausted, never otherwise, under any limit", async () => {
    const trace = await traceOf("phases:events=6000,live=32768");
    for (const spec of specs) {
      for (let limit = 8192; limit < 400_000; limit += 7 * 4096) {
        const run = await runSession(spec, {}, trace, { limit, looks: 2 });
        const { state, events, peakMapped, fragmentation, snapshots } = run;
        expect(state).toMatch(/completed|exhausted/);
        expect(peakMapped).toBeLessThanOrEqual(limit);
        const peak = snapshots.find(({ label }) => label === "peak");
        if (events > 0) expect(peak?.live).toBe(fragmentation.peakLive);
        expect(fragmentation.peakFootprint).toBeLessThanOrEqual(limit);
      }
    }
  });

  it("is the same whether its extent is measured or not, with pins, accesses and marks", async () => {
    const trace = await traceOf("phases:events=2000,live=32768+pinned:share=0.1+accessed");
    for (const spec of specs) {
      const plain = await runSession(spec, {}, trace, { looks: 4 });
      const { extent, ...measured } = await runSession(spec, {}, trace, { looks: 4, extent: true });
      expect(measured, spec.name).toEqual(plain);
      expect(extent === undefined, spec.name).toBe(spec.placeless === true);
    }
  });

  it("looks at marks, at the peak and at the end, by name", async () => {
    const builder = new TraceBuilder("marks");
    const a = builder.allocate(1000);
    builder.phase("one");
    builder.free(a);
    builder.phase("two");
    builder.allocate(10);
    const { snapshots } = await runSession(allocators["bump"], {}, builder.build(), { looks: 1 });
    expect(snapshots.map(({ label, event, live }) => [label, event, live])).toEqual(
      [
        ["peak", 1, 1000],
        ["one", 2, 1000],
        ["two", 4, 0],
        ["end", 5, 10],
      ].sort((x, y) => Number(x[1]) - Number(y[1])),
    );
  });

  it("keeps the layout of a small heap at each mark", async () => {
    const trace = await traceOf("scenario:scene=three-objects");
    const { layouts } = await runSession(allocators["first-fit"], {}, trace, { layouts: true });
    const first = layouts?.find(({ label }) => label === "A, B, C allocated");
    expect(first?.pieces.filter(({ block }) => block >= 0).map(({ block, bytes }) => [block, bytes])).toEqual([
      [0, 72],
      [1, 72],
      [2, 72],
    ]);
  });
});

describe("idle time after a trace", () => {
  it("lets controllers go on, changes nothing before it, and comes before the look at the end", async () => {
    const builder = new TraceBuilder("idle");
    const blocks = Array.from({ length: 4000 }, () => builder.allocate(48));
    builder.phase("freed");
    for (let i = 0; i < 4000; i += 2) builder.free(blocks[i]);
    const trace = builder.build();
    const options = { firstPoll: 5, alpha: 1 };
    const run = (idle: number) => runSession(allocators["handle-table"], options, trace, { looks: 1, idle });
    const [still, rested] = [await run(0), await run(20)];
    expect([still.costs.passes, rested.costs.passes]).toEqual([0, 1]);
    expect(rested.fragmentation.endFootprint).toBeLessThan(0.6 * still.fragmentation.endFootprint);
    expect(rested.fragmentation.meanFootprint).toBe(still.fragmentation.meanFootprint);
    expect(rested.events).toBe(trace.length);
    const [before, after] = [still, rested].map((result) => result.snapshots.find(({ label }) => label === "end"));
    expect(after?.footprint).toBe(rested.fragmentation.endFootprint);
    expect([before?.event, after?.event]).toEqual([trace.length, trace.length + 80_000]);
    expect(rested.series.event.at(-1)).toBeGreaterThan(trace.length);
    expect(rested.snapshots[0]).toEqual(still.snapshots[0]);
  });
});

describe("safepoints", () => {
  it("tell the time to an allocator that waits for it", async () => {
    const trace = await traceOf("sawtooth:events=40000,live=4000");
    const released = async (decay: string): Promise<number> => {
      const result = await runSession(allocators["jemalloc"], { dirtyDecay: Number(decay) }, trace);
      return result.costs.pagesReleased;
    };
    expect(await released("1")).toBeGreaterThan(0);
    expect(await released("Infinity")).toBe(0);
  });

  it("tell it to a heap inside another one too", async () => {
    const trace = await traceOf("sawtooth:events=40000,live=4000");
    for (const [name, options] of [
      ["layered", { inner: "jemalloc/dirtyDecay=1", outer: "bump" }],
      ["pymalloc", { outer: "jemalloc/dirtyDecay=1", threshold: 16 }],
    ] as const) {
      const { costs } = await runSession(allocators[name], options, trace);
      expect(costs.pagesReleased, name).toBeGreaterThan(0);
    }
  });
});

describe("a trace that uses what it has freed", () => {
  // No reader and no builder makes one: columns that something else has made.
  const faulty = (): Trace => {
    const builder = new TraceBuilder("faulty");
    const [a, b] = [builder.allocate(10), builder.allocate(20)];
    builder.free(a);
    builder.free(b);
    const trace = builder.build();
    return { ...trace, slot: Uint32Array.from([0, 1, 0, 0]) };
  };

  it.each([
    ["handle-table", {}],
    ["handle-table", { compact: "none" }],
    ["handle-table", { inner: "first-fit", compact: "none" }],
    ["anchorage", {}],
    ["zsmalloc", {}],
    ["vma", {}],
  ])("runs on %s %o, where the first stale handle is counted and named", async (name, options) => {
    const result = await runSession(allocators[name], options, faulty());
    expect(result.state).toBe("completed");
    expect(result.costs.staleHandles).toBe(1);
    expect(result.firstStale).toEqual({ event: 3, entry: 0, generation: 0 });
  });

  it("has nothing to name where no handle was stale", async () => {
    const result = await runSession(allocators["handle-table"], {}, await traceOf("churn:events=1000,live=50"));
    expect(result.costs.staleHandles).toBe(0);
    expect(result.firstStale).toBeUndefined();
  });
});

describe("the course of a run", () => {
  it("shows both copies of a block that moves, and in which order things came", async () => {
    const builder = new TraceBuilder("growth");
    const slot = builder.allocate(7_000_000);
    builder.reallocate(slot, 9_000_000);
    const { series, fragmentation } = await runSession(allocators["buddy"], {}, builder.build(), { looks: 1 });
    expect(fragmentation.peakFootprint).toBeGreaterThan(16_000_000);
    expect(series.event).toEqual([0, 1, 1]);
    expect(series.footprint[1]).toBe(fragmentation.peakFootprint);
    expect(series.footprint[2]).toBe(fragmentation.endFootprint);
  });
});
