/** `fraglab run`: plan, run, tabulate, summarise, draw. */
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import type { Executor } from "../harness/executors/executor.js";
import { localExecutor } from "../harness/executors/local.js";
import type { Experiment, Profile } from "../harness/experiment.js";
import { canonicalJson, prepareFolder, writeWhole } from "../harness/files.js";
import { provenance } from "../harness/provenance.js";
import { type ExperimentRun, runExperiment } from "../harness/run.js";
import { type CellStore, folderStore, noStore } from "../harness/store.js";
import { summarise } from "../harness/summary.js";
import { toCsv } from "../harness/table.js";
import { InputError } from "../memory/errors.js";
import { cacheFolder } from "./cache.js";
import { drawCharts } from "./drawing.js";
import type { ExecutorName } from "./executor-names.js";
import type { Finished } from "./finished.js";
import { interruptible } from "./interrupt.js";
import { experimentNames, loadExperiment } from "./load-experiments.js";
import { createProgress } from "./progress.js";
import { writeReport } from "./report.js";
import { slurmFor } from "./slurm.js";
import { summaryText } from "./summary-text.js";

interface RunOptions {
  readonly profile: Profile;
  readonly out?: string;
  readonly jobs?: number;
  readonly seeds?: number;
  readonly cache: boolean;
  readonly report?: boolean;
  readonly executor?: ExecutorName;
}

type CellOptions = Pick<RunOptions, "profile" | "jobs" | "seeds" | "cache" | "executor">;

const storeFor = ({ cache }: CellOptions): CellStore => (cache ? folderStore(cacheFolder()) : noStore);

/** The cells of an experiment, with progress on stderr; computed by `threads`, unless the options name a cluster. */
async function runCells(
  experiment: Experiment,
  options: CellOptions,
  threads: Executor,
  signal: AbortSignal,
): Promise<ExperimentRun> {
  const progress = createProgress(experiment.name);
  const cluster = options.executor === "slurm" ? slurmFor(experiment, options) : undefined;
  try {
    return await runExperiment(experiment, {
      profile: options.profile,
      store: storeFor(options),
      executor: cluster ?? threads,
      signal,
      progress: progress.update,
      ...(options.seeds === undefined ? {} : { seeds: options.seeds }),
    });
  } finally {
    progress.end();
    await cluster?.close();
  }
}

/**
 * Runs experiments one after the other and hands the cells of each to `finish`. They share their worker threads: what
 * has been compiled for one is fast from the beginning in the next.
 */
export async function runEach<Result>(
  experiments: readonly Experiment[],
  options: CellOptions,
  signal: AbortSignal,
  finish: (experiment: Experiment, cells: ExperimentRun) => Promise<Result>,
): Promise<Result[]> {
  const threads = localExecutor(storeFor(options), options.jobs ?? availableParallelism());
  const results: Result[] = [];
  try {
    for (const experiment of experiments) {
      results.push(await finish(experiment, await runCells(experiment, options, threads, signal)));
      signal.throwIfAborted();
    }
    return results;
  } finally {
    await threads.close();
  }
}

async function finish(
  experiment: Experiment,
  run: ExperimentRun,
  options: RunOptions,
  folder: string,
): Promise<Finished> {
  const { tables } = run;
  const summary = summarise(experiment, options.profile, tables);
  const files: string[] = [];
  const write = (name: string, contents: string): void => {
    writeWhole(join(folder, name), contents);
    files.push(join(folder, name));
  };
  write("table.csv", toCsv(tables.cells));
  write("summary.json", `${canonicalJson(summary, 2)}\n`);
  const drawn = await drawCharts(experiment, tables, {
    folder,
    theme: "screen",
    formats: ["svg", "png", "pdf"],
    spec: true,
  });
  const command = `fraglab run ${experiment.name} --profile ${options.profile}`;
  const facts = provenance({ command, profile: options.profile, cells: run.cells.length, reused: run.reused });
  write("provenance.json", `${JSON.stringify(facts, null, 2)}\n`);
  return { experiment, tables, summary, drawn, files: [...files, ...drawn.flatMap(({ files: charts }) => charts)] };
}

/** Runs the named experiments, or all, and prints the summary and the files written. */
export async function run(names: readonly string[], options: RunOptions): Promise<void> {
  const experiments = await Promise.all((names.length > 0 ? names : experimentNames()).map(loadExperiment));
  // results/ holds the quick profile as it stands; anything else goes elsewhere.
  const standard = options.profile === "quick" && options.seeds === undefined;
  if (options.executor === "slurm" && !options.cache) {
    const mend = "leave --no-cache away, or name a new folder by FRAGLAB_CACHE";
    throw new InputError(`--no-cache: tasks of Slurm hand over their results by the cache: ${mend}`);
  }
  const out =
    options.out ??
    (standard ? "results" : `results-${options.profile}${options.seeds === undefined ? "" : `-${options.seeds}`}`);
  prepareFolder(out);
  const hint = options.cache
    ? "finished cells are kept; the same command goes on from there"
    : "nothing was kept (--no-cache)";
  const finished = await interruptible(hint, (signal) =>
    runEach(experiments, options, signal, (experiment, cells) =>
      finish(experiment, cells, options, join(out, experiment.name)),
    ),
  );
  const files = finished.flatMap((each) => each.files);
  if (options.report) files.push(writeReport(out, finished));
  process.stdout.write(`${finished.map(summaryText).join("\n\n")}\n\nWritten:\n`);
  process.stdout.write(files.map((file) => `  ${relative(".", file) || file}\n`).join(""));
}
