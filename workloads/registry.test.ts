import { describe, expect, it } from "vitest";
import { resolveOptions } from "../memory/options.js";
import { type AnyWorkloadSpec, workloads } from "./registry.js";
import type { Trace } from "./trace.js";
import { summarise } from "./trace-summary.js";

type Given = Readonly<Record<string, unknown>>;

async function traceOf(spec: AnyWorkloadSpec, given: Given, seed = 1): Promise<Trace> {
  return spec.generate(seed, resolveOptions<Given>(spec.name, spec.options, given));
}

/** Digests at seed 1: of the defaults, and of each variant at 100 000 events. A change means that every result changes. */
const golden: Record<string, string> = {
  "churn {}": "30ec03f1bc6b3c94",
  'churn {"victims":"exponential","events":100000}': "7b5975b1d658e150",
  'churn {"victims":"fixed","sizes":"uniform","events":100000}': "8f922ffe3ca59ad4",
  'churn {"victims":"generations","sizes":"few","events":100000}': "6e3eb54477e498c2",
  'churn {"victims":"heavy-tail","sizes":"mixed","events":100000}': "759dc40f3e136111",
  "ramp {}": "cc527150e114e796",
  'ramp {"freed":0.5,"events":100000}': "28e419b92e05dd8a",
  'ramp {"live":5000,"bands":2,"band":16,"events":100000}': "a3289be5d38fd8b5",
  "sawtooth {}": "0763e9b3336ffbc4",
  'sawtooth {"order":"backward","events":100000}': "b6ab3345f7abccdc",
  'sawtooth {"order":"random","survivors":0.2,"events":100000}': "9c6bac23a11f9501",
  'sawtooth {"survivors":0,"sizes":"mixed","live":2000,"events":100000}': "056db99ce8593a25",
  "phases {}": "e51df11ca68bce44",
  'phases {"growth":1,"events":100000}': "2b22dab8cb229979",
  'phases {"survivors":0.3,"age":1,"events":100000}': "04ba9c6740722686",
  'phases {"phases":12,"cycle":2,"live":1048576,"events":100000}': "1347e943c4dcc06a",
  "synthetic {}": "eb8b50ea257d3fc8",
  'synthetic {"sizes":"point","lifetimes":"lifo","events":100000}': "705502c948f64491",
  'synthetic {"sizes":"uniform","lifetimes":"fifo","drain":0.3,"events":100000}': "27bdea45f9052751",
  'synthetic {"sizes":"bimodal","lifetimes":"generational","shifts":3,"events":100000}': "868850a7381be93e",
  'synthetic {"sizes":"observed","lifetimes":"heavy-tail","live":5000,"events":100000}': "5fa9316f66bb6a71",
  'synthetic {"sizes":"zipf","lifetimes":"random","observed":"sigma","events":100000}': "2b3d7161c7f44248",
  'synthetic {"bySize":-1,"live":5000,"events":100000}': "8c2fe260660bd1c1",
  "larson {}": "c88d739ceaed2c06",
  'larson {"threads":1,"blocks":1000,"events":100000}': "8fcc4d0f892723ea",
  'larson {"threads":8,"blocks":500,"rounds":10,"largest":500,"turn":1,"events":100000}': "eba251729edbdbe8",
  "cache {}": "7c95f5e78e964c94",
  'cache {"eviction":"random","entries":2000,"keys":20000,"events":100000}': "f070dda1a9c797af",
  'cache {"eviction":"fifo","entries":2000,"keys":20000,"values":"bimodal","writes":0,"events":100000}':
    "cb98d8243a4509d6",
  'cache {"entries":500,"keys":5000,"popularity":0.5,"events":100000}': "bc490210a33eb82b",
  "message-queue {}": "a7d9302437da6364",
  'message-queue {"load":0.8,"batch":1,"events":100000}': "8c6360bd76054f3a",
  'message-queue {"load":0.5,"batch":1000,"messages":"bimodal","events":100000}': "094b3d77203f5278",
  "ast-builder {}": "4e73d95e07a305cb",
  'ast-builder {"functions":5,"nodes":400,"keep":0,"events":100000}': "897364a935e1d572",
  'ast-builder {"functions":200,"nodes":10,"names":1000,"events":100000}': "c9fcf11136e7e99c",
  "gc-survivors {}": "9cf0f1f227e33f02",
  'gc-survivors {"major":1,"events":100000}': "cd9642895177559e",
  'gc-survivors {"lifetime":500,"nursery":5000,"sizes":"few","events":100000}': "92d6b0390288cf85",
  'gc-survivors {"lifetime":30000,"nursery":10000,"major":8,"events":100000}': "675c62e70ec2e5b0",
  "tcmalloc {}": "60e5e81f69eef77a",
  'tcmalloc {"profile":"sigma","heap":4194304,"events":100000}': "bd44ee2527ca9d76",
  'tcmalloc {"profile":"uniform","largest":512,"heap":1048576,"events":100000}': "a63e24d3763448de",
  "fleetbench {}": "2d45cc4218ddcd01",
  'fleetbench {"profile":"3","heap":4194304,"events":100000}': "9e8cf4529756aaa4",
};

const synthetic = Object.values(workloads).filter((spec) => "events" in spec.options);
const cases = synthetic.flatMap((spec) => {
  const variants = spec.variants.map((variant: Given) => ({ ...variant, events: 100_000 }));
  return [{}, ...variants].map((given: Given) => ({ spec, given, label: `${spec.name} ${JSON.stringify(given)}` }));
});

describe("every workload", () => {
  it.each(Object.entries(workloads))("%s is named as in the registry, with defaults from its options", (name, spec) => {
    expect(spec.name).toBe(name);
    expect(spec.defaults).toEqual(resolveOptions(name, spec.options));
    for (const text of [spec.title, spec.source]) expect(text).toMatch(/\S/);
  });

  it.each(synthetic)("$name is a function of its seed", async (spec) => {
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

  it.each(synthetic)("$name may end at any event", async (spec) => {
    for (const events of [25_000, 25_001, 39_999, 40_000, 41_234]) {
      expect((await traceOf(spec, { events })).length).toBe(events);
    }
  });

  it.each(cases)("$label gives the events asked for, the same for ever", async ({ spec, given, label }) => {
    const trace = await traceOf(spec, given);
    expect(trace.length).toBe(given["events"] ?? spec.defaults.events);
    expect(trace.digest).toBe(golden[label]);
    const summary = summarise(trace);
    expect(summary.peakLiveBlocks).toBe(trace.slots);
    expect(summary.phases).toBeGreaterThan(1);
  });
});
