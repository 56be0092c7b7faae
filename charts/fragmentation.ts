/** The ratio of footprint to live bytes over the clock, on a log axis from 1, where nothing is wasted. */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { type ClockedOptions, clockedTable } from "./clocked-table.js";
import { type LinePanel, lineChart, type Series } from "./lines.js";
import { factorApart, ratioTicks, sixDigits } from "./units.js";

/** The axis reaches the highest ratio among the moments with at least this share of the peak of live bytes. */
const loadedShare = 0.1;

/**
 * Columns as for the timeline. A moment without live bytes has no ratio and is left out. At the start and the end of
 * a program the ratio goes to infinity: the axis is fitted to the moments with at least a tenth of the peak of live
 * bytes, and lines are clipped above it. Throws an `InputError` for missing columns and more than 5000 points.
 */
export function fragmentation(table: Table, options: ClockedOptions = {}): TopLevelSpec {
  const chart = "fragmentation";
  const { frame, clock, at, live, footprint, workloads, height, names, lines } = clockedTable(chart, table, options);
  const panels = [...workloads].map(([title, all]): LinePanel => {
    const rows = all.filter((row) => live[row] > 0);
    const peak = Math.max(0, ...rows.map((row) => live[row]));
    const loaded = rows.filter((row) => live[row] >= loadedShare * peak).map((row) => footprint[row] / live[row]);
    const top = Math.max(1.1, ...loaded) * 1.04;
    const low = Math.min(1, ...loaded);
    const series = lines(rows).map(
      (line): Series => ({
        name: line.name,
        clock: line.rows.map((row) => at[row]),
        value: line.rows.map((row) => sixDigits(footprint[row] / live[row])),
      }),
    );
    const apart = factorApart(low, top, frame.theme.font.label * 1.5, height);
    return { title, series, domain: [low, top], ticks: ratioTicks(low, top, apart) };
  });
  // The kept moments are extremes, the worst of them troughs of live bytes: as steps, these would last until the next one.
  const interpolate = "linear";
  return lineChart(frame, { name: chart, clock, value: "footprint / live", scale: "log", interpolate, names, panels });
}
