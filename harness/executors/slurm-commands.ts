/** The three of Slurm's commands that an array job takes: sbatch, squeue, scancel. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { InputError } from "../../memory/errors.js";

const execute = promisify(execFile);

interface Failure {
  readonly code?: string | number;
  readonly stderr?: string;
}

/** What the program prints. In a process group of its own: Ctrl-C must not cut a submission off from the number it is given. */
async function slurm(program: string, ...words: readonly string[]): Promise<string> {
  try {
    return (await execute(program, words, { detached: true } as object)).stdout;
  } catch (error) {
    if ((error as Failure).code !== "ENOENT") throw error;
    const mend = "start this where jobs are submitted, or leave --executor away";
    throw new InputError(`${program}: no such program: expected Slurm's commands on the PATH: ${mend}`);
  }
}

/** What a Slurm command wrote about its failure, as one line. */
function complaintOf(error: unknown): string {
  const { stderr = "" } = error as Failure;
  const lines = stderr.trim().split("\n");
  return lines.map((line) => line.replace(/^\w+: (error: )?/, "")).join("; ");
}

export interface ArrayJob {
  readonly name: string;
  /** Numbered from 0. */
  readonly tasks: number;
  /** A script that all nodes see. */
  readonly script: string;
  /** Where each task's output goes: task-N.log. */
  readonly folder: string;
}

/** Submits; gives the job's number. Each task gets one processor; all else is up to sbatch's own variables (SBATCH_*). */
export async function submitArray({ name, tasks, script, folder }: ArrayJob): Promise<string> {
  const log = `${folder.replaceAll("%", "%%")}/task-%a.log`;
  const array = [`--array=0-${tasks - 1}`, "--ntasks=1", "--cpus-per-task=1"];
  const output = [`--output=${log}`, "--open-mode=append"];
  try {
    const answer = await slurm("sbatch", "--parsable", `--job-name=${name}`, ...array, ...output, script);
    return answer.trim().replace(/;.*$/, "");
  } catch (error) {
    if (error instanceof InputError) throw error;
    const mend = "mend it by sbatch's variables, such as SBATCH_PARTITION or SBATCH_ACCOUNT, or by fewer --jobs";
    throw new InputError(`sbatch refused ${tasks} tasks: ${complaintOf(error)}: ${mend}`);
  }
}

/** Tasks of a job that wait, run or end; undefined when the controller does not answer. */
export async function tasksLeft(job: string): Promise<number | undefined> {
  try {
    const states = await slurm("squeue", "--noheader", "--array", `--jobs=${job}`, "--format=%T");
    return states.split("\n").filter((state) => state !== "").length;
  } catch (error) {
    // A job that ended long ago (MinJobAge) is forgotten.
    return /Invalid job id/.test(complaintOf(error)) ? 0 : undefined;
  }
}

/** Takes a job out of the queue and ends its tasks; a job that is over stays so. */
export async function cancelJob(job: string): Promise<void> {
  await slurm("scancel", job).catch(() => undefined);
}
