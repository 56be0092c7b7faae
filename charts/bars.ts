/**
 * One number for each allocator on each workload, as bars from the baseline 1 on a log2 axis: a ratio such as peak
 * footprint to peak live bytes, or footprint to that of a baseline. Twice as much and half as much are equally long.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { InputError } from "../memory/errors.js";
import { namesOf, numbers, requireRows, rowsBy, texts } from "./columns.js";
import { type ChartOptions, frameOf, type Layer } from "./panels.js";
import { type RowPanel, roomForValue, rowChart, rowGrid } from "./rows.js";
import { distinctColours, ink, seriesStyle } from "./theme.js";
import { factorApart, ratioTicks, sixDigits } from "./units.js";

export interface BarOptions extends ChartOptions {
  /** What the value is: the title of the axis. Default: `peak footprint / peak live`. */
  readonly value?: string;
}

/** Room left of the longest bar below 1, as a share of the axis: a bar that reaches the edge looks cut off. */
const MARGIN = 0.03;

/** Ratios nearer to 1 than this, on the log axis, need another digit. */
const NEAR = 0.1;

/** About three digits, without exponent; four where all values are near 1. */
function labelOf(value: number, fine: boolean): string {
  if (fine) return value.toFixed(3);
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  return value >= 0.1 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
}

function layers(names: readonly string[], intervals: boolean) {
  return (): Layer[] => {
    // The rows are labelled: where colours would come again, they would say nothing.
    const range = names.map((_, i) => seriesStyle(names.length > distinctColours ? 0 : i).colour);
    const bar: Layer = {
      mark: { type: "bar" },
      encoding: {
        x: { field: "value", type: "quantitative" },
        x2: { datum: 1 },
        color: { field: "allocator", type: "nominal", scale: { domain: [...names], range }, legend: null },
      },
    };
    const interval: Layer = {
      transform: [{ filter: "datum.hi > datum.lo" }],
      mark: { type: "rule", color: ink.text, strokeWidth: 0.9 },
      encoding: { x: { field: "lo", type: "quantitative" }, x2: { field: "hi" } },
    };
    const baseline: Layer = {
      data: { values: [{ baseline: 1 }] },
      mark: { type: "rule", color: ink.live, strokeWidth: 0.8 },
      encoding: { x: { field: "baseline", type: "quantitative" }, y: { value: 0 }, y2: { value: "height" } },
    };
    const number: Layer = {
      mark: { type: "text", align: "left", baseline: "middle", dx: 3 },
      encoding: {
        x: { field: "end", type: "quantitative" },
        text: { field: "label", type: "nominal" },
      },
    };
    return [bar, baseline, ...(intervals ? [interval] : []), number];
  };
}

/**
 * Columns: `workload`, `allocator`, `value` (above 0), and optionally `lo` and `hi`, the ends of an interval, NaN where
 * there is none. All panels share one scale. Throws an `InputError` for missing columns and values that no log axis has.
 */
export function bars(table: Table, options: BarOptions = {}): TopLevelSpec {
  const chart = "bars";
  requireRows(chart, table);
  const frame = frameOf(options);
  const allocator = texts(chart, table, "allocator");
  const value = numbers(chart, table, "value");
  const lo = table.columns.get("lo");
  const hi = table.columns.get("hi");
  const odd = value.findIndex((v) => v <= 0);
  if (odd >= 0) throw new InputError(`chart bars: row ${odd}: a ratio is above 0, but this is ${value[odd]}`);
  const ends = value.map((v, row): [number, number] => {
    const interval = [Number(lo?.[row] ?? Number.NaN), Number(hi?.[row] ?? Number.NaN)];
    return interval[0] > 0 && interval[1] >= interval[0] ? [interval[0], interval[1]] : [v, v];
  });
  const names = namesOf(allocator, options.order);
  const shown = names.filter((name) => allocator.includes(name));

  const workloads = rowsBy(texts(chart, table, "workload"));
  const grid = rowGrid(frame, shown, workloads.size);
  const fine = value.every((v) => Math.abs(Math.log(v)) < NEAR);
  const least = Math.min(1, ...ends.map(([start]) => start));
  const high = Math.max(1.05, ...ends.map(([, end]) => end));
  const low = least < 1 ? least * Math.exp(-MARGIN * Math.log(high / least)) : 1;
  // The room for the text is a share of the width, so on a log axis it is a power.
  const room = Math.max(...value.map((v) => roomForValue(frame, grid.panelWidth, labelOf(v, fine))));
  const domain = [sixDigits(low), sixDigits(low * Math.exp(Math.log(high / low) * room))] as const;
  const panels = [...workloads].map(
    ([title, rows]): RowPanel => ({
      title,
      domain,
      values: rows.map((row) => ({
        allocator: allocator[row],
        value: sixDigits(value[row]),
        label: labelOf(value[row], fine),
        lo: sixDigits(ends[row][0]),
        hi: sixDigits(ends[row][1]),
        end: sixDigits(Math.max(1, ends[row][1])),
      })),
    }),
  );
  const intervals = ends.some(([start, end]) => end > start);
  return rowChart(frame, grid, {
    name: chart,
    names: shown,
    panels,
    scale: "log",
    title: options.value ?? "peak footprint / peak live",
    ticks: ([start, end], count) => ratioTicks(start, end, factorApart(start, end, 1, 2 * count)),
    layers: layers(names, intervals),
  });
}
