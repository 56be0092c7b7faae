/** For tests of the command line as people use it: the compiled program in a process of its own (`npm test` builds first). */
import { type ChildProcessWithoutNullStreams, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect } from "vitest";

const program = fileURLToPath(new URL("../dist/scripts/fraglab.js", import.meta.url));

/** A folder of its own, in which the program runs with a cache of its own; it is gone after the tests of the file. */
export class Sandbox {
  readonly folder: string;
  private readonly environment: NodeJS.ProcessEnv;

  constructor(name: string) {
    this.folder = mkdtempSync(join(tmpdir(), `fraglab-${name}-`));
    this.environment = { ...process.env, FRAGLAB_CACHE: join(this.folder, "cache") };
    afterAll(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** Writes a file into the folder; returns its path. */
  file(name: string, contents: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, contents);
    return path;
  }

  /** Runs `fraglab` to its end, with more variables in its environment. */
  fraglab(args: readonly string[], more: NodeJS.ProcessEnv = {}): SpawnSyncReturns<string> {
    const env = { ...this.environment, ...more };
    return spawnSync(process.execPath, [program, ...args], {
      encoding: "utf8",
      env,
      cwd: this.folder,
      maxBuffer: 1e8,
    });
  }

  /** Starts `fraglab`, and leaves it running. */
  start(args: readonly string[], more: NodeJS.ProcessEnv = {}): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [program, ...args], { env: { ...this.environment, ...more }, cwd: this.folder });
  }
}

/** Refused for a user's mistake: exit 2, nothing on stdout, one line on stderr that says all of `words`. */
export function expectRefusal(run: SpawnSyncReturns<string>, ...words: (string | RegExp)[]): void {
  expect(run.stdout).toBe("");
  for (const word of words) expect(run.stderr).toMatch(word);
  expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(run.status).toBe(2);
}
