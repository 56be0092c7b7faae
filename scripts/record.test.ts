/** `fraglab record` and `fraglab trace lint` as people use them. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { recordedTraces } from "../workloads/recorded-library.js";
import { Sandbox } from "./sandbox.properties.js";

const sandbox = new Sandbox("record");
const { folder } = sandbox;
const fraglab = (args: readonly string[], more?: NodeJS.ProcessEnv) => sandbox.fraglab(args, more);

function build(name: string, source: string): string {
  const path = join(folder, name);
  writeFileSync(`${path}.c`, source);
  expect(spawnSync("cc", ["-O0", "-fno-builtin", "-o", path, `${path}.c`], { encoding: "utf8" }).stderr).toBe("");
  return path;
}

const program = build(
  "asks",
  `#include <stdio.h>
  #include <stdlib.h>
  #include <unistd.h>
  int main(int argc, char **argv) {
    void *a = malloc(24);
    a = realloc(a, 100 * argc);
    free(malloc(7));
    write(1, "hello\\n", 6);
    if (argc > 2) abort();
    return argc - 1;
  }`,
);

describe("fraglab record", () => {
  it("writes the requests of a program in the form that the name asks for", () => {
    const run = fraglab(["record", "--out", "asks.trace", "--", program]);
    expect([run.status, run.stdout]).toEqual([0, "hello\n"]);
    expect(run.stderr).toMatch(
      /^asks\.trace: 4 events, digest [0-9a-f]{16}\nfraglab: asks \(process \d+\): 2 allocations, 1 reallocations, 1 frees, peak 107 B live\n$/,
    );
    expect(readFileSync(join(folder, "asks.trace"), "utf8")).toBe("a 0 24\nr 0 100\na 1 7\nf 1\n");
    expect(fraglab(["record", "--", program]).status).toBe(0);
    const info = JSON.parse(fraglab(["trace", "info", "asks.fgt", "--json"]).stdout);
    expect(info).toMatchObject({ name: "asks", events: 4, endLiveBytes: 100, report: { format: "fgt" } });
    expect(readdirSync(folder).filter((file) => file.startsWith(".fraglab"))).toEqual([]);
  });

  it("passes the program's options on, and says how it ended", () => {
    const failed = fraglab(["record", "--out", "failed.trace", program, "--json"]);
    expect([failed.status, failed.stdout]).toEqual([0, "hello\n"]);
    expect(failed.stderr).toContain(`${program} ended with status 1`);
    const crashed = fraglab(["record", "--json", "--out", "crashed.trace", "--", program, "x", "y"]);
    expect(crashed.stderr).toContain("hello\n");
    expect(crashed.stderr).toContain("was ended by SIGABRT; what it asked up to there is recorded");
    expect(JSON.parse(crashed.stdout)).toMatchObject({
      status: null,
      signal: "SIGABRT",
      traces: [{ file: "crashed.trace", events: 4 }],
    });
  });

  it("takes what the command became, whatever its launcher and others asked", () => {
    const launcher = ["sh", "-c", `for i in 1 2 3; do sh -c :; done; exec ${program}`];
    const run = fraglab(["record", "--out", "became.trace", "--", ...launcher]);
    expect(run.stderr).toMatch(/\nfraglab: asks \(process \d+\): 2 allocations/);
    expect(readFileSync(join(folder, "became.trace"), "utf8")).toBe("a 0 24\nr 0 100\na 1 7\nf 1\n");
  });

  it("takes one of several programs, or all", () => {
    const script = ["sh", "-c", `${program}; ${program} --more`];
    const one = fraglab(["record", "--program", "asks", "--out", "one.trace", "--", ...script]);
    expect(one.stderr).toMatch(
      /other programs of the run made requests too: .*; choose one with --program, or all with --children/,
    );
    expect(readFileSync(join(folder, "one.trace"), "utf8")).toMatch(/^a 0 24\nr 0 [12]00\na 1 7\nf 1\n$/);
    expect(fraglab(["record", "--program", "ask", "--out", "one.trace", "--", ...script]).stderr).toMatch(
      /unknown program of the run "ask": did you mean "asks"\?/,
    );
    expect(fraglab(["record", "--children", "--out", "all.trace", "--", ...script]).status).toBe(0);
    expect(readdirSync(folder).filter((file) => /^all-asks-\d+-\d\.trace$/.test(file))).toHaveLength(2);
  });

  it("refuses in one line, before anything runs", () => {
    for (const [args, message] of [
      [["record"], /missing required argument 'command'/],
      [["record", "--", join(folder, "nothing")], /nothing: no such program: check its name, or give its path/],
      [["record", "--", `${program}.c`], /may not be executed: chmod \+x it first/],
      [["record", "--out", "x.rep", "--", program], /expected a name that ends in \.fgt/],
      [["record", "--out", "no/folder/x.fgt", "--", program], /no folder/],
      [["record", "--python=pymalloc", "--", program], /Allowed choices are malloc, objects/],
    ] as const) {
      const run = fraglab(args);
      expect([run.status, run.stdout]).toEqual([2, ""]);
      expect(run.stderr).toMatch(message);
      expect(run.stderr.trimEnd()).not.toContain("\n");
    }
  });

  it("is timed without allocators, and beside no other bench", () => {
    const named = fraglab(["bench", "first-fit", "--recorder"]);
    expect([named.status, named.stdout]).toEqual([2, ""]);
    expect(named.stderr).toMatch(/--recorder times no allocator: leave out first-fit\n$/);
    expect(fraglab(["bench", "--recorder", "--textbook"]).status).toBe(2);
    expect(fraglab(["bench", "--recorder"], { CC: "no-such-cc", FRAGLAB_CACHE: join(folder, "other") }).stderr).toMatch(
      /recording needs a C compiler/,
    );
  });

  it("says what it needs where it cannot record", () => {
    const compiler = fraglab(["record", "--out", "x.fgt", "--", program], {
      CC: "no-such-cc",
      FRAGLAB_CACHE: join(folder, "other"),
    });
    expect(compiler.status).toBe(2);
    expect(compiler.stderr).toMatch(/recording needs a C compiler, and none of no-such-cc runs: install gcc or clang/);
    const python = fraglab(["record", "--python=objects", "--out", "x.fgt", "--", program]);
    expect(python.status).toBe(2);
    expect(python.stderr).toMatch(/nothing was recorded: expected a CPython/);
    expect(existsSync(join(folder, "x.fgt"))).toBe(false);
  });
});

describe("a recipe of the library", () => {
  it("records the same sort of trace again, and the same one the next time", () => {
    const known = recordedTraces.find(({ name }) => name === "perl-words");
    if (known === undefined) throw new Error("no perl-words");
    const [, ...args] = known.recordedBy.command.split(" ");
    const root = fileURLToPath(new URL("..", import.meta.url));
    const traces = ["one", "two"].map((name) => {
      const out = join(folder, `${name}.fgt`);
      const command = args.map((word) =>
        word === "perl-words.fgt" ? out : word.replace(/^workloads/, `${root}workloads`),
      );
      const run = fraglab(command);
      expect([run.status, run.stdout]).toEqual([0, "216146\n"]);
      return JSON.parse(fraglab(["trace", "info", out, "--json"]).stdout);
    });
    const [one, two] = traces;
    // Another version of Perl asks for other blocks, but for the same work.
    for (const fact of [
      "events",
      "allocations",
      "reallocations",
      "totalBytes",
      "peakLiveBytes",
      "peakLiveBlocks",
    ] as const) {
      expect(one[fact] / known[fact]).toBeGreaterThan(0.7);
      expect(one[fact] / known[fact]).toBeLessThan(1.4);
    }
    expect(one).toMatchObject({ threads: 1, sizeQuantiles: { p50: 10 } });
    expect(Math.abs(two.events - one.events) / one.events).toBeLessThan(0.001);
    expect(one.library).toBeUndefined();
  });

  it("stands in the description of a trace of the library, and in the list", () => {
    const file = fileURLToPath(new URL("../workloads/recorded/py-web.fgt", import.meta.url));
    const info = fraglab(["trace", "info", file]);
    expect(info.stdout).toMatch(/^ {2}of the library +py-web: CPython 3\.11\.2/m);
    expect(info.stdout).toContain(
      "work of the same kind is recorded by: fraglab record --python --out py-web.fgt -- sh",
    );
    expect(JSON.parse(fraglab(["trace", "info", file, "--json"]).stdout).library).toMatchObject({
      name: "py-web",
      recordedBy: { script: "workloads/recorded/programs/py-web.py", repeats: "kind" },
    });
    const list = JSON.parse(fraglab(["list", "recorded", "--json"]).stdout);
    expect(list).toHaveLength(recordedTraces.length);
    expect(fraglab(["list", "recorded"]).stdout).toContain("recorded by: fraglab record --program cc1plus");
  });
});

describe("fraglab trace lint", () => {
  it("finds a good trace in order", () => {
    writeFileSync(join(folder, "good.rep"), "1\n1\n2\n8\na 0 8\nf 0\n");
    const run = fraglab(["trace", "lint", "good.rep"]);
    expect([run.status, run.stdout]).toEqual([
      0,
      "good.rep: 2 events, text; in order; 0 blocks of 0 B live at the end\n",
    ]);
  });

  it("lists what is wrong with its lines, and ends with status 1", () => {
    writeFileSync(join(folder, "bad.rep"), "1\n1\n9\n8\na 0 8\nf 7\nf 0\nf 0\nwhat\na 1 8\na 1 9\n");
    const run = fraglab(["trace", "lint", "bad.rep"]);
    expect(run.status).toBe(1);
    expect(run.stdout.split("\n")).toEqual([
      "bad.rep:6: error: unknownFree: a free of a block that was never allocated, or was freed before; 2 times, also at 8",
      "bad.rep:9: error: malformed: a request that cannot be read",
      "bad.rep:11: warning: allocateOfLive: an id is allocated while it is live: the old block is never freed",
      expect.stringMatching(/^bad\.rep: warning: the header announces 9 operations, the file has \d/),
      "bad.rep: 4 events, text; 4 kinds of problems; 2 blocks of 17 B live at the end",
      "",
    ]);
    const answer = JSON.parse(fraglab(["trace", "lint", "bad.rep", "--json"]).stdout);
    expect(answer).toMatchObject({
      clean: false,
      unit: "line",
      problems: [{ kind: "unknownFree", count: 2, places: [6, 8] }, {}, {}],
    });
  });
});
