/**
 * Values over a parameter: points for what was measured, with intervals where there are any, and a line through the
 * points or along what theory expects. Small multiples that share both scales.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { InputError } from "../memory/errors.js";
import { namesOf, numbers, requireRows, rowsBy, texts } from "./columns.js";
import { limitPoints } from "./lines.js";
import {
  axisHeight,
  type ChartOptions,
  type Frame,
  figure,
  frameOf,
  type Grid,
  gridOf,
  headings,
  isFirst,
  isLowest,
  type Layer,
  labelExtent,
  legendAbove,
  type Panel,
  panelHead,
  panelHeight,
  titleExtent,
  valueAxis,
  xAxis,
  yTickCount,
} from "./panels.js";
import { seriesStyle } from "./theme.js";
import { byteTicks, countTicks, factorApart, percentTicks, ratioTicks, sixDigits, type Ticks } from "./units.js";

/** What an axis counts; `share` is written in percent. */
export type Quantity = "bytes" | "count" | "share";

export interface CurveAxis {
  readonly title: string;
  readonly quantity: Quantity;
  readonly scale: "linear" | "log";
}

export interface CurveOptions extends ChartOptions {
  readonly x: CurveAxis;
  /** On a log axis the value 1 is always a tick, so it is for counts and ratios. */
  readonly y: CurveAxis;
}

interface Row {
  readonly series: string;
  readonly x: number;
  readonly y: number | null;
  readonly line: number | null;
  readonly lo: number | null;
  readonly hi: number | null;
}

const shapes = ["circle", "square", "triangle-up", "diamond", "cross", "triangle-down", "triangle-right"] as const;

/** Area and length of the symbols of the legend, in square px and px. */
const SYMBOL = 60;
const STROKE = 11;

/** A piece of a line as a symbol, for a series without points: Vega scales the path so that 1 is half the root of the area. */
function strokeSymbol(width: number, dash: readonly number[]): string {
  const unit = Math.sqrt(SYMBOL) / 2;
  const pieces: string[] = [];
  const [up, down] = [-width, width].map((edge) => sixDigits(edge / 2 / unit));
  let at = 0;
  for (let i = 0; at < STROKE; i++) {
    const end = Math.min(STROKE, at + (dash[i % dash.length] ?? STROKE));
    const [left, right] = [at, end].map((x) => sixDigits((x - STROKE / 2) / unit));
    if (i % 2 === 0) pieces.push(`M${left},${up}L${right},${up}L${right},${down}L${left},${down}Z`);
    at = end;
  }
  return pieces.join("");
}

/** Text of a value on a log axis, with its unit. */
function logLabel(quantity: Quantity, value: number): string {
  if (quantity === "share") return `${sixDigits(100 * value)} %`;
  const ticks = quantity === "bytes" ? byteTicks(value, 1) : countTicks(value, 1);
  const scale = quantity === "bytes" ? 1024 : 1000;
  let shown = value;
  for (let unit = value; unit >= scale; unit /= scale) shown = unit / scale;
  const suffix = quantity === "bytes" ? ` ${ticks.unit}` : (ticks.labels.at(-1) ?? "").replace(/[\d.]/g, "");
  return `${sixDigits(shown)}${suffix}`;
}

/** At most `count` powers of `base` in a domain, equally far apart. */
function logTicks(quantity: Quantity, [low, high]: readonly [number, number], base: number, count: number): Ticks {
  const powers: number[] = [];
  let power = 1;
  while (power > low) power /= base;
  for (; power <= high * (1 + 1e-9); power *= base) if (power >= low * (1 - 1e-9)) powers.push(sixDigits(power));
  const every = Math.ceil(powers.length / Math.max(1, count));
  const values = powers.filter((_, i) => i % every === 0);
  const labels = values.map((value) => logLabel(quantity, value));
  const expression = labels.reduceRight(
    (rest, label, i) =>
      i === labels.length - 1 ? `'${label}'` : `datum.value < ${sixDigits(values[i] * 1.01)} ? '${label}' : ${rest}`,
    "''",
  );
  return { values, labels, unit: "", expression };
}

