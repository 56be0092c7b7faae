import { beforeAll, describe, expect, it } from "vitest";
import { allocatorArm, workloadArm } from "../harness/arm.js";
import { cellResultOf } from "../harness/cell.js";
import { traceFor } from "../harness/drive.js";
import type { Tables } from "../harness/experiment.js";
import { placements } from "../harness/place.js";
import { plan } from "../harness/plan.js";
import { runSession } from "../harness/session.js";
import { type RunCell, tabulate } from "../harness/tabulate.js";
import { recordsOf } from "../harness/views.js";
import type { Trace } from "../workloads/trace.js";
import { TraceBuilder } from "../workloads/trace-builder.js";
import experiment from "./seed-scenarios.js";

const POOL = { "3.7": 4096, "3.8": 4096, "3.9": 4096, "3.10": 16384 } as const;
type Version = keyof typeof POOL;

const armOf = (version: Version) => allocatorArm(`pymalloc:variant=cpython-${version}`);

async function sceneOf(selector: string): Promise<Trace> {
  const arm = workloadArm(selector);
  return arm.spec.generate(1, arm.options);
}

/** Blocks in each pool, in the order in which pools were opened. */
function fillOf(version: Version, trace: Trace): number[] {
  const blocks = new Map<string, number>();
  for (const { arena = -1, offset = -1 } of placements(armOf(version), trace)) {
    const pool = `${arena} ${Math.floor(offset / POOL[version])}`;
    blocks.set(pool, (blocks.get(pool) ?? 0) + 1);
  }
  return [...blocks.values()];
}

/** Runs the whole experiment in this thread, with real bytes behind every block. */
async function run(): Promise<Tables> {
  const runs: RunCell[] = [];
  for (const cell of plan(experiment, "quick")) {
    const trace = await traceFor(cell.workload, cell.seed, cell.allocator);
    const settings = { ...experiment.settings?.(cell), checked: true };
    const { spec, options } = cell.allocator;
    const result =
      cell.skipped === undefined ? cellResultOf(await runSession(spec, options, trace, settings)) : undefined;
    runs.push({ cell, digest: trace.digest, result });
  }
  return tabulate(runs);
}

let tables: Tables;
beforeAll(async () => {
  tables = await run();
});

/** Numbers of the look at a mark: pools in use, footprint and mapped bytes of bookkeeping and of all. */
function looked(allocator: string, label: string): Record<string, string | number> {
  const rows = recordsOf(tables.looks).filter(
    (row) => row["workload"] === "one-byte-objects" && row["allocator"] === allocator && row["label"] === label,
  );
  expect(rows).toHaveLength(1);
  return rows[0];
}

/** Live blocks of a heap of the first scene as `letter@start`, in address order. */
function blocks(allocator: string, label: string): string {
  return recordsOf(tables.layouts)
    .filter((row) => row["allocator"] === allocator && row["label"] === label && row["kind"] === "live")
    .map((row) => `${"ABCDE"[Number(row["block"])]}@${row["start"]}`)
    .join(" ");
}

