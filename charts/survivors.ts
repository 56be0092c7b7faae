/** What returns when the oldest survivors go, one by one: arenas and pools that stay, against the bytes that are live. */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { numbers, requireRows, rowsBy, texts } from "./columns.js";
import { type LinePanel, lineChart, liveName } from "./lines.js";
import { type ChartOptions, frameOf, panelHeight, yTickCount } from "./panels.js";
import { byteTicks } from "./units.js";

/**
 * Columns, one panel an allocator: `allocator`, `freed` (survivors gone, oldest first, ascending), and bytes that are still
 * there: `live`, `pools` (in use) and `arenas`. Throws an `InputError` for missing columns and more than 5000 points.
 */
export function survivorCurve(table: Table, options: ChartOptions = {}): TopLevelSpec {
  const chart = "survivors";
  requireRows(chart, table);
  const frame = frameOf(options);
  const allocators = rowsBy(texts(chart, table, "allocator"));
  const freed = numbers(chart, table, "freed");
  const lines = [
    { name: liveName, bytes: numbers(chart, table, "live") },
    { name: "arenas mapped", bytes: numbers(chart, table, "arenas") },
    { name: "pools in use", bytes: numbers(chart, table, "pools") },
  ];
  const height = panelHeight(frame, allocators.size);
  const panels = [...allocators].map(([title, rows]): LinePanel => {
    const of = (column: readonly number[]): number[] => rows.map((row) => column[row]);
    const series = lines.map(({ name, bytes }) => ({ name, clock: of(freed), value: of(bytes) }));
    const top = Math.max(1, ...series.flatMap(({ value }) => value)) * 1.04;
    return { title, series, domain: [0, top], ticks: byteTicks(top, yTickCount(frame.theme, height)) };
  });
  const names = lines.map(({ name }) => name);
  return lineChart(frame, { name: chart, clock: "survivors", value: "bytes", scale: "linear", names, panels });
}
