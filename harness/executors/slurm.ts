/**
 * Cells as an array job of Slurm. Each task is a `fraglab slice` that makes the traces of its cells again and keeps their
 * results in a store which all nodes see; files are the only truth, so a task that dies, or is started again on another
 * node, costs no more than the cells that it had not done. Seen to work with Slurm 22.05.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { InputError } from "../../memory/errors.js";
import type { CellResult } from "../cell.js";
import type { Profile } from "../experiment.js";
import { prepareFolder, writeWhole } from "../files.js";
import { type CellIdentity, type CellStore, folderStore } from "../store.js";
import { codeVersion } from "../version.js";
import type { Executor } from "./executor.js";
import { slicesOf } from "./slices.js";
import { cancelJob, submitArray, tasksLeft } from "./slurm-commands.js";

/** Which part of which experiment a task computes, and where its results go. */
export interface SlicePlan {
  /** `codeVersion` of who made the plan: other code would keep its results under other names. */
  readonly code: string;
  readonly experiment: string;
  readonly profile: Profile;
  readonly seeds?: number;
  /** The folder of the store. */
  readonly store: string;
  /** By task: the indices of its cells. */
  readonly slices: readonly (readonly number[])[];
}

export interface SlurmSettings extends Pick<SlicePlan, "experiment" | "profile" | "seeds"> {
  /** Tasks at most. */
  readonly tasks: number;
  /** An absolute path that all nodes see: the job's plan and logs go to a new folder in it, which is removed when all is done. */
  readonly folder: string;
  /** The folder of the store that the run uses: an absolute path that all nodes see. */
  readonly store: string;
  /** The command of a task, as words; the path of the plan is added. */
  readonly command: readonly string[];
  /** Between two looks for results, in milliseconds. Default: 1000. */
  readonly lookMs?: number;
  /** Called once with what was submitted, as one line. */
  readonly notice: (line: string) => void;
}

interface Waiting {
  readonly index: number;
  readonly events: number;
  readonly cell: CellIdentity;
  readonly resolve: (result: CellResult) => void;
  readonly reject: (reason: unknown) => void;
}

const LOOK_MS = 1000;
/** Looks between two questions to the controller, which others ask as well. */
const LOOKS_PER_QUESTION = 5;
/** Looks for results of a job that has left the queue: NFS may show new files a minute late. */
const LAST_LOOKS = 60;

/** What a task says last in its log, if it is a line of ours. */
function complaintIn(folder: string): string | undefined {
  for (const name of readdirSync(folder).sort()) {
    if (!name.endsWith(".log")) continue;
    const lines = readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
    const line = lines.findLast((each) => /^(fraglab|slurmstepd|slurmd|srun):/.test(each));
    if (line !== undefined) return `${join(folder, name)} says "${line}"`;
  }
  return undefined;
}

class SlurmExecutor implements Executor {
  readonly ahead: number = Number.POSITIVE_INFINITY;
  private readonly settings: SlurmSettings;
  private readonly store: CellStore;
  private readonly folder: string;
  private readonly stop: AbortController;
  private waiting: Waiting[];
  private work: Promise<void>;
  private job: string | undefined;
  /** The job ended without all results: its logs say why. */
  private failed: boolean;

  constructor(settings: SlurmSettings) {
    prepareFolder(settings.folder);
    this.settings = settings;
    this.store = folderStore(settings.store);
    this.folder = mkdtempSync(join(settings.folder, `${settings.experiment}-`));
    this.stop = new AbortController();
    this.waiting = [];
    this.work = Promise.resolve();
    this.job = undefined;
    this.failed = false;
  }

  run({ index }: { readonly index: number }, request: CellIdentity & { trace: { readonly length: number } }) {
    const { allocator, options, settings, trace } = request;
    // The digest alone: with their traces, the cells of a plan might not fit into memory.
    const cell: CellIdentity = { allocator, options, settings, trace: { digest: trace.digest } };
    return new Promise<CellResult>((resolve, reject) => {
      this.waiting.push({ index, events: trace.length, cell, resolve, reject });
    });
  }

  planned(): void {
    if (this.waiting.length === 0) return;
    this.work = this.submitAndWait().catch((error: unknown) => {
      for (const { reject } of this.waiting) reject(error);
    });
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.work;
    if (this.failed) return;
    if (this.job !== undefined && this.waiting.length > 0) await cancelJob(this.job);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async submitAndWait(): Promise<void> {
    const { folder, settings } = this;
    const cells = this.waiting.map(({ index, events, cell }) => ({ index, events, trace: cell.trace.digest }));
    const slices = slicesOf(cells, settings.tasks);
    const { experiment, profile, seeds, store } = settings;
    const sliced: SlicePlan = { code: codeVersion(), experiment, profile, ...(seeds ? { seeds } : {}), store, slices };
    const planFile = join(folder, "plan.json");
    writeWhole(planFile, JSON.stringify(sliced));
    const script = join(folder, "task.sh");
    writeWhole(script, `#!/bin/sh\nexec ${[...settings.command, planFile].map(quoted).join(" ")}\n`);
    this.job = await submitArray({ name: `fraglab-${experiment}`, tasks: slices.length, script, folder });
    settings.notice(`${experiment}: ${cells.length} cells as ${slices.length} tasks of Slurm job ${this.job}`);
    await this.untilDone(this.job);
    if (this.waiting.length === 0) return;
    this.failed = true;
    const counts = `Slurm job ${this.job} ended without ${this.waiting.length} of ${cells.length} cells`;
    const logs = complaintIn(folder) ?? `see the logs in ${folder}`;
    throw new InputError(`${counts}: ${logs}; the same command computes what is missing`);
  }

  /** Hands out results as their files come, until there are all, or no more can come. */
  private async untilDone(job: string): Promise<void> {
    let over = false;
    for (let looks = 1, last = LAST_LOOKS; last > 0; looks++) {
      await delay(this.settings.lookMs ?? LOOK_MS, undefined, { signal: this.stop.signal });
      this.collect();
      if (this.waiting.length === 0) return;
      if (over) last = complaintIn(this.folder) === undefined ? last - 1 : 0;
      else if (looks % LOOKS_PER_QUESTION === 0) over = (await tasksLeft(job)) === 0;
    }
  }

  private collect(): void {
    this.waiting = this.waiting.filter(({ cell, resolve }) => {
      const result = this.store.find(cell);
      if (result !== undefined) resolve(result);
      return result === undefined;
    });
  }
}

/** A word of a shell's command. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Cells as tasks of one array job. Throws an `InputError` where the folder cannot be written. */
export function slurmExecutor(settings: SlurmSettings): Executor {
  return new SlurmExecutor(settings);
}
