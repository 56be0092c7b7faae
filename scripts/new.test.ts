/** `fraglab new` in a copy of the source tree: what it writes works without a further touch. */
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { packageRoot } from "../harness/version.js";
import { InputError } from "../memory/errors.js";
import { begin } from "./new.js";

const tree = mkdtempSync(join(tmpdir(), "fraglab-new-"));
afterAll(() => rmSync(tree, { recursive: true, force: true }));

/** What is not copied: other people's packages, what is compiled, results but those that the documentation quotes, history. */
const left = /^(?:node_modules|dist|\.git|\.cache|coverage|results-[^/]*|results\/(?!fragmentation-over-time))(?:\/|$)/;

beforeAll(() => {
  cpSync(packageRoot, tree, { recursive: true, filter: (from) => !left.test(relative(packageRoot, from)) });
  // One by one, so that what the copy's test runner keeps between runs is its own.
  mkdirSync(join(tree, "node_modules"));
  for (const name of readdirSync(join(packageRoot, "node_modules")).filter((name) => !name.startsWith(".vite")))
    symlinkSync(join(packageRoot, "node_modules", name), join(tree, "node_modules", name));
});

/** Runs a tool of the copy to its end, which must be a good one. */
function succeed(...args: readonly string[]): string {
  const options = { cwd: tree, encoding: "utf8", maxBuffer: 1e8 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, args, options);
  expect(status, `${args.join(" ")}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

const textOf = (file: string): string => readFileSync(join(tree, file), "utf8");

/** What `begin` printed. */
function printed(kind: string, name: string): string {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    begin(kind, name, tree);
    return write.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    write.mockRestore();
  }
}

/** Every source file of the copy with its text. */
function sources(): Map<string, string> {
  const files = ["allocators", "workloads", "harness", "experiments"].flatMap((folder) =>
    readdirSync(join(tree, folder), { recursive: true, encoding: "utf8" }).map((file) => `${folder}/${file}`),
  );
  return new Map(files.filter((file) => /\.(?:ts|json|ops)$/.test(file)).map((file) => [file, textOf(file)]));
}

/** `begin` refuses in one line, and writes nothing. */
function expectRefused(args: readonly [kind: string, name: string], reason: RegExp): void {
  const before = sources();
  expect(() => begin(...args, tree)).toThrow(InputError);
  expect(() => begin(...args, tree)).toThrow(reason);
  expect(() => begin(...args, tree)).toThrow(/^.*$/);
  expect(sources()).toEqual(before);
}

/** Of each kind one; short names and the longest make lines that are wrapped otherwise. */
const begun = {
  allocator: "two-sizes",
  workload: "workload-of-the-longest-name-1",
  reader: "log7",
  metric: "holes-per-block",
  experiment: "qa",
} as const;

/** Tests that look at all of a registry, a folder or the documentation. */
const suites = [
  "allocators/registry.test.ts",
  "workloads/registry.test.ts",
  `workloads/${begun.workload}.test.ts`,
  "workloads/readers/samples.test.ts",
  "workloads/readers/damaged.test.ts",
  `harness/metrics/${begun.metric}.test.ts`,
  "harness/session.test.ts",
  "scripts/layers.test.ts",
  "scripts/generated-docs.test.ts",
];
/** What the names of those say that are run, besides the ones that name a new thing. */
const about = [
  "holesPerBlock",
  "written down",
  "are the files",
  "show every",
  "has cases for",
  "in README",
  "downwards",
];

describe("fraglab new", () => {
  it.each([
    [["alocator", "mine"], /unknown kind "alocator": did you mean "allocator"\?/],
    [["allocator", "MyPool"], /"MyPool": expected a name of small letters.*did you mean "my-pool"\?/],
    [["allocator", "../pool"], /"\.\.\/pool": expected a name of small letters/],
    [["allocator", "x".repeat(31)], /at most 30 letters/],
    [["allocator", "first-fit"], /"first-fit": the name is taken/],
    [["workload", "robson"], /"robson": the name is taken/],
    [["reader", "valgrind"], /"valgrind": the name is taken/],
    [["metric", "peak-live"], /"peakLive": the name is taken/],
    [["metric", "outcome"], /"outcome": the name is taken/],
    [["experiment", "wilderness"], /"wilderness": the name is taken/],
    [["allocator", "audit"], /allocators\/audit\.ts is there already/],
    [["allocator", "heap-map"], /would be HeapMap in the code/],
    [["metric", "share"], /would be share in the code/],
    [["workload", "new"], /would be new in the code/],
  ] as const)("%j is refused in one line, and nothing is written", (args, reason) => {
    expectRefused(args, reason);
  });

  it("writes nothing where a folder is missing, a registry is not as expected, or there are no sources", () => {
    const [folder, registry, away] = ["experiments", "harness/metrics/registry.ts", "away"].map((at) => join(tree, at));
    renameSync(folder, away);
    expect(() => begin("experiment", "mine", tree)).toThrow(
      /^cannot write experiments\/mine\.ts: its folder is not there/,
    );
    renameSync(away, folder);
    renameSync(registry, away);
    expect(() => begin("metric", "mine", tree)).toThrow(/registry\.ts is missing: bring it back/);
    cpSync(join(tree, "harness/metrics/metric.ts"), registry);
    expectRefused(["metric", "mine"], /registry\.ts: expected a list that begins with "export const metrics"/);
    renameSync(away, registry);
    expect(() => begin("allocator", "mine", join(tree, "docs"))).toThrow(
      /new writes source files, and .*docs has none/,
    );
  });

  it("begins one of each kind, and all of them compile, are formatted, documented and pass the suites at once", () => {
    const touched: string[] = [];
    for (const [kind, name] of Object.entries(begun)) {
      const text = printed(kind, name);
      const files = [...text.matchAll(/^ {2}(\S+\.\w+)(?: \(added to\))?$/gm)].map(([, file]) => file);
      expect(files.length).toBeGreaterThan(0);
      touched.push(...files);
      for (const file of files)
        expect(textOf(file), file).not.toMatch(/my[- ]?(?:allocator|workload|format|metric|exp)/i);
      expect(existsSync(join(tree, /^More: (.*)$/m.exec(text)?.[1] ?? "nothing"))).toBe(true);
      expectRefused([kind, name], /is there already|the name is taken/);
    }
    // Tests are compiled with the rest, in one go; packages that are elsewhere cannot be named in declarations.
    const emit = ["--noEmit", "false", "--declaration", "false"];
    succeed("node_modules/typescript/bin/tsc", "-p", "tsconfig.test.json", ...emit);
    expect(succeed("dist/scripts/update-digests.js", begun.workload).trim().split("\n")).toHaveLength(3);
    succeed("dist/scripts/update-docs.js");
    succeed("node_modules/@biomejs/biome/bin/biome", "check", ...touched, "workloads/digests.json");
    const filter = ["-t", [...Object.values(begun), ...about].join("|"), "--isolate=false"];
    const out = succeed("node_modules/vitest/vitest.mjs", "run", ...suites, ...filter);
    expect(out).toMatch(new RegExp(`Test Files .*${suites.length} passed`));
  });

  it("begins an experiment that runs, and the new allocator on the new workload has the new metric", () => {
    succeed("dist/scripts/fraglab.js", "run", begun.experiment, "--out", "mine", "--no-cache");
    expect(readdirSync(join(tree, "mine", begun.experiment))).toContain("timeline.svg");
    const asked = ["--allocator", `${begun.allocator}:pages=4`, "--workload", begun.workload, "--json"];
    const answer = JSON.parse(succeed("dist/scripts/fraglab.js", "replay", ...asked));
    expect(answer).toMatchObject({ outcome: "completed", options: { pages: 4 } });
    expect(answer.metrics.holesPerBlock).toBeGreaterThan(0);
    // Sizes that 32 bits do not hold.
    writeFileSync(join(tree, "huge.trace"), "a 0 68719476752\n");
    const trace = ["--allocator", begun.allocator, "--trace", "huge.trace", "--json"];
    const huge = JSON.parse(succeed("dist/scripts/fraglab.js", "replay", ...trace));
    expect(huge).toMatchObject({ outcome: "exhausted", events: 0 });
    const typed = succeed("dist/scripts/fraglab.js", "new", "experiment", "typed");
    expect(typed).toMatch(/^Wrote:\n {2}experiments\/typed\.ts\n/);
  });
});
