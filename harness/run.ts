/** Runs an experiment: plan, run, tabulate. Phases with names, narrated in one function. */
import { availableParallelism } from "node:os";
import type { Trace } from "../workloads/trace.js";
import { type Cell, isProgramArm } from "./arm.js";
import type { CellRequest, CellResult } from "./cell.js";
import { traceFor } from "./drive.js";
import type { Executor } from "./executors/executor.js";
import { localExecutor } from "./executors/local.js";
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
  /** Where cells are computed, by its giver to be closed. Default: `jobs` worker threads of the run's own. */
  readonly executor?: Executor;
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

/** Rejects when the signal is aborted; never resolves. It listens until `over`. */
function abortOf(signal: AbortSignal | undefined, over: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true, signal: over });
  });
  // It is awaited only now and then: in between, a rejection is not unhandled.
  aborted.catch(() => undefined);
  return aborted;
}

/**
 * Computes cells, or takes them from the store; in whatever order they end. Rejects with an `InputError` for a mistake in
 * the experiment's factors, and with the signal's reason when it is stopped.
 */
async function runCells(
  experiment: Experiment,
  cells: readonly Cell[],
  settings: RunSettings,
): Promise<{ runs: RunCell[]; reused: number }> {
  const { store, signal, progress } = settings;
  const executor =
    settings.executor ?? localExecutor(store, Math.min(settings.jobs ?? availableParallelism(), cells.length));
  const traces = new Traces();
  const runs: RunCell[] = [];
  const over = new AbortController();
  const aborted = abortOf(signal, over.signal);
  let reused = 0;
  const pending = new Set<Promise<void>>();
  try {
    for (const cell of cells) {
      signal?.throwIfAborted();
      const cellSettings = experiment.settings?.(cell) ?? {};
      const skipped = cell.skipped !== undefined;
      // What a program would ask of an allocator is known only by running it, which is what is being skipped.
      const trace = skipped && isProgramArm(cell.workload) ? undefined : await traces.of(cell, cellSettings.limit);
      // Not the trace itself: an executor may have all cells waiting at once.
      const digest = trace?.digest ?? "";
      const finish = (result: CellResult | undefined): void => {
        runs.push({ cell, digest, result });
        progress?.(runs.length, cells.length, `${cell.workload.label}, ${cell.allocator.label}`);
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
      const stored = store.find(request);
      if (stored !== undefined) {
        reused++;
        finish(stored);
        continue;
      }
      const task = executor.run(cell, request).then(finish);
      const tracked: Promise<void> = task.finally(() => pending.delete(tracked));
      pending.add(tracked);
      // A failure is seen at the next await below; without this it would count as unhandled in between.
      tracked.catch(() => undefined);
      while (pending.size >= executor.ahead) await Promise.race([aborted, ...pending]);
    }
    executor.planned();
    await Promise.race([aborted, Promise.all(pending)]);
  } finally {
    over.abort();
    if (settings.executor === undefined) await executor.close();
  }
  return { runs, reused };
}

/** Runs all cells and gives their tables, in plan order whatever order they end in. Rejects as `runCells` does. */
export async function runExperiment(experiment: Experiment, settings: RunSettings): Promise<ExperimentRun> {
  const cells = plan(experiment, settings.profile, settings.seeds);
  const { runs, reused } = await runCells(experiment, cells, settings);
  runs.sort((a, b) => a.cell.index - b.cell.index);
  return { tables: tabulate(runs), cells, reused };
}

/** Computes the cells with these indices of the plan, and leaves their results in the store. Rejects as `runCells` does. */
export async function runSlice(
  experiment: Experiment,
  indices: readonly number[],
  settings: RunSettings,
): Promise<void> {
  const wanted = new Set(indices);
  const cells = plan(experiment, settings.profile, settings.seeds).filter(({ index }) => wanted.has(index));
  await runCells(experiment, cells, settings);
}
