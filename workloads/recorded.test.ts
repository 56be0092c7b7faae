import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type RecordedFacts, recorded, recordedPath, recordedTraces } from "./recorded.js";
import type { Trace } from "./trace.js";
import { summarise } from "./trace-summary.js";

describe("the recorded traces", () => {
  it("are nine, in a few megabytes", () => {
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
    ]);
    const bytes = recordedTraces.map(({ name }) => statSync(join(recordedPath, `${name}.fgt`)).size);
    expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(2e6);
  });

  it.each(recordedTraces)(
    "$name holds what the manifest says",
    async ({ name, program, command, description, licence, ...facts }) => {
      const trace = await recorded.generate(1, { trace: name, scale: 1 });
      expect(trace.name).toBe(name);
      expect(summarise(trace)).toMatchObject(facts satisfies RecordedFacts);
      for (const text of [program, command, description, licence]) expect(text).toMatch(/\S/);
    },
  );

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
