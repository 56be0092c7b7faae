import type { Target } from "./verification.js";
import { moveBudget, partialCompaction } from "./verify-budget.js";
import { robsonTarget } from "./verify-robson.js";
import { survivorsTarget } from "./verify-survivors.js";

/** Every target of `fraglab verify`: a new one is one file and one line here. */
export const targets: readonly Target[] = [robsonTarget, partialCompaction, moveBudget, survivorsTarget];
