import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { defineExperiment, type Experiment, type Tables } from "./experiment.js";
import { canonicalJson, writeWhole } from "./files.js";
import { plan } from "./plan.js";
import type * as Run from "./run.js";
import { folderStore, noStore } from "./store.js";
import { summarise } from "./summary.js";
import { toCsv } from "./table.js";
import { packageRoot } from "./version.js";
import { cellValue, courses, kindsAt, metricValues } from "./views.js";

/** Worker threads need compiled code, so the runner comes from dist (`npm test` builds first). */
const { runExperiment } = (await import(pathToFileURL(join(packageRoot, "dist/harness/run.js")).href)) as typeof Run;

const folder = mkdtempSync(join(tmpdir(), "fraglab-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const experiment: Experiment = defineExperiment({
  name: "small",
  title: "A small experiment",
  question: "Does the runner run?",
  factors: {
    quick: {
      allocators: { ff: "first-fit", py: "pymalloc", handles: "handle-table" },
      workloads: { churn: "churn:events=6000,live=600", scene: "scenario" },
      seeds: 2,
    },
    paper: { allocators: { ff: "first-fit" }, workloads: { churn: "churn:events=6000,live=600" }, seeds: 3 },
  },
  metrics: ["peakFootprint"],
  baseline: "ff",
  skip: (cell) => (cell.allocator.label === "py" && cell.workload.label === "scene" ? "not asked" : undefined),
  finding: (tables) => `${tables.cells.rows} cells`,
  charts: [],
});

const text = (tables: Tables): string =>
  [tables.cells, tables.series, tables.looks, tables.maps, tables.layouts].map(toCsv).join("\n");

