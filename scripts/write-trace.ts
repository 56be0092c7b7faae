/** Writes traces for commands, in the format that the ending of the file's name says. */
import { checkTarget } from "../harness/files.js";
import { InputError } from "../memory/errors.js";
import type { Trace } from "../workloads/trace.js";
import { writeTraceFile } from "../workloads/trace-file.js";
import { writeTextTrace } from "../workloads/trace-text-writer.js";
import { removingDrafts } from "./interrupt.js";

const isCompact = (out: string): boolean => out.endsWith(".fgt");

/** Refuses what `writeTrace` could not write, before the work. Throws an `InputError` for an ending of no format. */
export function checkTraceTarget(out: string): void {
  if (!isCompact(out) && !/\.(trace|txt)(\.gz)?$/.test(out)) {
    throw new InputError(`${out}: expected a name that ends in .fgt (compact), .trace, .txt, .trace.gz or .txt.gz`);
  }
  checkTarget(out);
}

/** Writes the trace, and a line about it on stderr. */
export async function writeTrace(out: string, trace: Trace): Promise<void> {
  await removingDrafts(out, () => (isCompact(out) ? writeTraceFile(out, trace) : writeTextTrace(out, trace)));
  process.stderr.write(`${out}: ${trace.length} events, digest ${trace.digest}\n`);
}
