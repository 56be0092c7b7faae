/** Which traces must never change by chance: the cases whose digests are written down in `digests.json`. */
import { resolveOptions } from "../memory/options.js";
import { type AnyWorkloadSpec, workloads } from "./registry.js";
import type { Trace } from "./trace.js";

type Given = Readonly<Record<string, unknown>>;

/** A trace of seed 1. */
export interface GoldenCase {
  readonly spec: AnyWorkloadSpec;
  readonly given: Given;
  /** Name and given options: the key of its digest. */
  readonly label: string;
}

/** Workloads of as many events as asked for. */
export const syntheticWorkloads: readonly AnyWorkloadSpec[] = Object.values(workloads).filter(
  (spec) => "events" in spec.options,
);

/** Of each workload the defaults, and each variant at 100 000 events. */
export const goldenCases: readonly GoldenCase[] = syntheticWorkloads.flatMap((spec) => {
  const variants = spec.variants.map((variant: Given) => ({ ...variant, events: 100_000 }));
  return [{}, ...variants].map((given: Given) => ({ spec, given, label: `${spec.name} ${JSON.stringify(given)}` }));
});

/** The trace of a seed under some options, the others at their defaults. */
export async function traceOf(spec: AnyWorkloadSpec, given: Given, seed = 1): Promise<Trace> {
  return spec.generate(seed, resolveOptions<Given>(spec.name, spec.options, given));
}
