/** Writing compact trace files, and reading them whole (layout: trace-file-layout.ts). */
import { setImmediate as turn } from "node:timers/promises";
import { writeAtomically } from "./atomic-file.js";
import { fileError } from "./file-errors.js";
import type { Trace } from "./trace.js";
import { BLOCK_EVENTS, BlockEncoder } from "./trace-block.js";
import { BlockDecoder } from "./trace-block-decoder.js";
import { finishTrace, sharedBytes, sharedInts, sharedSizes } from "./trace-columns.js";
import type { TraceFileInfo } from "./trace-file-layout.js";
import * as layout from "./trace-file-layout.js";
import { packBlock } from "./trace-pack.js";
import { TraceSource } from "./trace-source.js";

/** Writes a trace; the file appears at once or not at all. Throws an `InputError` where the place cannot be written. */
export async function writeTraceFile(path: string, trace: Trace): Promise<void> {
  await writeAtomically(path, async (file) => {
    await file.write(layout.encodeHeader(trace.name, trace.sites.names.length > 0));
    const encoder = new BlockEncoder(trace);
    for (let start = 0; start < trace.length; start += BLOCK_EVENTS) {
      const end = Math.min(trace.length, start + BLOCK_EVENTS);
      const parts = encoder.encode(start, end);
      const packed = await packBlock(parts);
      const rawBytes = parts.reduce((sum, part) => sum + part.length, 0);
      await file.write(layout.encodeFrame(end - start, packed, rawBytes));
    }
    const { length: events, slots, digest } = trace;
    await file.write(layout.encodeTrailer({ events, slots, largestSize: largestOf(trace.size), digest }));
  });
}

function largestOf(sizes: Trace["size"]): number {
  let largest = 0;
  for (let i = 0; i < sizes.length; i++) if (sizes[i] > largest) largest = sizes[i];
  return largest;
}

/**
 * Reads a whole trace into shared columns. A file that is no trace file, is cut or damaged, or was written by a newer
 * version gives an `InputError` of one line: file, byte, what was expected, how to mend it.
 */
export function readTraceFile(path: string): Promise<Trace> {
  return withTraceFile(path, async (source) => {
    const { events, slots, largestSize, name, hasSites } = source.info;
    const op = sharedBytes(events);
    const slot = sharedInts(events);
    const size = sharedSizes(events, largestSize);
    const site = sharedInts(hasSites ? events : 0);
    const decoder = new BlockDecoder(slots, events, largestSize);
    for (const frame of source.frames()) {
      source.decode(decoder, frame, { op, slot, size, site }, frame.first);
      await turn();
    }
    source.checkTotals(decoder);
    const trace = finishTrace({ name, slots, op, slot, size, site }, decoder);
    source.checkDigest(trace.digest);
    return trace;
  });
}

/** Reads name and totals only. Errors are those of `readTraceFile`. */
export function readTraceFileInfo(path: string): Promise<TraceFileInfo> {
  return withTraceFile(path, async (source) => source.info);
}

async function withTraceFile<Result>(path: string, use: (source: TraceSource) => Promise<Result>): Promise<Result> {
  const source = TraceSource.open(path);
  try {
    return await use(source);
  } catch (error) {
    throw fileError(path, error);
  } finally {
    source.close();
  }
}
