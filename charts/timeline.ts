/**
 * Live bytes against footprint over the clock, one panel a workload and one line an allocator: the figure of Johnstone
 * and Wilson, "The Memory Fragmentation Problem: Solved?" (ISMM 1998), figure 1, for several allocators at once.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { namesOf, numbers, requireRows, rowsBy, texts } from "./columns.js";
import { type Clock, type LinePanel, limitPoints, lineChart, liveName, type Mark, type Series } from "./lines.js";
import { type ChartOptions, frameOf, panelHeight, yTickCount } from "./panels.js";
import { byteTicks } from "./units.js";

export interface TimelineOptions extends ChartOptions {
  /** Default: `bytes`, the allocation clock. */
  readonly clock?: Clock;
  /** Moments to mark in the panel of a workload, on the clock. */
  readonly marks?: (workload: string) => readonly Mark[];
}

/**
 * Columns: `workload`, `allocator`, `event`, `bytes` (allocated so far), `live` and `footprint` in bytes; rows of a
 * line in the order of the clock. The live line of a panel is that of the allocator which got furthest. Both scales
 * start at 0 and are the panel's own. Throws an `InputError` for missing columns and more than 5000 points.
 */
export function timeline(table: Table, options: TimelineOptions = {}): TopLevelSpec {
  const chart = "timeline";
  requireRows(chart, table);
  limitPoints(chart, table.rows);
  const frame = frameOf(options);
  const clock = options.clock ?? "bytes";
  const allocator = texts(chart, table, "allocator");
  const at = numbers(chart, table, clock);
  const live = numbers(chart, table, "live");
  const footprint = numbers(chart, table, "footprint");

  const workloads = rowsBy(texts(chart, table, "workload"));
  const height = panelHeight(frame, workloads.size);
  const panels = [...workloads].map(([title, rows]): LinePanel => {
    const lines = [...rowsBy(rows.map((row) => allocator[row]))].map(([name, indices]) => ({
      name,
      rows: indices.map((i) => rows[i]),
    }));
    const end = (line: { rows: number[] }): number => at[line.rows[line.rows.length - 1]];
    const furthest = lines.reduce((best, line) => (end(line) > end(best) ? line : best));
    const series = (name: string, of: readonly number[], chosen: readonly number[]): Series => ({
      name,
      clock: chosen.map((row) => at[row]),
      value: chosen.map((row) => of[row]),
    });
    const marks = options.marks?.(title) ?? [];
    const room = marks.length > 0 ? 1.12 : 1.04;
    const top = Math.max(1, ...rows.map((row) => Math.max(footprint[row], live[row]))) * room;
    return {
      title,
      series: [series(liveName, live, furthest.rows), ...lines.map((line) => series(line.name, footprint, line.rows))],
      domain: [0, top],
      ticks: byteTicks(top, yTickCount(frame.theme, height)),
      marks,
    };
  });
  const names = [liveName, ...namesOf(allocator, options.order)];
  return lineChart(frame, { name: chart, clock, value: "footprint", scale: "linear", names, panels });
}
