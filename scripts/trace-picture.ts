/** `fraglab trace info --draw`: a picture of a trace. */
import { extname } from "node:path";
import { portrait } from "../charts/portrait.js";
import { renderPdf, renderPng, renderSvg } from "../charts/render.js";
import { themeNamed } from "../charts/theme.js";
import { canonicalJson, checkTarget, writeWhole } from "../harness/files.js";
import { type Table, type TableRecord, tableOf } from "../harness/table.js";
import { version } from "../harness/version.js";
import { InputError } from "../memory/errors.js";
import type { Trace } from "../workloads/trace.js";
import { type Cumulated, portraitOf } from "../workloads/trace-portrait.js";
import type { TraceSummary } from "../workloads/trace-summary.js";
import { formatBytes } from "./text-table.js";

const endings = [".svg", ".png", ".pdf", ".json"];

/** Refuses a picture that could not be written, before the work. Throws an `InputError`. */
export function checkPictureTarget(out: string, theme: string): void {
  if (!endings.includes(extname(out)))
    throw new InputError(`${out}: expected a name that ends in .svg, .png, .pdf or .json (Vega-Lite)`);
  themeNamed(theme);
  checkTarget(out);
}

/** The table that the chart draws. */
export function portraitTable(trace: Trace): Table {
  const { sizes, lifetimes, live } = portraitOf(trace);
  const rows = (part: string, { value, blocks, bytes }: Cumulated): TableRecord[] =>
    [["blocks", blocks] as const, ["bytes", bytes] as const].flatMap(([series, shares]) =>
      value.map((x, i) => ({ part, series, x, y: shares[i] })),
    );
  return tableOf([
    ...rows("sizes", sizes),
    ...rows("lifetimes", lifetimes),
    ...live.event.map((x, i) => ({ part: "live", series: "bytes", x, y: live.bytes[i] })),
    // The last stretch goes on to the end.
    { part: "live", series: "bytes", x: trace.length, y: live.bytes.at(-1) ?? 0 },
  ]);
}

function subtitleOf(summary: TraceSummary): string {
  const threads = summary.threads > 1 ? `, ${summary.threads} threads` : "";
  return [
    `${summary.events} events, ${summary.allocations} allocations of ${summary.distinctSizes.all} sizes${threads};`,
    `at most ${formatBytes(summary.peakLiveBytes)} in ${summary.peakLiveBlocks} blocks live, ${summary.endLiveBlocks} at the end;`,
    `half of the allocations up to ${summary.sizeQuantiles.p50} B. Digest ${summary.digest}.`,
  ].join(" ");
}

/** Draws the trace in a theme, in the format that the ending says, and prints a line about it on stderr. */
export async function drawTrace(out: string, theme: string, trace: Trace, summary: TraceSummary): Promise<void> {
  const title = `What ${trace.name} asks for`;
  const look = themeNamed(theme);
  const spec = portrait(portraitTable(trace), { title, subtitle: subtitleOf(summary), theme: look });
  const ending = extname(out);
  if (ending === ".json") writeWhole(out, `${canonicalJson(spec, 1)}\n`);
  else {
    const svg = await renderSvg(spec, look, { fraglab: version, trace: summary.digest, theme });
    if (ending === ".svg") writeWhole(out, svg);
    else writeWhole(out, await (ending === ".png" ? renderPng(svg) : renderPdf(svg, title)));
  }
  process.stderr.write(`${out}: drawn\n`);
}
