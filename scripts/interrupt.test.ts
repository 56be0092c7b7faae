/** Ctrl-C in the middle. */
import { type ChildProcessWithoutNullStreams, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Sandbox } from "./sandbox.properties.js";

const recorded = fileURLToPath(new URL("../workloads/recorded/py-web.fgt", import.meta.url));
const sandbox = new Sandbox("interrupt");
const { folder } = sandbox;

describe("an interrupted run", () => {
  /** All files under a folder. */
  const filesIn = (path: string): string[] =>
    existsSync(path) ? readdirSync(path, { recursive: true, encoding: "utf8" }) : [];

  /** Sends SIGINT as soon as a folder has a file with this ending: a finished cell in the cache, or the draft of a file. */
  async function interrupt(
    child: ChildProcessWithoutNullStreams,
    watched: string,
    ending: string,
  ): Promise<{ code: number | null; stderr: string }> {
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const timer = setInterval(() => {
      if (!filesIn(watched).some((name) => name.endsWith(ending))) return;
      clearInterval(timer);
      child.kill("SIGINT");
    }, 2);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearInterval(timer);
    return { code, stderr };
  }

  it("by Ctrl-C ends with one line and a non-zero exit, keeps what is done whole, and goes on from there", async () => {
    const out = join(folder, "interrupted");
    mkdirSync(out);
    const cache = join(folder, "interrupted-cache");
    const run = sandbox.start(["run", "fragmentation-over-time", "--out", out], { FRAGLAB_CACHE: cache });
    const { code, stderr } = await interrupt(run, cache, ".json");
    expect(code).toBe(130);
    // On a busy machine a line of progress may come first.
    const lines = stderr.trimEnd().split("\n");
    expect(lines.filter((line) => !/^[\w-]+: \d+\/\d+ cells, /.test(line))).toHaveLength(1);
    expect(lines[lines.length - 1]).toMatch(/interrupted: .*goes on from there/);
    for (const name of [...filesIn(out), ...filesIn(cache)]) expect(name).not.toMatch(/\.tmp$/);
    for (const name of filesIn(cache).filter((each) => each.endsWith(".json"))) {
      expect(() => JSON.parse(readFileSync(join(cache, name), "utf8")) as unknown).not.toThrow();
    }
    expect(filesIn(out)).toEqual([]);
  });

  it("of place or trace convert leaves no draft, and says that nothing was written", async () => {
    const drafts = join(folder, "drafts");
    mkdirSync(drafts);
    for (const [args, name] of [
      [["place", "--allocator", "first-fit", "--trace", recorded, "--out"], "placed.tsv"],
      [["trace", "convert", recorded], "converted.trace.gz"],
    ] as const) {
      // On a busy machine the signal may come when all is written: then the file is whole, and we try again.
      let run = await interrupt(sandbox.start([...args, join(drafts, name)]), drafts, ".tmp");
      for (let attempt = 0; run.code === 0 && attempt < 5; attempt++) {
        rmSync(join(drafts, name));
        run = await interrupt(sandbox.start([...args, join(drafts, name)]), drafts, ".tmp");
      }
      expect([run.code, filesIn(drafts)]).toEqual([130, []]);
      expect(run.stderr).toMatch(/^fraglab: interrupted: .* was not written\n$/);
    }
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "of replay by %s prints no result, and says so in one line",
    async (signal) => {
      // That the trace has been written says that the replay is what runs.
      const record = join(folder, `${signal}.fgt`);
      const workload = ["--workload", "churn:events=1000000,live=1000", "--record", record];
      const run = sandbox.start(["replay", "--allocator", "first-fit", "--checked", ...workload, "--json"]);
      let [stdout, stderr] = ["", ""];
      run.stdout.on("data", (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      run.stderr.on("data", (chunk: Buffer) => {
        stderr += chunk.toString();
        if (stderr.includes("digest") && !run.killed) run.kill(signal);
      });
      const code = await new Promise<number | null>((resolve) => run.once("close", resolve));
      expect([code, stdout]).toEqual([130, ""]);
      expect(stderr.slice(stderr.indexOf("\n") + 1)).toBe(
        "fraglab: interrupted: the replay did not end, so nothing is printed\n",
      );
    },
  );

  it("is heard also where the work gave it no chance to be", () => {
    const interrupt = new URL("../dist/scripts/interrupt.js", import.meta.url).href;
    const busy = `import { endedBySignal } from ${JSON.stringify(interrupt)};
      await endedBySignal("too busy", async () => process.kill(process.pid, "SIGINT"));
      console.log("went on");`;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", busy], { encoding: "utf8" });
    expect([run.status, run.stdout, run.stderr]).toEqual([130, "", "fraglab: interrupted: too busy\n"]);
  });
});
