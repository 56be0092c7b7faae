import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { pymallocTarget, verifyPymalloc } from "./verify-pymalloc.js";

const folder = mkdtempSync(join(tmpdir(), "fraglab-"));
afterAll(() => rmSync(folder, { recursive: true }));

const sample = readFileSync(new URL("../allocators/pymalloc/samples/cpython-3.11.7.txt", import.meta.url), "utf8");

/** A command that says it is a Python of that version and answers every list of requests with `answer`. */
function pretender(version: string, answer: object): string {
  const path = join(folder, `python-${version}`);
  const lines = [
    `#!${process.execPath}`,
    `if (process.argv[2] === "-c") console.log(${JSON.stringify(version)});`,
    `else { process.stdin.resume(); process.stdin.on("end", () => console.log(${JSON.stringify(JSON.stringify(answer))})); }`,
  ];
  writeFileSync(path, lines.join("\n"));
  chmodSync(path, 0o755);
  return path;
}

const answer = {
  version: [3, 11, 7],
  alignment: 16,
  before: sample,
  places: [0, 48],
  events: [[0, "A", 0]],
  texts: [],
};

describe("verify pymalloc", () => {
  it("fails what another allocator answers, and says where it differs first", () => {
    const { rows, skipped } = verifyPymalloc(pretender("3.11", answer));
    expect(skipped).toBeUndefined();
    expect(rows).toHaveLength(36);
    // One arena is made for the first request of each list, and no more for those of one of them.
    const arenas = rows.filter((row) => row.target.endsWith("made and returned"));
    expect(rows.filter((row) => row.pass && !arenas.includes(row))).toEqual([]);
    const placements = rows.filter((row) => row.target.endsWith(": placements"));
    for (const row of placements) expect(row.difference).toMatch(/^number \d+: /);
    expect(placements[0].source).toBe("CPython 3.11.7, blocks at multiples of 16: cpython-3.11");
  });

  it("skips what it has no model of, with the reason", () => {
    expect(verifyPymalloc(pretender("2.7", answer)).skipped).toMatch(/^Python 2\.7 has no hooks/);
    expect(verifyPymalloc(pretender("3.12", { ...answer, alignment: 8 })).skipped).toMatch(
      /at multiples of 8 has no model/,
    );
    expect(verifyPymalloc(pretender("3.15", answer)).skipped).toMatch(/has no model/);
    expect(verifyPymalloc(pretender("3.14", { skip: "a free-threaded build" })).skipped).toBe("a free-threaded build");
  });

  it("refuses a Python that does not start, in one line", () => {
    const mend = "name an installed CPython";
    expect(() => verifyPymalloc(join(folder, "none"))).toThrow(`does not start (ENOENT): ${mend}`);
    expect(() => verifyPymalloc(process.execPath)).toThrow(
      /^--python [^\n]*: does not start[^\n]*: name an installed CPython$/,
    );
  });

  // The machine decides which half of the promise can be seen: 36 checks, or a reason.
  it("finds no difference to the Python that is installed, or says why it cannot look", async () => {
    const hasPython = spawnSync("python3", ["--version"]).status === 0;
    const outcome = await pymallocTarget.run();
    if ("skipped" in outcome) {
      expect(outcome.skipped).toMatch(hasPython ? /CPython|Python/ : /^no python3 here; name one with --python$/);
      return;
    }
    expect(hasPython).toBe(true);
    expect(outcome.filter((row) => !row.pass)).toEqual([]);
    expect(outcome).toHaveLength(36);
  });
});