function ticksOf(axis: CurveAxis, domain: readonly [number, number], count: number): Ticks {
  if (axis.scale === "log") {
    const powers = logTicks(axis.quantity, domain, axis.quantity === "bytes" ? 2 : 10, count);
    const [low, high] = domain;
    // A scale cannot be read off a single power of ten.
    const isShort = axis.quantity === "count" && powers.values.length < 2 && low <= 1 && high >= 1;
    return isShort ? ratioTicks(low, high, factorApart(low, high, 1, count)) : powers;
  }
  if (axis.quantity === "bytes") return byteTicks(domain[1], count);
  if (axis.quantity === "count") return countTicks(domain[1], count);
  const percent = percentTicks(100 * domain[1], count);
  return {
    ...percent,
    values: percent.values.map((value) => sixDigits(value / 100)),
    expression: "format(100 * datum.value, '~r')",
  };
}

/** The y axis of a log scale is of counts or ratios, which have ticks that read well. */
function yTicksOf(frame: Frame, axis: CurveAxis, domain: readonly [number, number], height: number): Ticks {
  if (axis.scale === "linear") return ticksOf(axis, domain, yTickCount(frame.theme, height));
  return ratioTicks(domain[0], domain[1], factorApart(domain[0], domain[1], frame.theme.font.label * 1.5, height));
}

function shareOf(axis: CurveAxis, [low, high]: readonly [number, number], value: number): number {
  return axis.scale === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
}

interface Chart {
  readonly options: CurveOptions;
  readonly names: readonly string[];
  /** Names of the series that have points. */
  readonly marked: ReadonlySet<string>;
  readonly xDomain: readonly [number, number];
  readonly yDomain: readonly [number, number];
  readonly yTicks: Ticks;
  readonly height: number;
}

function layersOf(frame: Frame, grid: Grid, { names, marked }: Chart): Layer[] {
  const styles = names.map((_, i) => seriesStyle(i));
  const scale = (range: readonly unknown[]) => ({ domain: [...names], range: [...range] as never[] });
  const legend = { ...legendAbove(frame, grid, names, 24), symbolSize: SYMBOL } as const;
  const series = { field: "series", type: "nominal" } as const;
  const color = { ...series, scale: scale(styles.map(({ colour }) => colour)), legend };
  const symbols = names.map((name, i) =>
    marked.has(name) ? shapes[i % shapes.length] : strokeSymbol(frame.theme.line, styles[i].dash),
  );
  const shape = { ...series, scale: scale(symbols), legend };
  // A layer for each series: as a scale, the dash would be drawn around the symbols of the legend too.
  const lines = names.map(
    (name, i): Layer => ({
      transform: [{ filter: { and: [{ field: "series", equal: name }, "isValid(datum.line)"] } }],
      mark: {
        type: "line",
        strokeWidth: frame.theme.line,
        strokeJoin: "round",
        clip: true,
        ...(styles[i].dash.length > 0 ? { strokeDash: styles[i].dash } : {}),
      },
      encoding: { y: { field: "line", type: "quantitative" }, color },
    }),
  );
  const interval: Layer = {
    transform: [{ filter: "isValid(datum.lo)" }],
    mark: { type: "rule", strokeWidth: 1, clip: true },
    encoding: { y: { field: "lo", type: "quantitative" }, y2: { field: "hi" }, color },
  };
  const point: Layer = {
    transform: [{ filter: "isValid(datum.y)" }],
    mark: { type: "point", filled: true, size: 5 * frame.theme.font.label * 0.7, opacity: 1 },
    encoding: { y: { field: "y", type: "quantitative" }, color, shape },
  };
  return [...lines, interval, point];
}

