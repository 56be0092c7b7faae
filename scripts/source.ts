/** Where a command's trace comes from: a file or a workload. */
import { type AllocatorArm, demandArm, modifiedTrace } from "../harness/arm.js";
import { traceFor } from "../harness/drive.js";
import { InputError } from "../memory/errors.js";
import { readTrace } from "../workloads/read-trace.js";
import type { ReadReport } from "../workloads/readers/reader.js";
import type { Trace } from "../workloads/trace.js";

export interface SourceOptions {
  readonly trace?: string;
  readonly workload?: string;
  readonly seed: number;
  /** Modifiers of the trace file, `name:option=value+name...`. */
  readonly with?: string;
  readonly format?: string;
  readonly lenient?: boolean;
  /** Uses of freed blocks stay in the trace. */
  readonly keepStale?: boolean;
  readonly part?: number;
  readonly maxUnpacked?: number;
}

export interface Source {
  readonly trace: Trace;
  /** The workload as it was asked for, or the name of the file's trace. */
  readonly name: string;
}

/** What a reader met that is not in the trace as it stood in the file, one line each. */
export function reportLines(report: ReadReport): string[] {
  const groups = [
    ["dropped", report.dropped],
    ["altered", report.altered],
    ["assumed", report.assumed],
    ["ignored", report.ignored],
  ] as const;
  const place = report.unit === "line" ? "in line" : `at ${report.unit}`;
  const found = groups.flatMap(([what, findings]) =>
    Object.entries(findings).map(
      ([kind, { count, firstLine }]) => `${what} ${kind}: ${count}, first ${place} ${firstLine}`,
    ),
  );
  return [...found, ...report.notes];
}

/**
 * Reads or generates the trace, or lets a program drive the allocator within `limit` bytes; what a reader dropped or
 * altered goes to stderr. Throws an `InputError` unless exactly one of the two is given.
 */
export async function sourceOf(options: SourceOptions, allocator: AllocatorArm, limit?: number): Promise<Source> {
  const { trace, workload, seed } = options;
  if (trace !== undefined && workload !== undefined)
    throw new InputError("give either --trace FILE or --workload NAME, not both");
  if (trace !== undefined) {
    const read = await readTrace(trace, options);
    for (const line of reportLines(read.report)) process.stderr.write(`fraglab: ${trace}: ${line}\n`);
    if (options.with === undefined) return { trace: read.trace, name: read.trace.name };
    return { trace: modifiedTrace(read.trace, seed, options.with), name: `${read.trace.name}+${options.with}` };
  }
  if (options.with !== undefined)
    throw new InputError(`--with is for trace files: write --workload ${workload ?? "NAME"}+${options.with}`);
  if (workload === undefined)
    throw new InputError("give --trace FILE or --workload NAME (see `fraglab list workloads`)");
  return { trace: await traceFor(demandArm(workload), seed, allocator, limit), name: workload };
}
