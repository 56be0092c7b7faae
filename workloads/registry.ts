import { churn } from "./churn.js";
import { phases } from "./phases.js";
import { ramp } from "./ramp.js";
import { recorded } from "./recorded.js";
import { sawtooth } from "./sawtooth.js";
import { scenario } from "./scenario.js";
import type { WorkloadSpec } from "./workload.js";

/** A workload family with its option type forgotten: options come as checked plain data. */
// biome-ignore lint/suspicious/noExplicitAny: the registry is heterogeneous; `resolveOptions` checks the values
export type AnyWorkloadSpec = WorkloadSpec<any>;

/** Every workload family: a new one is one file and one line here. */
export const workloads: Readonly<Record<string, AnyWorkloadSpec>> = {
  churn,
  ramp,
  sawtooth,
  phases,
  recorded,
  scenario,
};
