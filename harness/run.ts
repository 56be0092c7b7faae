/** Runs an experiment: plan, run, tabulate. Phases with names, narrated in one function. */
import { availableParallelism } from "node:os";
import { Piscina } from "piscina";
import { InputError } from "../memory/errors.js";
import type { Trace } from "../workloads/trace.js";
import { type Cell, isProgramArm } from "./arm.js";
import type { CellAnswer, CellRequest, CellResult } from "./cell.js";
import { traceFor } from "./drive.js";
import type { Experiment, Profile, Tables } from "./experiment.js";
import { plan } from "./plan.js";
import type { CellStore } from "./store.js";
import { type RunCell, tabulate } from "./tabulate.js";

export interface RunSettings {
  readonly profile: Profile;
  /** Worker threads. Default: one for each core. Results are the same for any number. */
  readonly jobs?: number;
  /** Overrides the number of seeds of the profile. */
  readonly seeds?: number;
  readonly store: CellStore;
  /** Stops the run: cells that are done stay in the store. */
  readonly signal?: AbortSignal;
  /** Called after each cell. */
  readonly progress?: (done: number, total: number, what: string) => void;
}

export interface ExperimentRun {
  readonly tables: Tables;
  readonly cells: readonly Cell[];
  /** Cells that came from the store. */
  readonly reused: number;
}

/** Traces are made one after the other, and only as far ahead as the workers need. */
class Traces {
  private current: { readonly key: string; readonly trace: Trace } | undefined;

  /** A program's trace depends on the allocator, and on the memory it has. */
  async of({ workload, seed, allocator }: Cell, limit: number | undefined): Promise<Trace> {
    const adaptive = isProgramArm(workload) ? ` ${allocator.selector} ${limit}` : "";
    const key = `${workload.selector} ${seed}${adaptive}`;
    if (this.current?.key !== key) this.current = { key, trace: await traceFor(workload, seed, allocator, limit) };
    return this.current.trace;
  }
}

function createPool(jobs: number): Piscina<CellRequest, CellAnswer> {
  return new Piscina<CellRequest, CellAnswer>({
    filename: new URL("./worker.js", import.meta.url).href,
    minThreads: jobs,
    maxThreads: jobs,
    maxQueue: Number.POSITIVE_INFINITY,
  });
}

async function runOne(pool: Piscina<CellRequest, CellAnswer>, cell: Cell, request: CellRequest): Promise<CellResult> {
  const answer = await pool.run(request);
  if (answer.ok) return answer.result;
  const where = `${cell.allocator.selector} on ${cell.workload.selector}, seed ${cell.seed}`;
  if (answer.kind === "InputError") throw new InputError(answer.message);
  throw new Error(`${where}: ${answer.message}`);
}

/** Rejects when the signal is aborted; never resolves. It listens until `over`. */
function abortOf(signal: AbortSignal | undefined, over: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true, signal: over });
  });
  // It is awaited only now and then: in between, a rejection is not unhandled.
  aborted.catch(() => undefined);
  return aborted;
}

/** Cells run at once: enough to keep the workers busy, few enough to hold few traces. */
const AHEAD = 3;

/**
 * Runs all cells and gives their tables, in plan order whatever order they end in. Rejects with an `InputError` for a
 * mistake in the experiment's factors, and with the signal's reason when it is stopped.
 */
export async function runExperiment(experiment: Experiment, settings: RunSettings): Promise<ExperimentRun> {
  const cells = plan(experiment, settings.profile, settings.seeds);
  const total = cells.length;
  const traces = new Traces();
  const runs: RunCell[] = [];
  const over = new AbortController();
  const aborted = abortOf(settings.signal, over.signal);
  const jobs = settings.jobs ?? availableParallelism();
  let pool: Piscina<CellRequest, CellAnswer> | undefined;
  let done = 0;
  let reused = 0;
  const pending = new Set<Promise<void>>();
  try {
    for (const cell of cells) {
      settings.signal?.throwIfAborted();
      const cellSettings = experiment.settings?.(cell) ?? {};
      const skipped = cell.skipped !== undefined;
      // What a program would ask of an allocator is known only by running it, which is what is being skipped.
      const trace = skipped && isProgramArm(cell.workload) ? undefined : await traces.of(cell, cellSettings.limit);
      const finish = (result: CellResult | undefined): void => {
        runs.push({ cell, digest: trace?.digest ?? "", result });
        done++;
        settings.progress?.(done, total, `${cell.workload.label}, ${cell.allocator.label}`);
      };
      if (skipped || trace === undefined) {
        finish(undefined);
        continue;
      }
      const request: CellRequest = {
        allocator: cell.allocator.spec.name,
        options: cell.allocator.options,
        trace,
        settings: cellSettings,
      };
      const stored = settings.store.find(request);
      if (stored !== undefined) {
        reused++;
        finish(stored);
        continue;
      }
      pool ??= createPool(Math.min(jobs, total));
      const task = runOne(pool, cell, request).then((result) => {
        settings.store.keep(request, result);
        finish(result);
      });
      const tracked: Promise<void> = task.finally(() => pending.delete(tracked));
      pending.add(tracked);
      // A failure is seen at the next await below; without this it would count as unhandled in between.
      tracked.catch(() => undefined);
      while (pending.size >= jobs * AHEAD) await Promise.race([aborted, ...pending]);
    }
    await Promise.race([aborted, Promise.all(pending)]);
  } finally {
    over.abort();
    // Ends the workers, whatever they do: results that are not in the store by now are lost. A pool that is being
    // destroyed takes an answer that comes in the meantime for an error.
    pool?.on("error", () => undefined);
    await pool?.destroy();
  }
  runs.sort((a, b) => a.cell.index - b.cell.index);
  return { tables: tabulate(runs), cells, reused };
}
