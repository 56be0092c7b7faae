/** What `fraglab run` prints of an experiment. */
import { metrics } from "../harness/metrics/registry.js";
import type { Finished } from "./finished.js";
import { formatMetric, formatPercent, textTable } from "./text-table.js";

type Text = ArrayLike<string>;

function metricCell(finished: Finished, metric: string, row: number): string {
  const value = (finished.tables.cells.columns.get(metric) as ArrayLike<number> | undefined)?.[row] ?? Number.NaN;
  const unit = metrics.find(({ name }) => name === metric)?.unit;
  return formatMetric(unit, value);
}

/** Question, finding, the main metrics of each cell, and the comparison to the baseline. */
export function summaryText(finished: Finished): string {
  const { experiment, tables, summary } = finished;
  const column = (name: string): Text => tables.cells.columns.get(name) as Text;
  const rows = Array.from({ length: tables.cells.rows }, (_, row) => [
    column("workload")[row],
    column("allocator")[row],
    column("outcome")[row],
    ...experiment.metrics.map((metric) => metricCell(finished, metric, row)),
  ]);
  const comparisons = summary.comparisons.map((c) => {
    const percent = (x: number | null): string => (x === null ? "-" : formatPercent(x - 1));
    const interval = c.low === null ? "" : ` [${percent(c.low)}, ${percent(c.high)}]`;
    return `  ${c.allocator} against ${c.baseline}: ${percent(c.ratio)}${interval} peak footprint, n = ${c.n} workloads`;
  });
  return [
    `${experiment.title} (${experiment.name})`,
    `Question: ${experiment.question}`,
    `Finding:  ${summary.finding}`,
    "",
    textTable(["workload", "allocator", "outcome", ...experiment.metrics], rows),
    ...(comparisons.length > 0
      ? ["", "Geometric means with 95 % t intervals on paired logarithms:", ...comparisons]
      : []),
  ].join("\n");
}
