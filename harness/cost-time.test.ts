import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../memory/address-space.js";
import { Cost, createCosts } from "../memory/costs.js";
import { InputError } from "../memory/errors.js";
import { allocatorArm, workloadArm } from "./arm.js";
import { coefficientsOf, millisecondsOf } from "./cost-time.js";
import { nearestRank, PauseMeter } from "./metrics/pauses.js";
import { tableAgeOf } from "./metrics/table-ageing.js";
import { runSession, type SessionSettings } from "./session.js";

describe("sets of coefficients", () => {
  it("turn counts into time, counters without a coefficient being free", () => {
    const costs = createCosts();
    costs[Cost.moves] = 1e6;
    costs[Cost.bytesMoved] = 1e8;
    costs[Cost.listHops] = 1e9;
    expect(millisecondsOf(costs, coefficientsOf("raw"))).toBeCloseTo(5 + 8, 9);
    expect(millisecondsOf(costs, coefficientsOf("raw:moves=100,listHops=0.001"))).toBeCloseTo(100 + 8 + 1, 9);
  });

  it("give Anchorage's published pass its published time", () => {
    const costs = createCosts();
    costs[Cost.moves] = 149_000;
    costs[Cost.bytesMoved] = 15.3e6;
    costs[Cost.pageFaults] = Math.ceil(15.3e6 / 4096);
    const time = millisecondsOf(costs, coefficientsOf("anchorage"));
    expect(time).toBeGreaterThan(12.5);
    expect(time).toBeLessThan(17.4);
  });

  it.each(["rwa", "raw:move=3", "raw:moves=-1", "raw:moves=fast", "raw:moves="])(
    "refuses %s in one line",
    (selector) => {
      expect(() => coefficientsOf(selector)).toThrow(InputError);
      expect(() => coefficientsOf(selector)).toThrow(/^[^\n]+$/);
    },
  );
});

describe("pauses", () => {
  it("are timed by what the counters went up by, page faults included, and say what came back", () => {
    const space = createAddressSpace();
    const at = space.map(65536, 4096, Use.heap);
    space.touch(at, 65536);
    const meter = new PauseMeter(space, { moves: 1e6, pageFaults: 1e5, pagesReleased: 1e4 });
    expect(meter.result()).toMatchObject({ count: 0, p50: Number.NaN, total: 0, reclaimed: 0 });
    for (const pages of [1, 2, 3]) {
      meter.begin();
      space.costs[Cost.moves] += pages;
      space.discard(at, 4096 * pages);
      meter.end();
      space.touch(at, 65536);
    }
    const { count, p50, p99, max, total, reclaimed } = meter.result();
    expect({ count, p50, p99, max, reclaimed }).toEqual({
      count: 3,
      p50: 2.02,
      p99: 3.03,
      max: 3.03,
      reclaimed: 6 * 4096,
    });
    expect(total).toBeCloseTo(6.06, 12);
    expect(space.costs[Cost.refaults]).toBe(6);
  });

  it("take percentiles by nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1);
    expect([0.5, 0.99, 1].map((q) => nearestRank(hundred, q))).toEqual([50, 99, 100]);
    expect(nearestRank([7], 0.99)).toBe(7);
    expect(nearestRank([], 0.5)).toBeNaN();
  });
});

async function run(allocator: string, settings: SessionSettings) {
  const workload = workloadArm("churn:live=2000,events=20000");
  const trace = await workload.spec.generate(1, workload.options);
  const arm = allocatorArm(allocator);
  return runSession(arm.spec, arm.options, trace, settings);
}

describe("a run", () => {
  it("counts modelled dereferences for a table, and for nothing else", async () => {
    const handles = await run("handle-table", { accesses: 10 });
    expect(handles.costs.tableLoads).toBe(10 * handles.allocations);
    expect((await run("handle-table", {})).costs.tableLoads).toBe(0);
    for (const without of ["glibc", "oracle"]) expect((await run(without, { accesses: 10 })).costs.tableLoads).toBe(0);
  });

  it("times its passes by the set that was asked for, and nothing else changes", async () => {
    const slide = "handle-table:fUpper=1.06,fLower=1.05,firstPoll=0,poll=0.2";
    const raw = await run(slide, {});
    const dear = await run(slide, { costs: "raw:moves=5000" });
    expect(raw.pauses.count).toBeGreaterThan(3);
    expect(raw.pauses.count).toBe(raw.costs.passes);
    expect(dear.pauses.total - raw.pauses.total).toBeCloseTo(raw.costs.moves * 4995e-6, 6);
    expect(dear.costs).toEqual(raw.costs);
    expect(raw.pauses.p50).toBeLessThanOrEqual(raw.pauses.p99);
    expect(raw.pauses.p99).toBeLessThanOrEqual(raw.pauses.max);
  });

  it("tells how many entries of the table stand empty", async () => {
    const { snapshots, options } = await run("handle-table:entryBytes=16", {});
    const end = snapshots[snapshots.length - 1];
    const age = tableAgeOf(end, options);
    expect(age?.slots).toBe((age?.bytes ?? 0) / 16);
    expect(age?.holes).toBe((age?.slots ?? 0) - end.liveBlocks);
    expect(age?.bytesPerLive).toBe(end.kinds.table / end.liveBlocks);
    const glibc = await run("glibc", {});
    expect(tableAgeOf(glibc.snapshots[0], glibc.options)).toBeUndefined();
  });
});
