import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveOptions } from "../memory/options.js";
import { goldenCases, syntheticWorkloads, traceOf } from "./golden-digests.js";
import { workloads } from "./registry.js";
import { summarise } from "./trace-summary.js";

/** Digests at seed 1. A change means that every result changes. */
const golden = JSON.parse(readFileSync(join(import.meta.dirname, "digests.json"), "utf8")) as Record<string, string>;

describe("every workload", () => {
  it("has its digests written down (else: npm run digests), and no other has", () => {
    expect(Object.keys(golden)).toEqual(goldenCases.map(({ label }) => label));
  });

  it.each(Object.entries(workloads))("%s is named as in the registry, with defaults from its options", (name, spec) => {
    expect(spec.name).toBe(name);
    expect(spec.defaults).toEqual(resolveOptions(name, spec.options));
    for (const text of [spec.title, spec.source]) expect(text).toMatch(/\S/);
  });

  it.each(syntheticWorkloads)("$name is a function of its seed", async (spec) => {
    const traces = [1, 1, 2, Number.MAX_SAFE_INTEGER].map((seed) => traceOf(spec, { events: 60_000 }, seed));
    const digests = (await Promise.all(traces)).map((trace) => trace.digest);
    expect(digests[0]).toBe(digests[1]);
    expect(new Set(digests).size).toBe(3);
  });

  it.each(Object.values(workloads))("$name says whether its seed matters", async (spec) => {
    const given = "events" in spec.options ? { events: 60_000 } : {};
    const [one, two] = await Promise.all([traceOf(spec, given, 1), traceOf(spec, given, 2)]);
    expect(one.digest !== two.digest).toBe(spec.seeded);
  });

  it.each(syntheticWorkloads)("$name may end at any event", async (spec) => {
    for (const events of [25_000, 25_001, 39_999, 40_000, 41_234]) {
      expect((await traceOf(spec, { events })).length).toBe(events);
    }
  });

  it.each(goldenCases)(
    "$label gives the events asked for, the same for ever (where a change is meant: npm run digests -- NAME)",
    async ({ spec, given, label }) => {
      const trace = await traceOf(spec, given);
      expect(trace.length).toBe(given["events"] ?? spec.defaults.events);
      expect(trace.digest).toBe(golden[label]);
      const summary = summarise(trace);
      expect(summary.peakLiveBlocks).toBe(trace.slots);
      expect(summary.phases).toBeGreaterThan(1);
    },
  );
});
