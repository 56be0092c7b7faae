/** The report: one HTML file that shows every experiment of a run. */
import { join } from "node:path";
import { htmlReport, type ReportTable } from "../charts/report.js";
import { writeWhole } from "../harness/files.js";
import type { Summary } from "../harness/summary.js";
import { version } from "../harness/version.js";
import type { Finished } from "./finished.js";

function comparisonTable({ metric, comparisons }: Summary): ReportTable {
  return {
    head: ["allocator", "baseline", "workloads", `${metric}, geometric mean ratio`, "95 % interval"],
    rows: comparisons.map((c) => [
      c.allocator,
      c.baseline,
      c.n,
      c.ratio === null ? "-" : c.ratio.toFixed(3),
      c.low === null || c.high === null ? "-" : `${c.low.toFixed(3)} to ${c.high.toFixed(3)}`,
    ]),
  };
}

/** Writes report.html into the folder and returns its path. */
export function writeReport(folder: string, finished: readonly Finished[]): string {
  const html = htmlReport({
    title: `fraglab ${version}: results`,
    sections: finished.map(({ experiment, summary, drawn }) => ({
      heading: experiment.title,
      text: `${experiment.question}\n\n${summary.finding}`,
      figures: drawn.map(({ chart, svg }) => ({ svg, caption: chart.caption, alt: chart.caption })),
      ...(summary.comparisons.length === 0 ? {} : { table: comparisonTable(summary) }),
    })),
  });
  const path = join(folder, "report.html");
  writeWhole(path, html);
  return path;
}
