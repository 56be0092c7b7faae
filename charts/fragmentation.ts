/** The ratio of footprint to live bytes over the clock, on a log axis from 1, where nothing is wasted. */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { namesOf, numbers, requireRows, rowsBy, texts } from "./columns.js";
import { type Clock, type LinePanel, limitPoints, lineChart, type Series } from "./lines.js";
import { type ChartOptions, frameOf, panelHeight } from "./panels.js";
import { factorApart, ratioTicks, sixDigits } from "./units.js";

export interface FragmentationOptions extends ChartOptions {
  /** Default: `bytes`, the allocation clock. */
  readonly clock?: Clock;
}

/** The axis reaches the highest ratio among the moments with at least this share of the peak of live bytes. */
const loadedShare = 0.1;

/**
 * Columns as for the timeline. A moment without live bytes has no ratio and is left out. At the start and the end of
 * a program the ratio goes to infinity: the axis is fitted to the moments with at least a tenth of the peak of live
 * bytes, and lines are clipped above it. Throws an `InputError` for missing columns and more than 5000 points.
 */
export function fragmentation(table: Table, options: FragmentationOptions = {}): TopLevelSpec {
  const chart = "fragmentation";
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
  const panels = [...workloads].map(([title, all]): LinePanel => {
    const rows = all.filter((row) => live[row] > 0);
    const peak = Math.max(0, ...rows.map((row) => live[row]));
    const loaded = rows.filter((row) => live[row] >= loadedShare * peak).map((row) => footprint[row] / live[row]);
    const top = Math.max(1.1, ...loaded) * 1.04;
    const low = Math.min(1, ...loaded);
    const series = [...rowsBy(rows.map((row) => allocator[row]))].map(([name, indices]): Series => {
      const chosen = indices.map((i) => rows[i]);
      return {
        name,
        clock: chosen.map((row) => at[row]),
        value: chosen.map((row) => sixDigits(footprint[row] / live[row])),
      };
    });
    const apart = factorApart(low, top, frame.theme.font.label * 1.5, height);
    return { title, series, domain: [low, top], ticks: ratioTicks(low, top, apart) };
  });
  const names = namesOf(allocator, options.order);
  return lineChart(frame, { name: chart, clock, value: "footprint / live", scale: "log", names, panels });
}
