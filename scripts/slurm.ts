/** `fraglab run --executor slurm`: what tasks of a cluster are started with. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Executor } from "../harness/executors/executor.js";
import { slurmExecutor } from "../harness/executors/slurm.js";
import type { Experiment, Profile } from "../harness/experiment.js";
import { cacheFolder } from "./cache.js";

/** Tasks at most, unless --jobs says. */
const TASKS = 16;

/** The tasks of a cluster whose nodes see this installation and the cache under the same paths. */
export function slurmFor(
  { name }: Experiment,
  { profile, jobs, seeds }: { readonly profile: Profile; readonly jobs?: number; readonly seeds?: number },
): Executor {
  const store = resolve(cacheFolder());
  return slurmExecutor({
    experiment: name,
    profile,
    ...(seeds === undefined ? {} : { seeds }),
    tasks: jobs ?? TASKS,
    folder: join(store, "slurm"),
    store,
    command: [process.execPath, fileURLToPath(new URL("./fraglab.js", import.meta.url)), "slice"],
    notice: (line) => process.stderr.write(`${line}\n`),
  });
}
