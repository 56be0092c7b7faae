/** Small multiples of step lines over a clock: the common part of the timeline and the fragmentation chart. */
import type { TopLevelSpec } from "vega-lite";
import type { Axis } from "vega-lite/types_unstable/axis.js";
import { InputError } from "../memory/errors.js";
import {
  axisHeight,
  type Frame,
  figure,
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
} from "./panels.js";
import { textWidth } from "./text-metrics.js";
import { ink, seriesStyle } from "./theme.js";
import { byteTicks, countTicks, type Ticks } from "./units.js";

/** More points than this are more than the eye can see, and make a spec too large to commit. */
export const maxPoints = 5000;

/** The x axis: index of the event in the trace, bytes allocated so far, survivors that have been freed, oldest first, or virtual ms. */
export type Clock = "event" | "bytes" | "survivors" | "virtual";

/** Name of the line of live bytes, which is not an allocator. */
export const liveName = "live (requested)";

export interface Series {
  readonly name: string;
  readonly clock: readonly number[];
  readonly value: readonly number[];
}

/** A moment that is marked by a rule across the panel. */
export interface Mark {
  readonly at: number;
  readonly label: string;
}

export interface LinePanel {
  readonly title: string;
  readonly series: readonly Series[];
  readonly domain: readonly [number, number];
  readonly ticks: Ticks;
  /** Ascending. Marks too close for their labels share one rule. */
  readonly marks?: readonly Mark[];
}

export interface LineChart {
  readonly name: string;
  readonly clock: Clock;
  /** Name of the value: the field in the data and the title of the y axis. */
  readonly value: string;
  readonly scale: "linear" | "log";
  /** How points are joined: `linear` where a moment must not stand for all that follow it in a thinned line. */
  readonly interpolate?: "step-after" | "linear";
  /** Every series of the legend, in the order of their colours; `liveName` is drawn black over a grey area. */
  readonly names: readonly string[];
  readonly panels: readonly LinePanel[];
}

const clockTitle: Readonly<Record<Clock, string>> = {
  event: "events",
  bytes: "bytes allocated",
  survivors: "survivors freed, oldest first",
  virtual: "virtual time, ms",
};

/** Domain and range of the colour and the dash of each series. */
function styles(names: readonly string[]): { domain: string[]; colours: string[]; dashes: number[][] } {
  const allocators = names.filter((name) => name !== liveName);
  const of = (name: string) =>
    name === liveName ? { colour: ink.live, dash: [] } : seriesStyle(allocators.indexOf(name));
  return { domain: [...names], colours: names.map((n) => of(n).colour), dashes: names.map((n) => of(n).dash) };
}

function clockAxis(frame: Frame, grid: Grid, chart: LineChart, end: number, lowest: boolean): Axis<never> {
  const ticks = (count: number): Ticks => (chart.clock === "bytes" ? byteTicks : countTicks)(end, count);
  return xAxis(frame, grid, { ticks, share: (value) => value / end }, lowest ? clockTitle[chart.clock] : null);
}

/** Rules at the marks, with their labels at the top. */
function markLayers(frame: Frame, grid: Grid, marks: readonly Mark[], end: number): Layer[] {
  const size = frame.theme.font.label;
  const perPixel = end / grid.panelWidth;
  const drawn: { at: number; label: string }[] = [];
  for (const { at, label } of marks) {
    const last = drawn.at(-1);
    const room = last === undefined ? 0 : (textWidth(last.label, size) + 6) * perPixel;
    if (last !== undefined && at - last.at < room) last.label = `${last.label} ${label}`;
    else drawn.push({ at, label });
  }
  if (drawn.length === 0) return [];
  const x = { field: "at", type: "quantitative" } as const;
  return [
    {
      data: { values: drawn },
      mark: { type: "rule", color: ink.axis, strokeWidth: 0.6, strokeDash: [1, 2] },
      encoding: { x, y: { value: 0 }, y2: { value: "height" } },
    },
    {
      data: { values: drawn },
      mark: { type: "text", align: "left", baseline: "top", dx: 3, dy: 2, fontSize: size, color: ink.text },
      encoding: { x, y: { value: 0 }, text: { field: "label", type: "nominal" } },
    },
  ];
}

