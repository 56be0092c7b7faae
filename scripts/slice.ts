/** `fraglab slice`: what a task of a cluster runs. It computes its cells of a plan into the store that the plan names. */
import { readFileSync } from "node:fs";
import type { SlicePlan } from "../harness/executors/slurm.js";
import { runSlice } from "../harness/run.js";
import { folderStore } from "../harness/store.js";
import { codeVersion } from "../harness/version.js";
import { InputError } from "../memory/errors.js";
import { interruptible } from "./interrupt.js";
import { loadExperiment } from "./load-experiments.js";

const writer = "fraglab run --executor slurm writes plans and starts their tasks";

function readPlan(file: string): SlicePlan {
  try {
    const plan = JSON.parse(readFileSync(file, "utf8")) as Partial<SlicePlan>;
    if (typeof plan.code === "string" && Array.isArray(plan.slices)) return plan as SlicePlan;
  } catch {
    // Missing or damaged: the same to who started it by hand.
  }
  throw new InputError(`${file}: no plan of a cluster job: ${writer}`);
}

/** Computes the cells of the task whose number Slurm gives in SLURM_ARRAY_TASK_ID. */
export async function slice(file: string): Promise<void> {
  const { code, experiment, profile, seeds, store, slices } = readPlan(file);
  if (code !== codeVersion()) {
    throw new InputError(`${file}: planned by other code: expected all nodes to see the same build of fraglab`);
  }
  const task = process.env["SLURM_ARRAY_TASK_ID"];
  const cells = slices[Number(task)];
  if (cells === undefined) {
    throw new InputError(`${file}: no task ${task ?? "in SLURM_ARRAY_TASK_ID"}: ${writer}`);
  }
  const loaded = await loadExperiment(experiment);
  const settings = { profile, ...(seeds === undefined ? {} : { seeds }), jobs: 1, store: folderStore(store) };
  await interruptible("finished cells are kept", (signal) => runSlice(loaded, cells, { ...settings, signal }));
}
