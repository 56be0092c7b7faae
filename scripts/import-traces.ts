/**
 * Takes recorded traces into the repository: `node dist/scripts/import-traces.js FOLDER`, where FOLDER holds a MANIFEST.json that
 * describes `NAME.trace.gz` files that the manifest of the library names. Checks every count against it, and writes workloads/recorded/NAME.fgt and manifest.json.
 * Only traces recorded for this project are taken, not those of others.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../memory/errors.js";
import { writeAtomically } from "../workloads/atomic-file.js";
import { fileError } from "../workloads/file-errors.js";
import { readTrace } from "../workloads/read-trace.js";
import { factsOf, type RecordedTrace, recordedPath, recordedTraces } from "../workloads/recorded-library.js";
import { writeTraceFile } from "../workloads/trace-file.js";
import { summarise, type TraceSummary } from "../workloads/trace-summary.js";

const OWN = "own capture";

/** An entry of the folder's MANIFEST.json, as far as it is used. */
interface Capture {
  readonly name: string;
  readonly file: string;
  readonly program: string;
  readonly command: string;
  readonly description: string;
  readonly licence: string;
  readonly ops: number;
  readonly allocs: number;
  readonly reallocs: number;
  readonly frees: number;
  readonly threads: number;
  readonly bytesAllocated: number;
  readonly peakLiveBytes: number;
  readonly peakLiveBlocks: number;
  readonly peakAtOp: number;
  readonly endLiveBytes: number;
  readonly endLiveBlocks: number;
  readonly alignedAllocs: number;
}

function checkCounts(capture: Capture, summary: TraceSummary): void {
  const pairs: [string, number, number][] = [
    ["ops", capture.ops, summary.events],
    ["allocs", capture.allocs, summary.allocations],
    ["reallocs", capture.reallocs, summary.reallocations],
    ["frees", capture.frees, summary.frees],
    ["threads", capture.threads, summary.threads],
    ["bytesAllocated", capture.bytesAllocated, summary.totalBytes],
    ["peakLiveBytes", capture.peakLiveBytes, summary.peakLiveBytes],
    ["peakLiveBlocks", capture.peakLiveBlocks, summary.peakLiveBlocks],
    ["peakAtOp", capture.peakAtOp, summary.peakEvent],
    ["endLiveBytes", capture.endLiveBytes, summary.endLiveBytes],
    ["endLiveBlocks", capture.endLiveBlocks, summary.endLiveBlocks],
    ["alignedAllocs", capture.alignedAllocs, summary.alignedAllocations],
  ];
  for (const [name, expected, got] of pairs) {
    if (got !== expected)
      throw new InputError(`${capture.name}: ${name}: expected ${expected} as MANIFEST.json says, got ${got}`);
  }
}

async function importTrace(folder: string, capture: Capture): Promise<RecordedTrace> {
  const known = recordedTraces.find(({ name }) => name === capture.name);
  if (known === undefined)
    throw new InputError(
      `${capture.name}: not in manifest.json: add an entry that says how it is recorded, recordedBy`,
    );
  const { trace } = await readTrace(join(folder, capture.file));
  const summary = summarise(trace);
  checkCounts(capture, summary);
  await writeTraceFile(join(recordedPath, `${capture.name}.fgt`), trace);
  return {
    name: capture.name,
    program: capture.program,
    command: capture.command,
    description: capture.description,
    licence: capture.licence,
    recordedBy: known.recordedBy,
    ...factsOf(summary),
  };
}

async function importTraces(folder: string | undefined): Promise<void> {
  if (folder === undefined)
    throw new InputError("usage: import-traces FOLDER, a folder with MANIFEST.json and *.trace.gz");
  const path = join(folder, "MANIFEST.json");
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw fileError(path, error);
  });
  const manifest: { traces: readonly Capture[] } = JSON.parse(text);
  const imported = new Map<string, RecordedTrace>();
  for (const capture of manifest.traces) {
    if (capture.licence === OWN) imported.set(capture.name, await importTrace(folder, capture));
  }
  const traces = recordedTraces.map((one) => imported.get(one.name) ?? one);
  const facts = `${JSON.stringify({ traces }, null, 2)}\n`;
  await writeAtomically(join(recordedPath, "manifest.json"), (file) => file.writeFile(facts));
  console.log(
    `${imported.size} of ${traces.length} traces, ${traces.reduce((sum, trace) => sum + trace.events, 0)} events, in ${recordedPath}`,
  );
}

try {
  await importTraces(process.argv[2]);
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
