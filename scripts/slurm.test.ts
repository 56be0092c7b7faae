/** Experiments as array jobs, with a cluster of one program: `sbatch`, `squeue` and `scancel` that run tasks here. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type * as Slurm from "../harness/executors/slurm.js";
import type * as Run from "../harness/run.js";
import type * as Store from "../harness/store.js";
import type * as Version from "../harness/version.js";
import { packageRoot } from "../harness/version.js";
import { loadExperiment } from "./load-experiments.js";
import { expectRefusal, Sandbox } from "./sandbox.properties.js";

/** The runner comes from dist, as the tasks do: results are kept under the version of the code. */
const compiled = <Module>(path: string): Promise<Module> =>
  import(pathToFileURL(join(packageRoot, "dist", path)).href) as Promise<Module>;
const { slurmExecutor } = await compiled<typeof Slurm>("harness/executors/slurm.js");
const { folderStore } = await compiled<typeof Store>("harness/store.js");
const { codeVersion } = await compiled<typeof Version>("harness/version.js");
const { runExperiment } = await compiled<typeof Run>("harness/run.js");

const sandbox = new Sandbox("slurm");
const bin = join(sandbox.folder, "bin");
/** What was asked of the cluster, a line of JSON each; then by file name the cluster's state. */
const asked = join(sandbox.folder, "asked");
const alive = join(sandbox.folder, "alive");
const fate = join(sandbox.folder, "fate.json");

/** One job at a time, its tasks one after the other. `fate.json` may say {"refuse": text}, or {"dies": [task, ...]}. */
const cluster = `#!/usr/bin/env node
const { appendFileSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
const { spawn, spawnSync } = require("node:child_process");
const { basename } = require("node:path");
const [asked, alive, fate] = ${JSON.stringify([asked, alive, fate])};
const [me, words] = [basename(process.argv[1]), process.argv.slice(2)];
const { refuse, dies = [] } = existsSync(fate) ? JSON.parse(readFileSync(fate, "utf8")) : {};
const option = (name) => words.find((word) => word.startsWith(name + "="))?.slice(name.length + 1);
if (process.env.CLUSTER_RUN) {
  const last = Number(option("--array").split("-")[1]);
  for (let task = 0; task <= last; task++) {
    const log = openSync(option("--output").replace("%a", task).replaceAll("%%", "%"), "a");
    const env = { ...process.env, SLURM_ARRAY_TASK_ID: String(task) };
    if (!dies.includes(task)) spawnSync("sh", [words.at(-1)], { env, stdio: ["ignore", log, log] });
  }
  rmSync(alive);
} else {
  appendFileSync(asked, JSON.stringify([me, ...words]) + "\\n");
  if (me === "sbatch" && refuse) {
    process.stderr.write(refuse);
    process.exitCode = 1;
  } else if (me === "sbatch") {
    const env = { ...process.env, CLUSTER_RUN: "yes" };
    const tasks = spawn(process.execPath, process.argv.slice(1), { env, detached: true, stdio: "ignore" });
    writeFileSync(alive, String(tasks.pid));
    tasks.unref();
    console.log("17;cluster");
  } else if (me === "squeue") {
    if (existsSync(alive)) console.log("RUNNING\\nPENDING");
  } else {
    process.kill(-Number(readFileSync(alive, "utf8")), "SIGKILL");
    rmSync(alive);
  }
}
`;
mkdirSync(bin);
for (const name of ["sbatch", "squeue", "scancel"]) {
  writeFileSync(join(bin, name), cluster);
  chmodSync(join(bin, name), 0o755);
}
const PATH = [bin, process.env["PATH"]].join(delimiter);

