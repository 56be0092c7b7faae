/** Ctrl-C in the middle: the compiled program in a process of its own (`npm test` builds first). */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const program = fileURLToPath(new URL("../dist/scripts/fraglab.js", import.meta.url));
const recorded = fileURLToPath(new URL("../workloads/recorded/py-web.fgt", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "fraglab-interrupt-"));
const environment = { ...process.env, FRAGLAB_CACHE: join(folder, "cache") };

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an interrupted run", () => {
  /** All files under a folder. */
  const filesIn = (path: string): string[] =>
    existsSync(path) ? readdirSync(path, { recursive: true, encoding: "utf8" }) : [];

  /** Sends SIGINT as soon as the first finished cell is kept. */
  async function interrupt(child: ChildProcess, cache: string): Promise<{ code: number | null; stderr: string }> {
    let stderr = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const timer = setInterval(() => {
      if (!filesIn(cache).some((name) => name.endsWith(".json"))) return;
      clearInterval(timer);
      child.kill("SIGINT");
    }, 10);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearInterval(timer);
    return { code, stderr };
  }

  it("by Ctrl-C ends with one line and a non-zero exit, keeps what is done whole, and goes on from there", async () => {
    const out = join(folder, "interrupted");
    mkdirSync(out);
    const env = { ...environment, FRAGLAB_CACHE: join(folder, "interrupted-cache") };
    const args = [program, "run", "fragmentation-over-time", "--out", out];
    const { code, stderr } = await interrupt(spawn(process.execPath, args, { env }), env.FRAGLAB_CACHE);
    expect(code).toBe(130);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/interrupted: .*goes on from there/);
    for (const name of [...filesIn(out), ...filesIn(env.FRAGLAB_CACHE)]) expect(name).not.toMatch(/\.tmp$/);
    for (const name of filesIn(env.FRAGLAB_CACHE).filter((each) => each.endsWith(".json"))) {
      expect(() => JSON.parse(readFileSync(join(env.FRAGLAB_CACHE, name), "utf8")) as unknown).not.toThrow();
    }
    expect(filesIn(out)).toEqual([]);
  });

  /** Starts a command that writes `out` by way of a draft, and sends SIGINT as soon as the draft is there. */
  async function interruptDraft(
    args: readonly string[],
    out: string,
  ): Promise<{ code: number | null; stderr: string }> {
    const child = spawn(process.execPath, [program, ...args, out], { env: environment });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const timer = setInterval(() => {
      if (!filesIn(dirname(out)).some((name) => name.endsWith(".tmp"))) return;
      clearInterval(timer);
      child.kill("SIGINT");
    }, 2);
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    clearInterval(timer);
    return { code, stderr };
  }

  it("of place or trace convert leaves no draft, and says that nothing was written", async () => {
    const drafts = join(folder, "drafts");
    mkdirSync(drafts);
    for (const [args, name] of [
      [["place", "--allocator", "first-fit", "--trace", recorded, "--out"], "placed.tsv"],
      [["trace", "convert", recorded], "converted.trace.gz"],
    ] as const) {
      // On a busy machine the signal may come when all is written: then the file is whole, and we try again.
      let run = await interruptDraft(args, join(drafts, name));
      for (let attempt = 0; run.code === 0 && attempt < 5; attempt++) {
        rmSync(join(drafts, name));
        run = await interruptDraft(args, join(drafts, name));
      }
      expect([run.code, filesIn(drafts)]).toEqual([130, []]);
      expect(run.stderr).toMatch(/^fraglab: interrupted: .* was not written\n$/);
    }
  });
});
