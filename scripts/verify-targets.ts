import type { Target } from "./verification.js";
import { bestFitTarget, hasanTarget } from "./verify-attacks.js";
import { moveBudget, partialCompaction } from "./verify-budget.js";
import { fiftyPercent } from "./verify-fifty-percent.js";
import { johnstone } from "./verify-johnstone.js";
import { metricsTarget } from "./verify-metrics.js";
import { poolPinningTarget } from "./verify-pinning.js";
import { pymallocTarget } from "./verify-pymalloc.js";
import { redisTarget } from "./verify-redis.js";
import { robsonTarget } from "./verify-robson.js";
import { shore } from "./verify-shore.js";
import { survivorsTarget } from "./verify-survivors.js";
import { internalWaste } from "./verify-waste.js";

/** Every target of `fraglab verify`: a new one is one file and one line here. */
export const targets: readonly Target[] = [
  robsonTarget,
  bestFitTarget,
  hasanTarget,
  partialCompaction,
  moveBudget,
  poolPinningTarget,
  survivorsTarget,
  fiftyPercent,
  internalWaste,
  shore,
  johnstone,
  redisTarget,
  metricsTarget,
  pymallocTarget,
];
