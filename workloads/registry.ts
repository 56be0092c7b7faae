import { bestFitAttack } from "./best-fit-attack.js";
import { churn } from "./churn.js";
import { drain } from "./drain.js";
import { hasan } from "./hasan.js";
import { phases } from "./phases.js";
import type { ProgramSpec } from "./program.js";
import { poolPinning } from "./programs/pool-pinning.js";
import { robson } from "./programs/robson.js";
import { ramp } from "./ramp.js";
import { randomSurvivors } from "./random-survivors.js";
import { recorded } from "./recorded.js";
import { redis } from "./redis/redis.js";
import { sawtooth } from "./sawtooth.js";
import { scenario } from "./scenario.js";
import type { WorkloadSpec } from "./workload.js";

/** A workload family with its option type forgotten: options come as checked plain data. */
// biome-ignore lint/suspicious/noExplicitAny: the registry is heterogeneous; `resolveOptions` checks the values
export type AnyWorkloadSpec = WorkloadSpec<any>;

/** A program family with its option type forgotten. */
// biome-ignore lint/suspicious/noExplicitAny: the registry is heterogeneous; `resolveOptions` checks the values
export type AnyProgramSpec = ProgramSpec<any>;

/** Every workload family: a new one is one file and one line here. */
export const workloads: Readonly<Record<string, AnyWorkloadSpec>> = {
  churn,
  drain,
  ramp,
  sawtooth,
  phases,
  redis,
  recorded,
  scenario,
  "best-fit-attack": bestFitAttack,
  hasan,
  "random-survivors": randomSurvivors,
};

/** Every program family: a new one is one file in `programs/` and one line here. */
export const programs: Readonly<Record<string, AnyProgramSpec>> = {
  "pool-pinning": poolPinning,
  robson,
};
