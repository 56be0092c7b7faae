/** What returns when the oldest survivors go, one by one: arenas and pools that stay against the bytes that are live. */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { numbers, requireRows } from "./columns.js";
import { lineChart, liveName } from "./lines.js";
import { type ChartOptions, frameOf, panelHeight, yTickCount } from "./panels.js";
import { byteTicks } from "./units.js";

/**
 * Columns: `freed` (survivors gone, oldest first, ascending), and bytes that are still there: `live`, `pools` (in use) and
 * `arenas`. Throws an `InputError` for missing columns and more than 5000 points.
 */
export function survivorCurve(table: Table, options: ChartOptions = {}): TopLevelSpec {
  const chart = "survivors";
  requireRows(chart, table);
  const frame = frameOf(options);
  const clock = numbers(chart, table, "freed");
  const lines = [
    { name: liveName, value: numbers(chart, table, "live") },
    { name: "arenas mapped", value: numbers(chart, table, "arenas") },
    { name: "pools in use", value: numbers(chart, table, "pools") },
  ];
  const top = Math.max(1, ...lines.flatMap((line) => line.value)) * 1.04;
  const ticks = byteTicks(top, yTickCount(frame.theme, panelHeight(frame, 1)));
  const series = lines.map(({ name, value }) => ({ name, clock, value }));
  const panels = [{ title: "", series, domain: [0, top] as const, ticks }];
  const names = lines.map((line) => line.name);
  return lineChart(frame, { name: chart, clock: "survivors", value: "bytes", scale: "linear", names, panels });
}