describe("512 one-byte objects", () => {
  it.each([
    ["3.7", [506, 6]],
    ["3.8", [253, 253, 6]],
    ["3.9", [253, 253, 6]],
    ["3.10", [512]],
  ] as const)("fill the pools of CPython %s with %j blocks", async (version, fill) => {
    expect(fillOf(version, await sceneOf("scenario:scene=one-byte-objects"))).toEqual(fill);
  });

  it.each([
    ["3.7", 506],
    ["3.8", 253],
    ["3.9", 253],
    ["3.10", 1021],
  ] as const)("are too few to tell, but a pool of CPython %s holds %i of them", (version, capacity) => {
    const builder = new TraceBuilder("pools");
    for (let i = 0; i <= capacity; i++) builder.allocate(1);
    expect(fillOf(version, builder.build())).toEqual([capacity, 1]);
  });

  // Footprint: the pages of the pools that were touched, and the page or the radix tree that finds owners.
  it.each([
    ["3.7", 2, 8192, 4096, 262144],
    ["3.8", 3, 12288, 4096, 262144],
    ["3.9", 3, 12288, 4096, 262144],
    ["3.10", 1, 12288, 24576, 1048576],
  ] as const)(
    "under CPython %s take %i pools, and one pool and all pages stay",
    (version, pools, pages, meta, arena) => {
      const before = looked(`CPython ${version}`, "512 allocated");
      const after = looked(`CPython ${version}`, "511 freed");
      expect([before["headers"], after["headers"]]).toEqual([pools, 1]);
      expect([before["footprint"], after["footprint"]]).toEqual([pages + meta, pages + meta]);
      expect(after["mapped"]).toBe(arena + meta);
      expect([before["live"], after["live"]]).toEqual([512, 1]);
    },
  );

  it("leave a handle table one page of heap and one of table only where blocks move", () => {
    const footprints = (name: string) =>
      ["512 allocated", "511 freed"].map((label) => looked(name, label)["footprint"]);
    expect(footprints("handle-table, no compaction")).toEqual([20480, 20480]);
    expect(footprints("handle-table")).toEqual([20480, 8192]);
    expect(footprints("first-fit")).toEqual([20480, 20480]);
  });
});

describe("three objects", () => {
  it.each([
    ["first-fit", "A@16 C@176 D@256", "A@16 E@96 C@176 D@256"],
    ["buddy", "A@0 C@128 D@256", "A@0 E@64 C@128 D@256"],
    ["CPython 3.10", "A@48 C@176 D@16432", "A@48 E@112 C@176 D@16432"],
    ["handle-table, no compaction", "A@16 C@176 D@256", "A@16 E@96 C@176 D@256"],
  ])("under %s leave a hole that D does not fit in and E takes", (name, withD, withE) => {
    expect(blocks(name, "B freed")).toBe(withD.replace(/ D.*/, ""));
    expect(blocks(name, "512 reads later")).toBe(withD.replace(/ D.*/, ""));
    expect(blocks(name, "larger D allocated")).toBe(withD);
    expect(blocks(name, "E, as large as B")).toBe(withE);
  });

  it("under a compacting handle table close up at the first safepoint", () => {
    const moments = ["B freed", "512 reads later", "larger D allocated", "E, as large as B"];
    expect(moments.map((label) => blocks("handle-table", label))).toEqual([
      "A@16 C@176",
      "A@16 C@96",
      "A@16 C@96 D@176",
      "A@16 C@96 D@176 E@320",
    ]);
  });
});

describe("the experiment", () => {
  it("finds what the tables say", () => {
    expect(experiment.finding(tables)).toBe(
      "The hole of B is too small for D and stays until E, as large as B, takes it: so in first-fit, buddy, CPython 3.10 " +
        "and the handle table without compaction. With compaction C slides down 80 bytes at the first safepoint, which " +
        "saves 80 bytes of heap while D is the newest block and 0 when E is. 512 objects of one byte take 2, 3, 3 and 1 " +
        "pools of 506, 253, 253 and 1021 blocks in CPython 3.7, 3.8, 3.9 and 3.10; the last of " +
        "them holds 1 pool and 1 arena, and 100 % of the footprint of 12, 16, 16 and 36 KiB. First fit keeps 100 % of its " +
        "20 KiB, the handle table 100 % of its 20 KiB without compaction and 40 % with it.",
    );
  });

  it("says why a cell is not run", () => {
    const skipped = plan(experiment, "quick").filter((cell) => cell.skipped !== undefined);
    expect(skipped.map((cell) => `${cell.workload.label}: ${cell.allocator.label}`)).toEqual([
      "three-objects: CPython 3.7",
      "three-objects: CPython 3.8",
      "three-objects: CPython 3.9",
      "one-byte-objects: buddy",
    ]);
  });
});
