import type { Target } from "./verification.js";
import { robsonTarget } from "./verify-robson.js";

/** Every target of `fraglab verify`: a new one is one file and one line here. */
export const targets: readonly Target[] = [robsonTarget];