describe("the plan", () => {
  it("is the product of workloads, seeds and allocators in a fixed order, one run for a workload without seeds", () => {
    const cells = plan(experiment, "quick");
    expect(cells.map(({ workload, seed, allocator }) => `${workload.label} ${seed} ${allocator.label}`)).toEqual([
      "churn 1 ff",
      "churn 1 py",
      "churn 1 handles",
      "churn 2 ff",
      "churn 2 py",
      "churn 2 handles",
      "scene 1 ff",
      "scene 1 py",
      "scene 1 handles",
    ]);
    expect(cells.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(cells[7].skipped).toBe("not asked");
    expect(plan(experiment, "quick", 1)).toHaveLength(6);
    expect(plan(experiment, "paper")).toHaveLength(3);
  });

  it("refuses an arm that nobody knows, naming the nearest", () => {
    const wrong = {
      ...experiment,
      factors: { ...experiment.factors, quick: { ...experiment.factors.quick, allocators: { x: "fist-fit" } } },
    };
    expect(() => plan(wrong, "quick")).toThrow('unknown allocator "fist-fit": did you mean "first-fit"?');
  });
});

describe("the runner", () => {
  it("gives the same tables with one worker, with two, and from the store", async () => {
    const store = folderStore(join(folder, "store"));
    const one = await runExperiment(experiment, { profile: "quick", jobs: 1, store });
    const two = await runExperiment(experiment, { profile: "quick", jobs: 2, store: noStore });
    const again = await runExperiment(experiment, { profile: "quick", jobs: 2, store });
    expect(text(two.tables)).toBe(text(one.tables));
    expect(text(again.tables)).toBe(text(one.tables));
    expect([one.reused, two.reused, again.reused]).toEqual([0, 0, 8]);
    expect(one.tables.cells.rows).toBe(9);
  });

  it("computes a damaged entry of the store anew", async () => {
    const path = join(folder, "store");
    const entries = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
    expect(entries).toHaveLength(8);
    const before = readFileSync(join(path, entries[0]), "utf8");
    writeFileSync(join(path, entries[0]), before.slice(0, 100));
    writeFileSync(join(path, entries[1]), '{"state":"completed","events":1}');
    const run = await runExperiment(experiment, { profile: "quick", jobs: 1, store: folderStore(path) });
    expect(run.reused).toBe(6);
    expect(readFileSync(join(path, entries[0]), "utf8")).toBe(before);
  });

  it("reports each cell once, and stops when it is told to", async () => {
    const seen: string[] = [];
    const stop = new AbortController();
    const run = runExperiment(experiment, {
      profile: "quick",
      jobs: 1,
      store: noStore,
      signal: stop.signal,
      progress: (done, total) => {
        seen.push(`${done}/${total}`);
        if (done === 2) stop.abort();
      },
    });
    await expect(run).rejects.toMatchObject({ name: "AbortError" });
    expect(seen.slice(0, 2)).toEqual(["1/9", "2/9"]);
    expect(seen.length).toBeLessThan(9);
  });

  it("passes on what is wrong with an option, as one line", async () => {
    const quick = { ...experiment.factors.quick, allocators: { x: "handle-table:fLower=2,fUpper=1.5" } };
    const wrong = { ...experiment, factors: { ...experiment.factors, quick } };
    await expect(runExperiment(wrong, { profile: "quick", jobs: 1, store: noStore })).rejects.toMatchObject({
      name: "InputError",
      message: expect.stringMatching(/^handle-table: option fLower[^\n]*$/) as string,
    });
  });
});

describe("what is made of the tables", () => {
  it("compares with the baseline over workloads, seeds of one workload counting once", async () => {
    const { tables } = await runExperiment(experiment, {
      profile: "quick",
      jobs: 1,
      store: folderStore(join(folder, "store")),
    });
    const summary = summarise(experiment, "quick", tables);
    expect(summary).toMatchObject({
      experiment: "small",
      finding: "9 cells",
      cells: 9,
      outcomes: { completed: 8, skipped: 1 },
    });
    expect(summary.comparisons.map(({ allocator, n }) => [allocator, n])).toEqual([
      ["py", 1],
      ["handles", 2],
    ]);
    const [py] = summary.comparisons;
    expect(py.low).toBeNull();
    const peak = (allocator: string, seed: number): number => {
      const rows = metricRows(tables, "peakFootprint");
      return rows.find((row) => row[0] === allocator && row[1] === "churn" && row[2] === seed)?.[3] as number;
    };
    const mean = Math.sqrt((peak("py", 1) / peak("ff", 1)) * (peak("py", 2) / peak("ff", 2)));
    expect(py.ratio).toBeCloseTo(mean, 12);
    expect(cellValue(tables, "churn", "ff", "peakFootprint")).toBe(peak("ff", 1));
    expect(metricValues(tables, "peakFootprint", (value) => value).rows).toBe(5);
    for (const points of [100, 400]) {
      // Each row is a point of a footprint; a live line has as many points as the longest of them.
      const { rows } = courses(tables, ["churn"], points);
      expect(rows).toBeGreaterThan(points / 3);
      expect((rows * 4) / 3).toBeLessThanOrEqual(points);
    }
    expect(kindsAt(tables, ({ label }) => label === "peak").rows).toBe(5 * 8);
  });
});

function metricRows(tables: Tables, metric: string): (string | number)[][] {
  const column = (name: string): ArrayLike<string | number> => tables.cells.columns.get(name) ?? [];
  return Array.from({ length: tables.cells.rows }, (_, i) =>
    ["allocator", "workload", "seed", metric].map((name) => column(name)[i]),
  );
}

describe("files", () => {
  it("are whole or absent, and a place that cannot be written is one line", () => {
    const path = join(folder, "deep", "down", "file.txt");
    writeWhole(path, "all of it");
    expect(readFileSync(path, "utf8")).toBe("all of it");
    expect(readdirSync(join(folder, "deep", "down"))).toEqual(["file.txt"]);
    expect(() => writeWhole(join(path, "below-a-file"), "x")).toThrow(/cannot write [^\n]*--out$/);
    expect(readFileSync(path, "utf8")).toBe("all of it");
  });

  it("have JSON whose bytes do not depend on the order of keys", () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}');
  });
});
