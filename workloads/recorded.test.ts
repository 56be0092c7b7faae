import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { recorded } from "./recorded.js";
import { type RecordedFacts, recordedPath, recordedTraces, repetitions } from "./recorded-library.js";
import type { Trace } from "./trace.js";
import { summarise } from "./trace-summary.js";

const packageRoot = join(recordedPath, "..", "..");

describe("the recorded traces", () => {
  it("are thirteen, in a few megabytes", () => {
    expect(recordedTraces.map(({ name }) => name)).toEqual([
      "py-json",
      "py-web",
      "py-delta",
      "py-pidigits",
      "redis-mesh",
      "lua-mix",
      "xmllint-xpath",
      "sqlite-shell",
      "git-repack-mt",
      "py-threads",
      "cc1plus-templates",
      "perl-words",
      "jq-groups",
    ]);
    const bytes = recordedTraces.map(({ name }) => statSync(join(recordedPath, `${name}.fgt`)).size);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2.5e6);
  });

  it.each(recordedTraces)(
    "$name holds what the manifest says",
    async ({ name, program, command, description, licence, recordedBy: _, ...facts }) => {
      const trace = await recorded.generate(1, { trace: name, scale: 1 });
      expect(trace.name).toBe(name);
      expect(summarise(trace)).toMatchObject(facts satisfies RecordedFacts);
      for (const text of [program, command, description, licence]) expect(text).toMatch(/\S/);
    },
  );

  it.each(recordedTraces)("$name says how it is recorded again, by files that are there", ({ name, recordedBy }) => {
    const { script, command, repeats } = recordedBy;
    expect(existsSync(join(packageRoot, script))).toBe(true);
    expect(script).toMatch(/^workloads\/recorded\/programs\//);
    const form =
      /^fraglab record (?:--threads |--python |--program [\w.-]+ )*--out (\S+)\.fgt -- sh workloads\/recorded\/programs\/run\.sh (\S+)$/;
    expect(form.exec(command)?.slice(1)).toEqual([name, name]);
    // A case of run.sh, which names the script or is it.
    const runner = readFileSync(join(recordedPath, "programs", "run.sh"), "utf8");
    const cases = [...runner.matchAll(/^ {2}(\w[\w |-]*)\)\n([^;]*(?:;[^;]+)*?);;/gm)];
    const own = cases.find(([, names = ""]) => names.split(" | ").includes(name));
    expect(own?.[2]).toBeDefined();
    const file = script.split("/").at(-1) ?? "";
    expect(file === "run.sh" || own?.[2]?.includes(file) || own?.[2]?.includes("$here/$1.py")).toBe(true);
    expect(Object.keys(repetitions)).toContain(repeats);
  });

  it("are all recorded again by a file of the folder, and each file is used", () => {
    const used = new Set(recordedTraces.map(({ recordedBy }) => recordedBy.script.split("/").at(-1)));
    expect([...used, "run.sh"].sort()).toEqual(
      expect.arrayContaining(readdirSync(join(recordedPath, "programs")).sort()),
    );
  });

  it("do not depend on the seed", async () => {
    const digests = [1, 2].map(
      async (seed) => ((await recorded.generate(seed, { trace: "lua-mix", scale: 1 })) as Trace).digest,
    );
    expect(await digests[0]).toBe(await digests[1]);
  });

  it("ask for every size a number of times as large, and for the rest as they did", async () => {
    const [plain, wide] = (await Promise.all(
      [1, 16].map((scale) => recorded.generate(1, { trace: "lua-mix", scale })),
    )) as Trace[];
    expect(wide.op).toEqual(plain.op);
    expect(wide.slot).toEqual(plain.slot);
    expect(Array.from(wide.size)).toEqual(Array.from(plain.size, (size) => 16 * size));
    expect(wide.digest).not.toBe(plain.digest);
  });

  it("take at most 0.4 bytes for each event of a web service in CPython", () => {
    const web = recordedTraces.find(({ name }) => name === "py-web");
    expect(statSync(join(recordedPath, "py-web.fgt")).size / (web?.events ?? 0)).toBeLessThan(0.4);
  });
});
