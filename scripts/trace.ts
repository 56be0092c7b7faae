/** `fraglab trace`: look at and convert trace files. */
import { type ReadTraceOptions, readTrace } from "../workloads/read-trace.js";
import type { ReadReport } from "../workloads/readers/reader.js";
import { type RecordedTrace, recordedTraces, repetitions } from "../workloads/recorded-library.js";
import { type Quantiles, summarise, type TraceSummary } from "../workloads/trace-summary.js";
import { reportLines } from "./source.js";
import { formatBytes, textTable } from "./text-table.js";
import { checkTraceTarget, writeTrace } from "./write-trace.js";

interface ReadOptions extends ReadTraceOptions {
  readonly json?: boolean;
}

interface InfoOptions extends ReadOptions {
  /** File for a picture. */
  readonly draw?: string;
  readonly theme: string;
}

function quantileRow(name: string, q: Quantiles, format: (value: number) => string): string[] {
  return [name, ...[q.p10, q.p50, q.p90, q.p99, q.p999].map(format)];
}

/** What the manifest says of a recorded trace, where this is one. */
function libraryOf({ digest }: TraceSummary): { library?: Pick<RecordedTrace, "name" | "program" | "recordedBy"> } {
  const known = recordedTraces.find((one) => one.digest === digest);
  if (known === undefined) return {};
  const { name, program, recordedBy } = known;
  return { library: { name, program, recordedBy } };
}

function infoText(summary: TraceSummary, report: ReadReport): string {
  const facts: [string, string][] = [
    ["format", report.format],
    ["events", String(summary.events)],
    ["allocations", String(summary.allocations)],
    ["reallocations", String(summary.reallocations)],
    ["frees", String(summary.frees)],
    ["accesses, pins, marks", `${summary.accesses}, ${summary.pins}, ${summary.phases}`],
    ["threads", String(summary.threads)],
    ["allocation sites", summary.sites === 0 ? "not known" : String(summary.sites)],
    ["bytes allocated", `${summary.totalBytes} (${formatBytes(summary.totalBytes)})`],
    ["peak live", `${summary.peakLiveBytes} B (${formatBytes(summary.peakLiveBytes)}) at event ${summary.peakEvent}`],
    ["peak live blocks", String(summary.peakLiveBlocks)],
    ["live at the end", `${summary.endLiveBytes} B in ${summary.endLiveBlocks} blocks`],
    ["distinct sizes", `${summary.distinctSizes.all}; ${summary.distinctSizes.p90} make 90 % of the allocations`],
    ["digest", summary.digest],
  ];
  const { library } = libraryOf(summary);
  if (library !== undefined) {
    const { script, command, repeats } = library.recordedBy;
    facts.push(["of the library", `${library.name}: ${library.program}`]);
    facts.push(["", `${repetitions[repeats]}: ${command} (${script})`]);
  }
  const width = Math.max(...facts.map(([name]) => name.length));
  const quantiles = textTable(
    ["quantile", "10 %", "50 %", "90 %", "99 %", "99.9 %"],
    [
      quantileRow("size, bytes", summary.sizeQuantiles, String),
      quantileRow("lifetime, events", summary.lifetimeEvents, String),
      quantileRow("lifetime, bytes allocated", summary.lifetimeBytes, String),
    ],
  );
  const notes = reportLines(report);
  return [
    summary.name,
    ...facts.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    "",
    quantiles,
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}

/** Prints what a trace asks for, and draws it where that is asked for. */
export async function traceInfo(file: string, options: InfoOptions): Promise<void> {
  const picture = options.draw === undefined ? undefined : await import("./trace-picture.js");
  picture?.checkPictureTarget(options.draw as string, options.theme);
  const { trace, report } = await readTrace(file, options);
  const summary = summarise(trace);
  if (options.json) process.stdout.write(`${JSON.stringify({ ...summary, ...libraryOf(summary), report }, null, 2)}\n`);
  else process.stdout.write(`${infoText(summary, report)}\n`);
  await picture?.drawTrace(options.draw as string, options.theme, trace, summary);
}

/** Writes a trace in the format that the ending of `out` names. Throws an `InputError` for any other ending. */
export async function traceConvert(file: string, out: string, options: ReadOptions): Promise<void> {
  checkTraceTarget(out);
  const { trace, report } = await readTrace(file, options);
  for (const line of reportLines(report)) process.stderr.write(`${line}\n`);
  await writeTrace(out, trace);
}