function panelOf(
  frame: Frame,
  grid: Grid,
  chart: LineChart,
  i: number,
  head: readonly string[],
  extent: number,
): Panel {
  const panel = chart.panels[i];
  const end = Math.max(1, ...panel.series.map((series) => series.clock.at(-1) ?? 0));
  const { domain, colours, dashes } = styles(chart.names);
  const legend = { ...legendAbove(frame, grid, chart.names, 24), symbolType: "stroke", symbolSize: 24 * 24 } as const;
  const lineLegend = { ...legend, symbolStrokeWidth: frame.theme.line };
  const series = { field: "series", type: "nominal" } as const;
  const area: Layer = {
    transform: [{ filter: { field: "series", equal: liveName } }],
    mark: { type: "area", interpolate: chart.interpolate ?? "step-after", color: ink.liveArea, clip: true },
    // Events that allocate nothing share a moment of the allocation clock: stacking would add them up.
    encoding: { y: { field: chart.value, type: "quantitative", stack: null } },
  };
  const lines: Layer = {
    mark: {
      type: "line",
      interpolate: chart.interpolate ?? "step-after",
      strokeWidth: frame.theme.line,
      strokeJoin: "round",
      clip: true,
    },
    encoding: {
      color: { ...series, scale: { domain, range: colours }, legend: lineLegend },
      strokeDash: { ...series, scale: { domain, range: dashes }, legend: lineLegend },
    },
  };
  return {
    width: grid.panelWidth,
    height: panelHeight(frame, chart.panels.length),
    data: {
      values: panel.series.map(({ name, clock, value }) => ({
        series: name,
        [chart.clock]: [...clock],
        [chart.value]: [...value],
      })),
    },
    transform: [{ flatten: [chart.clock, chart.value] }],
    encoding: {
      x: {
        field: chart.clock,
        type: "quantitative",
        scale: { domain: [0, end], nice: false },
        axis: clockAxis(frame, grid, chart, end, isLowest(grid, i, chart.panels.length)),
      },
      y: {
        field: chart.value,
        type: "quantitative",
        scale: { domain: [...panel.domain], nice: false, ...(chart.scale === "log" ? { type: "log", base: 2 } : {}) },
        axis: valueAxis(panel.ticks, extent, isFirst(grid, i) ? chart.value : null),
      },
    },
    layer: [
      ...(chart.names.includes(liveName) ? [area] : []),
      lines,
      ...markLayers(frame, grid, panel.marks ?? [], end),
      ...panelHead(frame, head, grid.panelWidth, panel.ticks.unit),
    ],
  };
}

/** Throws an `InputError` for more points than can be seen. */
export function limitPoints(chart: string, points: number): void {
  if (points <= maxPoints) return;
  throw new InputError(`chart ${chart}: ${points} points, but at most ${maxPoints} can be seen: thin the table`);
}

/** Draws the panels in a grid. Throws an `InputError` for more than `maxPoints` points. */
export function lineChart(frame: Frame, chart: LineChart): TopLevelSpec {
  const points = chart.panels.flatMap((panel) => panel.series).reduce((sum, series) => sum + series.clock.length, 0);
  limitPoints(chart.name, points);
  const { theme } = frame;
  const labels = chart.panels.flatMap((panel) => [...panel.ticks.labels, panel.ticks.unit]);
  const extent = labelExtent(theme, labels);
  const grid = gridOf(frame, chart.panels.length, extent + titleExtent(theme), extent + Math.ceil(theme.font.label));
  const heads = headings(
    frame,
    chart.panels.map((panel) => panel.title),
    grid.panelWidth,
  );
  const lines = Math.max(...heads.map((head) => head.length));
  const panels = heads.map((head, i) => panelOf(frame, grid, chart, i, head, extent));
  return figure(chart.name, frame, grid, panels, { below: axisHeight(theme), lines });
}