function panelOf(
  frame: Frame,
  grid: Grid,
  chart: Chart,
  i: number,
  panels: number,
  rows: readonly Row[],
  head: readonly string[],
  extent: number,
): Panel {
  const { options, xDomain, yDomain, yTicks, height } = chart;
  const across = {
    ticks: (count: number) => ticksOf(options.x, xDomain, count),
    share: (value: number) => shareOf(options.x, xDomain, value),
  };
  const yAxis = valueAxis(yTicks, extent, isFirst(grid, i) ? options.y.title : null);
  const scaleOf = (axis: CurveAxis, domain: readonly [number, number]) => ({
    domain: [...domain],
    nice: false,
    ...(axis.scale === "log" ? { type: "log" as const } : { zero: true }),
  });
  return {
    width: grid.panelWidth,
    height,
    data: { values: rows.map((row) => ({ ...row })) },
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        scale: scaleOf(options.x, xDomain),
        axis: xAxis(frame, grid, across, isLowest(grid, i, panels) ? options.x.title : null),
      },
      y: { field: "y", type: "quantitative", scale: scaleOf(options.y, yDomain), axis: yAxis },
    },
    layer: [...layersOf(frame, grid, chart), ...panelHead(frame, head, grid.panelWidth, yTicks.unit)],
  };
}

function domainOf(axis: CurveAxis, values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (axis.scale === "linear") return [0, sixDigits(Math.max(high, 1e-9) * 1.04)];
  if (low <= 0) throw new InputError(`chart curves: ${low} on the log axis "${axis.title}": give values above 0`);
  const room = Math.max(1.05, Math.exp(Math.log(high / low) * 0.03));
  return [sixDigits(low / room), sixDigits(high * room)];
}

/**
 * Columns: `workload` (the panel), `allocator` (the series), `x`, `y` (NaN for no point), and optionally `line` (where the
 * line runs; default: through the points; NaN for none) and `lo` and `hi`, the ends of an interval (NaN for none).
 * Throws an `InputError` for missing columns, more than 5000 rows, and values that a log axis does not have.
 */
export function curves(table: Table, options: CurveOptions): TopLevelSpec {
  const name = "curves";
  requireRows(name, table);
  limitPoints(name, table.rows);
  const frame = frameOf(options);
  const series = texts(name, table, "allocator");
  const workload = texts(name, table, "workload");
  const x = numbers(name, table, "x");
  const optional = (column: string, row: number): number | null => {
    const value = Number(table.columns.get(column)?.[row] ?? Number.NaN);
    return Number.isFinite(value) ? sixDigits(value) : null;
  };
  const rows = x.map((at, row): Row => {
    const y = optional("y", row);
    const line = table.columns.has("line") ? optional("line", row) : y;
    return { series: series[row], x: sixDigits(at), y, line, lo: optional("lo", row), hi: optional("hi", row) };
  });
  const shown = rows.flatMap(({ y, line, lo, hi }) => [y, line, lo, hi].filter((value) => value !== null));
  const xDomain = domainOf(options.x, x);
  const yDomain = domainOf(options.y, shown);
  const groups = rowsBy(workload);
  const height = Math.round(panelHeight(frame, groups.size) * 1.25);
  const yTicks = yTicksOf(frame, options.y, yDomain, height);
  const names = namesOf(series, options.order);
  const marked = new Set(rows.filter(({ y }) => y !== null).map((row) => row.series));
  const chart: Chart = { options, names, marked, xDomain, yDomain, yTicks, height };
  const extent = labelExtent(frame.theme, [...yTicks.labels, yTicks.unit]);
  const grid = gridOf(
    frame,
    groups.size,
    extent + titleExtent(frame.theme),
    extent + Math.ceil(frame.theme.font.label),
  );
  const heads = headings(frame, [...groups.keys()], grid.panelWidth);
  const panels = [...groups.values()].map((indices, i) =>
    panelOf(
      frame,
      grid,
      chart,
      i,
      groups.size,
      indices.map((row) => rows[row]),
      heads[i],
      extent,
    ),
  );
  const lines = Math.max(...heads.map((head) => head.length));
  return figure(name, frame, grid, panels, { below: axisHeight(frame.theme), lines });
}
