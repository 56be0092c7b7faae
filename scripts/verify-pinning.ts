/** One block in each pool: what a program can make pymalloc hold. */
import { allocatorArm, programArm } from "../harness/arm.js";
import { drive } from "../harness/drive.js";
import { runSession } from "../harness/session.js";
import { poolPinningCourse } from "../harness/theory.js";
import { type Check, exactly, type Target } from "./verification.js";

const LIVE = 16 << 20;
const HEADER = 48;
const SOURCE =
  "class by class, floor((M - live) / (s k)) pools of k blocks keep one each; M = 16 MiB, from an empty heap";

/** Ratios as published with the recurrence, in hundredths. */
const cases = [
  { variant: "cpython-3.9", pool: 4096, step: 16, hundredths: 1926 },
  { variant: "cpython-3.10", pool: 16384, step: 16, hundredths: 2758 },
] as const;

async function checks(): Promise<Check[]> {
  const found: Check[] = [];
  for (const { variant, pool, step, hundredths } of cases) {
    const arm = allocatorArm(`pymalloc:variant=${variant}`);
    const { trace } = drive(programArm(`pool-pinning:live=${LIVE},pool=${pool},step=${step},marks=doublings`), 1, arm);
    const { snapshots } = await runSession(arm.spec, arm.options, trace, { looks: 1 });
    const sizes = Array.from({ length: 512 / step }, (_, i) => step * (i + 1));
    for (const at of poolPinningCourse(sizes, LIVE, pool, HEADER)) {
      const look = snapshots.find(({ label }) => label === `class ${at.size}`);
      if (look === undefined) continue;
      found.push(exactly(`pools, ${variant}, up to ${at.size} B`, at.pools, look.headers, SOURCE));
    }
    const end = snapshots[snapshots.length - 1];
    const ratio = Math.round((100 * end.headers * pool) / LIVE);
    found.push(exactly(`100 x pools / M, ${variant}`, hundredths, ratio, SOURCE));
  }
  return found;
}

export const poolPinningTarget: Target = {
  name: "pool-pinning",
  title: "One block in each pool holds 19 and 28 times the most live bytes",
  quick: false,
  run: checks,
};
