/** Worst cases that are the same requests for every allocator. */
import { allocatorArm, workloadArm } from "../harness/arm.js";
import { runSession } from "../harness/session.js";
import { bestFitAttackExtent, bestFitAttackLive, hasanExtent } from "../harness/theory.js";
import { type Check, exactly, type Target } from "./verification.js";
import { policyFits, WORD } from "./verify-fits.js";

/** Words: the extent and the most live. */
async function measure(allocator: string, workload: string): Promise<{ extent: number; live: number }> {
  const { spec, options } = allocatorArm(allocator);
  const arm = workloadArm(workload);
  const trace = await arm.spec.generate(1, arm.options);
  const { extent = Number.NaN, fragmentation } = await runSession(spec, options, trace, { looks: 1, extent: true });
  return { extent: extent / WORD, live: fragmentation.peakLive / WORD };
}

const ATTACK = "Robson 1977, Computer J. 20(3): the attack on best fit, (m-2)(K+2) words for K+4m-10 live";
const FIRST = "the same requests under first fit, by an independent simulation";

/** m, K, and the extent under first fit. */
const attacks = [
  [8, 50, 90],
  [16, 200, 295],
  [32, 100, 308],
  [32, 400, 608],
] as const;

async function attackChecks(): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [m, pairs, underFirstFit] of attacks) {
    const workload = `best-fit-attack:largest=${m},pairs=${pairs}`;
    const best = await measure(policyFits["best fit"], workload);
    const first = await measure(policyFits["first fit"], workload);
    const of = (what: string): string => `${what}, m=${m} K=${pairs}`;
    checks.push(
      exactly(of("best fit, extent"), bestFitAttackExtent(m, pairs), best.extent, ATTACK),
      exactly(of("best fit, peak live"), bestFitAttackLive(m, pairs), best.live, ATTACK),
      exactly(of("first fit, extent"), underFirstFit, first.extent, FIRST),
    );
  }
  return checks;
}

const HASAN = "Hasan, Chang & Gharaibeh 2010: M (log2(M/n) + 1) / 2 under address-ordered first fit";

async function hasanChecks(): Promise<Check[]> {
  const checks: Check[] = [];
  for (const [live, smallest] of [
    [4096, 1],
    [65536, 4],
    [65536, 64],
  ] as const) {
    const { extent } = await measure(policyFits["first fit"], `hasan:live=${live * WORD},smallest=${smallest * WORD}`);
    checks.push(exactly(`first fit, extent, M=${live} n=${smallest}`, hasanExtent(live, smallest), extent, HASAN));
  }
  return checks;
}

export const bestFitTarget: Target = {
  name: "best-fit-attack",
  title: "The attack on best fit, to the word, and what first fit makes of the same requests",
  quick: false,
  run: attackChecks,
};

export const hasanTarget: Target = {
  name: "hasan",
  title: "Doubling sizes with every other block freed, under first fit",
  quick: true,
  run: hasanChecks,
};
