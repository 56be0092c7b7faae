/** A trace in one figure: cumulated sizes and lifetimes, by blocks and by bytes, and the live bytes over its events. */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { InputError } from "../memory/errors.js";
import { numbers, requireRows, texts } from "./columns.js";
import { limitPoints } from "./lines.js";
import {
  axisHeight,
  type ChartOptions,
  type Frame,
  figure,
  frameOf,
  type Grid,
  gridOf,
  type Horizontal,
  headings,
  type Layer,
  labelExtent,
  legendAbove,
  type Panel,
  panelHead,
  panelHeight,
  valueAxis,
  xAxis,
  yTickCount,
} from "./panels.js";
import { ink, seriesStyle } from "./theme.js";
import { byteTicks, countTicks, logByteTicks, percentTicks, sixDigits, type Ticks } from "./units.js";

const heads = { sizes: "Allocated, by size", lifetimes: "Freed, by lifetime", live: "Live bytes" } as const;
type Part = keyof typeof heads;
const parts = Object.keys(heads) as Part[];

/** The lines of the cumulated panels. */
const series = ["blocks", "bytes"] as const;

const titles: Readonly<Record<Part, string>> = {
  sizes: "size, bytes or less",
  lifetimes: "bytes allocated from birth to free",
  live: "events",
};

interface Points {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** The axes of a panel. */
interface Axes {
  readonly x: Horizontal;
  readonly xDomain: readonly [number, number];
  readonly log: boolean;
  readonly yDomain: readonly [number, number];
  readonly yTicks: Ticks;
}

/** What is 0 stands at 1 on a log axis. */
function logAxes(points: readonly Points[], height: number, frame: Frame): Axes {
  const high = Math.max(2, ...points.flatMap(({ x }) => x));
  const low = Math.max(1, Math.min(high / 2, ...points.flatMap(({ x }) => x)) / 1.5);
  return {
    x: {
      ticks: (count) => logByteTicks(low, high, count),
      share: (value) => Math.log(value / low) / Math.log(high / low),
    },
    xDomain: [low, high],
    log: true,
    // A line at 100 % is drawn whole.
    yDomain: [0, 102],
    yTicks: percentTicks(100, yTickCount(frame.theme, height)),
  };
}

function liveAxes(points: readonly Points[], height: number, frame: Frame): Axes {
  const end = Math.max(1, ...points.flatMap(({ x }) => x));
  const top = Math.max(1, ...points.flatMap(({ y }) => y)) * 1.04;
  return {
    x: { ticks: (count) => countTicks(end, count), share: (value) => value / end },
    xDomain: [0, end],
    log: false,
    yDomain: [0, top],
    yTicks: byteTicks(top, yTickCount(frame.theme, height)),
  };
}

function lines(frame: Frame, grid: Grid): Layer {
  const field = { field: "series", type: "nominal" } as const;
  const styles = series.map((_, i) => seriesStyle(i));
  const legend = {
    ...legendAbove(frame, grid, series, 24),
    symbolType: "stroke",
    symbolSize: 24 * 24,
    symbolStrokeWidth: frame.theme.line,
  } as const;
  return {
    mark: { type: "line", interpolate: "step-after", strokeWidth: frame.theme.line, strokeJoin: "round", clip: true },
    encoding: {
      color: { ...field, scale: { domain: [...series], range: styles.map((style) => style.colour) }, legend },
      strokeDash: { ...field, scale: { domain: [...series], range: styles.map((style) => style.dash) }, legend },
    },
  };
}

/** The area under the live bytes, and its outline. */
const area: Layer = {
  mark: {
    type: "area",
    interpolate: "step-after",
    color: ink.liveArea,
    line: { color: ink.live, strokeWidth: 1 },
    clip: true,
  },
};

function panelOf(frame: Frame, grid: Grid, part: Part, points: readonly Points[], axes: Axes, extent: number): Panel {
  return {
    width: grid.panelWidth,
    height: panelHeight(frame, parts.length),
    data: { values: points.map(({ name, x, y }) => ({ series: name, x: [...x], y: [...y] })) },
    transform: [{ flatten: ["x", "y"] }],
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        scale: { domain: [...axes.xDomain], nice: false, ...(axes.log ? { type: "log", base: 2 } : {}) },
        // Each panel has a scale of its own, hence a title of its own.
        axis: xAxis(frame, grid, axes.x, titles[part]),
      },
      y: {
        field: "y",
        type: "quantitative",
        scale: { domain: [...axes.yDomain], nice: false },
        axis: valueAxis(axes.yTicks, extent, null),
      },
    },
    layer: [
      part === "live" ? area : lines(frame, grid),
      ...panelHead(frame, headings(frame, [heads[part]], grid.panelWidth)[0], grid.panelWidth, axes.yTicks.unit),
    ],
  };
}

function pointsOf(chart: string, table: Table, part: Part): Points[] {
  const where = texts(chart, table, "part");
  const name = texts(chart, table, "series");
  const x = numbers(chart, table, "x");
  const y = numbers(chart, table, "y");
  const rows = where.flatMap((one, row) => (one === part ? [row] : []));
  const factor = part === "live" ? 1 : 100;
  return [...new Set(rows.map((row) => name[row]))].map((one) => {
    const own = rows.filter((row) => name[row] === one);
    const low = part === "live" ? 0 : 1;
    return {
      name: one,
      x: own.map((row) => Math.max(low, x[row])),
      y: own.map((row) => sixDigits(factor * y[row])),
    };
  });
}

/**
 * Columns: `part` (`sizes`, `lifetimes` or `live`), `series` (`blocks` or `bytes`), `x` in bytes (`live`: events) and `y`, a
 * share (`live`: bytes), in the order of x. Throws an `InputError` for missing columns, an unknown part and more than 5000 points.
 */
export function portrait(table: Table, options: ChartOptions = {}): TopLevelSpec {
  const chart = "portrait";
  requireRows(chart, table);
  limitPoints(chart, table.rows);
  const frame = frameOf(options);
  const strange = texts(chart, table, "part").find((part) => !parts.includes(part as Part));
  if (strange !== undefined) throw new InputError(`chart ${chart}: part "${strange}": expected ${parts.join(", ")}`);
  const height = panelHeight(frame, parts.length);
  const shown = parts.map((part) => {
    const points = pointsOf(chart, table, part);
    return { part, points, axes: (part === "live" ? liveAxes : logAxes)(points, height, frame) };
  });
  const extent = labelExtent(
    frame.theme,
    shown.flatMap(({ axes }) => [...axes.yTicks.labels, axes.yTicks.unit]),
  );
  const grid = gridOf(frame, parts.length, extent, extent + Math.ceil(frame.theme.font.label));
  const panels = shown.map(({ part, points, axes }) => panelOf(frame, grid, part, points, axes, extent));
  const below = axisHeight(frame.theme) + Math.ceil(frame.theme.font.title * 1.6);
  return figure(chart, frame, grid, panels, { below, lines: 1 });
}
