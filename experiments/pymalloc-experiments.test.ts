import { describe, expect, it } from "vitest";
import { cellResultOf } from "../harness/cell.js";
import { traceFor } from "../harness/drive.js";
import type { Experiment, Tables } from "../harness/experiment.js";
import { plan } from "../harness/plan.js";
import { runSession } from "../harness/session.js";
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

  it("holds exactly as many pools as the closed form says behind each marked class", async () => {
    const small = "4 KiB pools, 16-byte classes (3.8, 3.9)";
    const tables = await run(poolPinning, (workload) => workload !== small);
    const [name] = Object.keys(poolPinning.factors.quick.workloads).filter((workload) => workload !== small);
    const course = measured(tables, name);
    expect(course.map(({ size }) => size)).toEqual([16, 32, 64, 128, 256, 512]);
    for (const { size, pools } of course) {
      expect(pools, `class ${size}`).toBe(expected(name).find((step) => step.size === size)?.pools);
    }
    expect(course.at(-1)?.pools).toBe(28246);
  });
});

describe("pymalloc-geometry", () => {
  it("leaves out what cannot be, and no more", () => {
    const skipped = plan(geometry, "quick").filter((cell) => cell.skipped !== undefined);
    expect(new Set(skipped.map((cell) => cell.allocator.label))).toEqual(new Set(["pools 64 KiB, arenas 64 KiB"]));
  });
});
