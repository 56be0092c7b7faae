/**
 * Live bytes against footprint over the clock, one panel a workload and one line an allocator: the figure of Johnstone
 * and Wilson, "The Memory Fragmentation Problem: Solved?" (ISMM 1998), figure 1, for several allocators at once.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { type ClockedOptions, clockedTable } from "./clocked-table.js";
import { type LinePanel, lineChart, liveName, type Mark, type Series } from "./lines.js";
import { yTickCount } from "./panels.js";
import { byteTicks } from "./units.js";

export interface TimelineOptions extends ClockedOptions {
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
  const runs = clockedTable(chart, table, options);
  const { frame, clock, at, live, footprint, workloads, height } = runs;
  const panels = [...workloads].map(([title, rows]): LinePanel => {
    const lines = runs.lines(rows);
    const end = (line: { readonly rows: readonly number[] }): number => at[line.rows[line.rows.length - 1]];
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
  const names = [liveName, ...runs.names];
  // Of a thinned course, steps would hold each kept extreme until the next one.
  const interpolate = "linear";
  return lineChart(frame, { name: chart, clock, value: "footprint", scale: "linear", interpolate, names, panels });
}
