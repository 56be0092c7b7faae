import { describe, expect, it } from "vitest";
import { allocatorArm, programArm } from "../harness/arm.js";
import { cellResultOf } from "../harness/cell.js";
import { drive, traceFor } from "../harness/drive.js";
import type { Experiment, Tables } from "../harness/experiment.js";
import { plan } from "../harness/plan.js";
import { runSession } from "../harness/session.js";
import { tableOf } from "../harness/table.js";
import { type RunCell, tabulate } from "../harness/tabulate.js";
import { poolPinningCourse } from "../harness/theory.js";
import arenaRelease, { keptUnits } from "./arena-release.js";
import arenaThrash, { callsPerLoop } from "./arena-thrash.js";
import poolPinning, { expected, measured } from "./pool-pinning.js";
import geometry from "./pymalloc-geometry.js";

/** Runs the cells whose workload is kept, in this thread; the others are left out. */
async function run(experiment: Experiment, keep: (workload: string) => boolean): Promise<Tables> {
  const runs: RunCell[] = [];
  for (const cell of plan(experiment, "quick")) {
    if (cell.skipped !== undefined || !keep(cell.workload.label)) continue;
    const trace = await traceFor(cell.workload, cell.seed, cell.allocator);
    const { spec, options } = cell.allocator;
    const result = cellResultOf(await runSession(spec, options, trace, experiment.settings?.(cell)));
    runs.push({ cell, digest: trace.digest, result });
  }
  return tabulate(runs);
}

describe("arena-release", () => {
  it("keeps the pools and arenas that chance leaves, within three binomial standard deviations", async () => {
    const tables = await run(arenaRelease, (workload) => workload === "survivors 0.0003");
    const kept = keptUnits(tables).filter(({ units }) => units > 0);
    expect(kept.length).toBe(4);
    for (const { allocator, unit, share, units, kept: count, expected: mean, deviation } of kept) {
      expect(units, `${allocator} ${unit}`).toBe(
        { arenas: [85, 21], pools: [5440, 1344] }[unit][Number(allocator.startsWith("16"))],
      );
      // Where next to all or none are kept, a normal interval is too narrow: one unit of grace.
      const apart = Math.abs(count - mean * units);
      expect(apart, `${allocator}, ${unit}, ${share}`).toBeLessThanOrEqual(
        3 * deviation * units + (units * mean * (1 - mean) < 1 ? 1 : 0),
      );
    }
  });
});

describe("arena-thrash", () => {
  it("maps and unmaps each arena of a loop, but for one where one is kept", async () => {
    const tables = await run(arenaThrash, (workload) => /^(64|1024) KiB/.test(workload));
    const calls = (kib: number) =>
      Object.keys(arenaThrash.factors.quick.allocators).map((allocator) => callsPerLoop(tables, allocator, kib));
    expect(calls(64)).toEqual([2, 0, 2, 0]);
    // 16384 blocks of 64 bytes take 5 arenas of 4032 and 2 of 16320.
    expect(calls(1024)).toEqual([2 * 5, 2 * 4, 2 * 2, 2 * 1]);
  });
});

describe("pool-pinning", () => {
  it("has the published ratios in its closed form", () => {
    const ratio = (pool: number, step: number): string => {
      const sizes = Array.from({ length: 512 / step }, (_, i) => step * (i + 1));
      const course = poolPinningCourse(sizes, 16 << 20, pool, 48);
      return (((course.at(-1)?.pools ?? 0) * pool) / (16 << 20)).toFixed(2);
    };
    expect([ratio(4096, 16), ratio(16384, 16), ratio(4096, 8)]).toEqual(["19.26", "27.58", "28.24"]);
  });

  it.each([
    ["cpython-3.7", 4096, 8],
    ["cpython-3.9", 4096, 16],
    ["cpython-3.10", 16384, 16],
  ])(
    "holds as many pools under %s as the closed form says, to the pool, behind each class",
    async (variant, pool, step) => {
      const live = 1 << 18;
      const arm = allocatorArm(`pymalloc:variant=${variant}`);
      const { trace } = drive(programArm(`pool-pinning:live=${live},pool=${pool},step=${step}`), 1, arm);
      const { snapshots } = await runSession(arm.spec, arm.options, trace, { looks: 1 });
      const behind = snapshots.filter(({ label }) => label.startsWith("class "));
      const sizes = Array.from({ length: 512 / step }, (_, i) => step * (i + 1));
      expect(behind.map(({ label, headers, live: bytes }) => [label, headers, bytes])).toEqual(
        poolPinningCourse(sizes, live, pool, 48).map((at) => [`class ${at.size}`, at.pools, at.live]),
      );
    },
  );

  it("knows the adversary's marks from other looks", () => {
    const [name] = Object.keys(poolPinning.factors.quick.workloads);
    const look = { workload: name, allocator: name, headers: 7 };
    const looks = tableOf([
      { ...look, label: "peak" },
      { ...look, label: "class 64" },
      { ...look, label: "class 64", allocator: "first-fit" },
    ]);
    expect(measured({ looks } as Tables, name)).toEqual([{ size: 64, pools: 7 }]);
    expect(expected(name).at(-1)?.pools).toBe(78907);
  });
});

describe("pymalloc-geometry", () => {
  it("leaves out what cannot be, and no more", () => {
    const skipped = plan(geometry, "quick").filter((cell) => cell.skipped !== undefined);
    expect(new Set(skipped.map((cell) => cell.allocator.label))).toEqual(new Set(["pools 64 KiB, arenas 64 KiB"]));
  });
});
