/**
 * A value for each pair of two parameters, as a grid of tinted cells with the value written in: darker is more. One panel
 * a workload, each with a scale of its own from its least to its greatest value.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { numbers, requireRows, rowsBy, texts } from "./columns.js";
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
  type Panel,
  panelHead,
  titleExtent,
} from "./panels.js";
import { ink } from "./theme.js";
import { sixDigits } from "./units.js";

export interface MatrixOptions extends ChartOptions {
  /** Titles of the axes. */
  readonly across: string;
  readonly down: string;
}

/** From near white to a blue on which white text reads well; lightness falls evenly, so it survives grey print. */
const ramp = ["#f4f8fb", "#cfe1ee", "#9cc3de", "#5f9dc6", "#2f76a8", "#0f4f80"];
/** Cells beyond this share of the range have white text. */
const dark = 0.62;

/** Three digits, without exponent. */
const labelOf = (value: number): string => {
  if (value >= 100) return value.toFixed(0);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
};

interface Axes {
  readonly columns: readonly string[];
  readonly rows: readonly string[];
  readonly extent: number;
}

function panelOf(
  frame: Frame,
  grid: Grid,
  options: MatrixOptions,
  axes: Axes,
  i: number,
  panels: number,
  cells: readonly { readonly column: string; readonly row: string; readonly value: number }[],
  head: readonly string[],
): Panel {
  const values = cells.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const share = (value: number): number => (high > low ? (value - low) / (high - low) : 0);
  const best = cells.find(({ value }) => value === low);
  const rect: Layer = {
    mark: { type: "rect", stroke: "white", strokeWidth: 1 },
    encoding: { color: { field: "share", type: "quantitative", scale: { domain: [0, 1], range: ramp }, legend: null } },
  };
  const text: Layer = {
    mark: { type: "text", align: "center", baseline: "middle" },
    encoding: {
      text: { field: "label", type: "nominal" },
      color: { condition: { test: `datum.share > ${dark}`, value: "white" }, value: ink.text },
    },
  };
  const least: Layer = {
    transform: [{ filter: `datum.column === '${best?.column}' && datum.row === '${best?.row}'` }],
    mark: { type: "rect", filled: false, stroke: ink.text, strokeWidth: 1.4 },
  };
  return {
    width: grid.panelWidth,
    height: Math.round(axes.rows.length * frame.theme.row * 1.5),
    data: {
      values: cells.map(({ column, row, value }) => ({
        column,
        row,
        share: sixDigits(share(value)),
        label: labelOf(value),
      })),
    },
    encoding: {
      x: {
        field: "column",
        type: "nominal",
        scale: { domain: [...axes.columns], padding: 0 },
        axis: {
          labelAngle: 0,
          labelOverlap: false,
          domain: false,
          ticks: false,
          title: isLowest(grid, i, panels) ? options.across : null,
        },
      },
      y: {
        field: "row",
        type: "nominal",
        scale: { domain: [...axes.rows], padding: 0 },
        axis: isFirst(grid, i)
          ? { domain: false, ticks: false, minExtent: axes.extent, maxExtent: axes.extent, title: options.down }
          : null,
      },
    },
    layer: [rect, text, least, ...panelHead(frame, head, grid.panelWidth)],
  };
}

/**
 * Columns: `workload` (the panel), `allocator` (the column of the grid), `row`, and `value`. Columns and rows stand in the
 * order in which they appear first; the least value of a panel is framed. Throws an `InputError` for missing columns.
 */
export function matrix(table: Table, options: MatrixOptions): TopLevelSpec {
  const name = "matrix";
  requireRows(name, table);
  const frame = frameOf(options);
  const column = texts(name, table, "allocator");
  const row = texts(name, table, "row");
  const value = numbers(name, table, "value");
  const groups = rowsBy(texts(name, table, "workload"));
  const axes: Axes = {
    columns: [...new Set(column)],
    rows: [...new Set(row)],
    extent: labelExtent(frame.theme, [...new Set(row)]),
  };
  const left = axes.extent + titleExtent(frame.theme);
  const grid = gridOf(frame, groups.size, left, Math.ceil(frame.theme.font.label * 1.6));
  const heads = headings(frame, [...groups.keys()], grid.panelWidth);
  const panels = [...groups.values()].map((indices, i) => {
    const cells = indices.map((at) => ({ column: column[at], row: row[at], value: value[at] }));
    return panelOf(frame, grid, options, axes, i, groups.size, cells, heads[i]);
  });
  const lines = Math.max(...heads.map((head) => head.length));
  return figure(name, frame, grid, panels, { below: axisHeight(frame.theme), lines });
}
