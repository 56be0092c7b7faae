/** From factors to cells: the product of workloads, seeds and allocators, in a fixed order. */
import { allocatorArm, type Cell, demandArm } from "./arm.js";
import type { Experiment, Profile } from "./experiment.js";

/** All cells of an experiment: workloads, then seeds, then allocators. */
export function plan(experiment: Experiment, profile: Profile, seeds?: number): Cell[] {
  const factors = experiment.factors[profile];
  const allocatorArms = Object.entries(factors.allocators).map(([label, selector]) => allocatorArm(selector, label));
  const cells: Cell[] = [];
  for (const [label, selector] of Object.entries(factors.workloads)) {
    const workload = demandArm(selector, label);
    const runs = workload.spec.seeded ? (seeds ?? factors.seeds) : 1;
    for (let seed = 1; seed <= runs; seed++) {
      for (const allocator of allocatorArms) {
        const cell: Cell = { index: cells.length, allocator, workload, seed };
        const skipped = experiment.skip?.(cell);
        cells.push(skipped === undefined ? cell : { ...cell, skipped });
      }
    }
  }
  return cells;
}
