import { bestFitAttack } from "./best-fit-attack.js";
import { churn } from "./churn.js";
import { drain } from "./drain.js";
import { hasan } from "./hasan.js";
import { accessed } from "./modifiers/accessed.js";
import { aged } from "./modifiers/aged.js";
import type { ModifierSpec } from "./modifiers/modifier.js";
import { pinned } from "./modifiers/pinned.js";
import { phases } from "./phases.js";
import { fleetbench, tcmalloc } from "./profiles/profile-workload.js";
import type { ProgramSpec } from "./program.js";
import { poolPinning } from "./programs/pool-pinning.js";
import { robson } from "./programs/robson.js";
import { ramp } from "./ramp.js";
import { randomSurvivors } from "./random-survivors.js";
import { recorded } from "./recorded.js";
import { redis } from "./redis/redis.js";
import { sawtooth } from "./sawtooth.js";
import { scenario } from "./scenario.js";
import { astBuilder } from "./shaped/ast-builder.js";
import { cache } from "./shaped/cache.js";
import { gcSurvivors } from "./shaped/gc-survivors.js";
import { larson } from "./shaped/larson.js";
import { messageQueue } from "./shaped/message-queue.js";
import { synthetic } from "./synthetic/synthetic.js";
import type { WorkloadSpec } from "./workload.js";

/** A workload family with its option type forgotten: options come as checked plain data. */
// biome-ignore lint/suspicious/noExplicitAny: the registry is heterogeneous; `resolveOptions` checks the values
export type AnyWorkloadSpec = WorkloadSpec<any>;

/** A program family with its option type forgotten. */
// biome-ignore lint/suspicious/noExplicitAny: the registry is heterogeneous; `resolveOptions` checks the values
export type AnyProgramSpec = ProgramSpec<any>;

/** A modifier with its option type forgotten. */
// biome-ignore lint/suspicious/noExplicitAny: the registry is heterogeneous; `resolveOptions` checks the values
export type AnyModifierSpec = ModifierSpec<any>;

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
  synthetic,
  larson,
  cache,
  "message-queue": messageQueue,
  "ast-builder": astBuilder,
  "gc-survivors": gcSurvivors,
  tcmalloc,
  fleetbench,
};

/** Every program family: a new one is one file in `programs/` and one line here. */
export const programs: Readonly<Record<string, AnyProgramSpec>> = {
  "pool-pinning": poolPinning,
  robson,
};

/** What may stand behind a workload, as `churn+aged:occupancy=0.3`: one file in `modifiers/` and one line here. */
export const modifiers: Readonly<Record<string, AnyModifierSpec>> = { aged, pinned, accessed };