/** What was asked since the last time that this was looked at. */
function askedOf(program: string): string[][] {
  if (!existsSync(asked)) return [];
  const lines = readFileSync(asked, "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as string[]).filter(([name]) => name === program);
}

const results = (folder: string): [string, string][] =>
  readdirSync(folder)
    .filter((name) => /\.(csv|json|svg)$/.test(name) && name !== "provenance.json")
    .map((name) => [name, readFileSync(join(folder, name), "latin1")]);

describe("an experiment on a cluster", () => {
  it("gives the same bytes as on this machine, by one array job, and leaves nothing else behind", () => {
    const here = join(sandbox.folder, "here");
    const there = join(sandbox.folder, "there");
    expect(sandbox.fraglab(["run", "seed-scenarios", "--no-cache", "--out", here]).status).toBe(0);
    const cache = join(sandbox.folder, "it's 50 % cache");
    const words = ["run", "seed-scenarios", "--executor", "slurm", "--jobs", "3", "--out", there];
    const run = sandbox.fraglab(words, { PATH, FRAGLAB_CACHE: cache });
    expect(run.stderr).toMatch(/^seed-scenarios: \d+ cells as 3 tasks of Slurm job 17\n$/);
    expect(run.status).toBe(0);
    expect(results(join(there, "seed-scenarios"))).toEqual(results(join(here, "seed-scenarios")));
    expect(results(join(there, "seed-scenarios")).length).toBeGreaterThan(5);
    expect(readdirSync(join(cache, "slurm"))).toEqual([]);
    expect(askedOf("sbatch")[0]).toEqual(
      expect.arrayContaining([
        "--parsable",
        "--job-name=fraglab-seed-scenarios",
        "--array=0-2",
        "--ntasks=1",
        "--cpus-per-task=1",
      ]),
    );
  });

  it("goes on from the cells that are there when tasks die, and says which log to read where they complain", async () => {
    const experiment = await loadExperiment("seed-scenarios");
    const folder = join(sandbox.folder, "dying");
    const path = process.env["PATH"];
    const cells = async (code = "slice"): Promise<number> => {
      const notices: string[] = [];
      const executor = slurmExecutor({
        experiment: "seed-scenarios",
        profile: "quick",
        tasks: 3,
        folder: join(folder, "slurm"),
        store: folder,
        command: [process.execPath, join(packageRoot, "dist/scripts/fraglab.js"), code],
        lookMs: 20,
        notice: (line) => notices.push(line),
      });
      process.env["PATH"] = PATH;
      try {
        await runExperiment(experiment, { profile: "quick", executor, store: folderStore(folder) });
      } finally {
        await executor.close();
        process.env["PATH"] = path;
      }
      return Number(/: (\d+) cells/.exec(notices.join(""))?.[1]);
    };
    writeFileSync(fate, '{"dies":[1]}');
    await expect(cells()).rejects.toMatchObject({
      name: "InputError",
      message: expect.stringMatching(
        /^Slurm job 17 ended without \d+ of \d+ cells: see the logs in .*; the same command computes what is missing$/,
      ) as string,
    });
    expect(readdirSync(join(folder, "slurm"))).toHaveLength(1);
    rmSync(fate);
    await expect(cells("slyce")).rejects.toMatchObject({
      message: expect.stringMatching(/\/task-0.log says "fraglab: unknown command 'slyce'.*"; the same/) as string,
    });
    const missing = await cells();
    expect(missing).toBeGreaterThan(0);
    expect(missing).toBeLessThan(12);
    rmSync(asked);
    expect(await cells()).toBeNaN();
    expect(askedOf("sbatch")).toEqual([]);
  });

  it("is taken out of the queue by Ctrl-C, and keeps what is done", async () => {
    rmSync(asked, { force: true });
    const cache = join(sandbox.folder, "interrupted");
    const words = ["run", "fragmentation-over-time", "--executor", "slurm", "--out", join(sandbox.folder, "none")];
    const run = sandbox.start(words, { PATH, FRAGLAB_CACHE: cache });
    let stderr = "";
    run.stderr.on("data", (chunk: Buffer) => {
      if (stderr === "") run.kill("SIGINT");
      stderr += chunk.toString();
    });
    const code = await new Promise<number | null>((resolve) => run.once("close", resolve));
    expect(stderr).toMatch(/^.* of Slurm job 17\nfraglab: interrupted: .*goes on from there\n$/);
    expect(code).toBe(130);
    expect(askedOf("scancel")).toEqual([["scancel", "17"]]);
    expect(readdirSync(join(cache, "slurm"))).toEqual([]);
  });

  it("is refused in one line where it cannot be", () => {
    const words = ["run", "seed-scenarios", "--executor", "slurm", "--out", join(sandbox.folder, "none")];
    const empty = join(sandbox.folder, "no-programs");
    mkdirSync(empty);
    expectRefusal(sandbox.fraglab(words, { PATH: empty }), /sbatch: no such program: .*--executor/);
    expectRefusal(sandbox.fraglab([...words, "--no-cache"], { PATH }), /--no-cache: .*FRAGLAB_CACHE/);
    writeFileSync(fate, JSON.stringify({ refuse: "sbatch: error: no\nsbatch: error: Invalid partition name\n" }));
    expectRefusal(
      sandbox.fraglab(words, { PATH }),
      /refused \d+ tasks: no; Invalid partition name: .*SBATCH_PARTITION/,
    );
    expectRefusal(sandbox.fraglab(["run", "--executor", "slrm"]), "Allowed choices are local, slurm");
  });
});

describe("a task of a cluster", () => {
  it("refuses in one line what is no plan, other code's plan, and no task of it", () => {
    const plan = (code: string): string =>
      JSON.stringify({ code, experiment: "seed-scenarios", profile: "quick", store: sandbox.folder, slices: [[0]] });
    expectRefusal(sandbox.fraglab(["slice", "nowhere.json"]), "nowhere.json: no plan of a cluster job");
    expectRefusal(sandbox.fraglab(["slice", sandbox.file("cut.json", plan("x").slice(0, 50))]), "no plan");
    expectRefusal(sandbox.fraglab(["slice", sandbox.file("other.json", plan("x"))]), "planned by other code");
    const own = sandbox.file("own.json", plan(codeVersion()));
    expectRefusal(sandbox.fraglab(["slice", own]), "no task in SLURM_ARRAY_TASK_ID");
    expectRefusal(sandbox.fraglab(["slice", own], { SLURM_ARRAY_TASK_ID: "7" }), "no task 7");
    expect(sandbox.fraglab(["slice", own], { SLURM_ARRAY_TASK_ID: "0" }).status).toBe(0);
  });
});
