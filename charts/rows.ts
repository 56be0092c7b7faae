/** Small multiples of horizontal bars, one named row an allocator: common to the decomposition and the bars. */
import type { TopLevelSpec } from "vega-lite";
import {
  axisHeight,
  type Frame,
  figure,
  type Grid,
  gridOf,
  type Horizontal,
  headings,
  isFirst,
  isLowest,
  type Layer,
  labelExtent,
  nameAxis,
  type Panel,
  panelHead,
  xAxis,
} from "./panels.js";
import { textWidth } from "./text-metrics.js";
import type { Ticks } from "./units.js";

export interface RowPanel {
  readonly title: string;
  /** The rows of data that the layers draw; each has `allocator`. */
  readonly values: readonly Readonly<Record<string, string | number>>[];
  readonly domain: readonly [number, number];
}

export interface RowChart {
  readonly name: string;
  /** Names of the rows, from the top. */
  readonly names: readonly string[];
  readonly panels: readonly RowPanel[];
  readonly scale: "linear" | "log";
  /** Title under the lowest panels. */
  readonly title: string;
  ticks(domain: readonly [number, number], count: number): Ticks;
  /** The marks of a panel; `y`, the row, is encoded already, and so is the axis of `x`. */
  layers(frame: Frame, grid: Grid): Layer[];
}

/** Room right of the longest bar for the text of its value, as a factor on a domain from 0. */
export function roomForValue(frame: Frame, panelWidth: number, text: string): number {
  const needed = textWidth(text, frame.theme.font.label) + 6;
  return panelWidth / Math.max(panelWidth / 2, panelWidth - needed);
}

/** The grid of a row chart: known before the domains, which need room for text. */
export function rowGrid(frame: Frame, names: readonly string[], panels: number): Grid {
  return gridOf(frame, panels, labelExtent(frame.theme, names), Math.ceil(frame.theme.font.label * 1.4));
}

const share = (chart: RowChart, [low, high]: readonly [number, number], value: number): number =>
  chart.scale === "log" ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);

function panelOf(frame: Frame, grid: Grid, chart: RowChart, i: number, head: readonly string[]): Panel {
  const panel = chart.panels[i];
  const across: Horizontal = {
    ticks: (count) => chart.ticks(panel.domain, count),
    share: (value) => share(chart, panel.domain, value),
  };
  const lowest = isLowest(grid, i, chart.panels.length);
  return {
    width: grid.panelWidth,
    height: chart.names.length * frame.theme.row,
    data: { values: panel.values.map((value) => ({ ...value })) },
    encoding: {
      y: {
        field: "allocator",
        type: "nominal",
        scale: { domain: [...chart.names], paddingInner: 0.22, paddingOuter: 0.11 },
        axis: isFirst(grid, i) ? nameAxis(frame, chart.names) : null,
      },
      x: {
        field: "from",
        type: "quantitative",
        scale: { domain: [...panel.domain], nice: false, ...(chart.scale === "log" ? { type: "log", base: 2 } : {}) },
        axis: {
          ...xAxis(frame, grid, across, lowest ? chart.title : null),
          grid: true,
          domain: false,
          ticks: false,
        },
      },
    },
    layer: [...chart.layers(frame, grid), ...panelHead(frame, head, grid.panelWidth)],
  };
}

/** Draws the panels in a grid, with the names of the rows left of the first column. */
export function rowChart(frame: Frame, grid: Grid, chart: RowChart): TopLevelSpec {
  const heads = headings(
    frame,
    chart.panels.map((panel) => panel.title),
    grid.panelWidth,
  );
  const lines = Math.max(...heads.map((head) => head.length));
  const panels = heads.map((head, i) => panelOf(frame, grid, chart, i, head));
  return figure(chart.name, frame, grid, panels, { below: axisHeight(frame.theme), lines });
}
