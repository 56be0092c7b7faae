/** `fraglab trace cut`, `merge-threads` and `anonymise`: a trace from a trace. */
import { InputError } from "../memory/errors.js";
import { anonymise } from "../workloads/edit/anonymise.js";
import { cutTrace } from "../workloads/edit/cut.js";
import { mergeThreads } from "../workloads/edit/merge-threads.js";
import { type ReadTraceOptions, readTrace } from "../workloads/read-trace.js";
import type { Trace } from "../workloads/trace.js";
import { reportLines } from "./source.js";
import { checkTraceTarget, writeTrace } from "./write-trace.js";

/** Reads a trace, writes what becomes of it; what the reader met goes to stderr. */
async function edit(
  file: string,
  out: string,
  options: ReadTraceOptions,
  change: (trace: Trace) => Trace,
): Promise<void> {
  checkTraceTarget(out);
  const { trace, report } = await readTrace(file, options);
  for (const line of reportLines(report)) process.stderr.write(`${line}\n`);
  await writeTrace(out, change(trace));
}

/** The event that `1000` or `25%` means. */
function eventOf(option: string, text: string, length: number): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const value = Number(match?.[1]);
  if (match?.[2] === "%" && value <= 100) return Math.round((length * value) / 100);
  if (match?.[2] === "" && Number.isSafeInteger(value)) return value;
  throw new InputError(`--${option} ${text}: expected an event such as 1000, or a percentage such as 25%`);
}

interface CutOptions extends ReadTraceOptions {
  readonly from: string;
  readonly to: string;
}

/** Writes a part of a trace. */
export async function traceCut(file: string, out: string, options: CutOptions): Promise<void> {
  await edit(file, out, options, (trace) =>
    cutTrace(trace, eventOf("from", options.from, trace.length), eventOf("to", options.to, trace.length)),
  );
}

/** Writes a trace as one of a single thread. */
export async function traceMergeThreads(file: string, out: string, options: ReadTraceOptions): Promise<void> {
  await edit(file, out, options, mergeThreads);
}

interface AnonymiseOptions extends ReadTraceOptions {
  readonly sizes?: boolean;
  readonly sites: boolean;
  readonly name: string;
}

/** Writes a trace without names, with blurred sizes where that is asked for. */
export async function traceAnonymise(file: string, out: string, options: AnonymiseOptions): Promise<void> {
  await edit(file, out, options, (trace) =>
    anonymise(trace, options.name, { sizes: options.sizes ?? false, dropSites: !options.sites }),
  );
}
