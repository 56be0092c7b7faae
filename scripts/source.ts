/** Where a command's trace comes from: a file or a workload. */
import { workloadArm } from "../harness/arm.js";
import { InputError } from "../memory/errors.js";
import { readTrace } from "../workloads/read-trace.js";
import type { Trace } from "../workloads/trace.js";

export interface SourceOptions {
  readonly trace?: string;
  readonly workload?: string;
  readonly seed: number;
  readonly format?: string;
  readonly lenient?: boolean;
}

export interface Source {
  readonly trace: Trace;
  /** The workload as it was asked for, or the name of the file's trace. */
  readonly name: string;
}

/** Reads or generates the trace. Throws an `InputError` unless exactly one of the two is given. */
export async function sourceOf(options: SourceOptions): Promise<Source> {
  const { trace, workload, seed } = options;
  if (trace !== undefined && workload !== undefined)
    throw new InputError("give either --trace FILE or --workload NAME, not both");
  if (trace !== undefined) {
    const read = await readTrace(trace, options);
    return { trace: read.trace, name: read.trace.name };
  }
  if (workload === undefined)
    throw new InputError("give --trace FILE or --workload NAME (see `fraglab list workloads`)");
  const arm = workloadArm(workload);
  return { trace: await arm.spec.generate(seed, arm.options), name: workload };
}
