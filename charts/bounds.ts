/**
 * Measured points between the lines of theory: a worst case against the size of the largest request, or against the
 * share that may be moved. What no allocator of the kind in question can reach is shaded.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
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
  type Horizontal,
  headings,
  isFirst,
  type Layer,
  labelExtent,
  legendAbove,
  mostTicks,
  type Panel,
  panelHead,
  titleExtent,
  xAxis,
} from "./panels.js";
import { textWidth } from "./text-metrics.js";
import { ink, seriesStyle } from "./theme.js";
import { countTicks, sixDigits } from "./units.js";

/** A line of theory, and where its name stands in the panel. */
export interface Bound {
  readonly name: string;
  /** The text, which may be longer than the name. */
  readonly label: string;
  /** The name stands at this x, at the line: above it to the left or the right, or below it to the right. */
  readonly at: number;
  readonly side: "above left" | "above right" | "below right";
  /** What lies below the line cannot be. */
  readonly shaded?: boolean;
  readonly dash: readonly number[];
}

export interface BoundsOptions extends ChartOptions {
  readonly x: {
    readonly title: string;
    /** `symlog` is linear below 1 and logarithmic above. */
    readonly scale: "linear" | "symlog";
    readonly domain: readonly [number, number];
    readonly values: readonly number[];
  };
  /** Title of the y axis, which starts at 0. */
  readonly y: string;
  readonly bounds: readonly Bound[];
  /** Joins the points of a series, for a curve. */
  readonly joined?: boolean;
}

/** Filled shapes that can be told apart when small. */
const shapes = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right"] as const;
const shapeOf = (i: number): string => shapes[i % shapes.length];

interface Point {
  readonly series: string;
  readonly x: number;
  readonly value: number;
}

/** Series at one x stand side by side, this far apart. */
const APART = 5;

/** Room at both ends of the x axis, so that marks there do not stick out. */
const MARGIN = 6;

/** The same with series side by side. */
const marginOf = (series: number, joined: boolean): number => MARGIN + (joined ? 0 : ((series - 1) / 2) * APART);

/** All ticks where their labels have room, else every second, third and so on. */
function acrossOf({ scale, domain, values }: BoundsOptions["x"], width: number, margin: number): Horizontal {
  const place = (x: number): number => (scale === "symlog" ? Math.sign(x) * Math.log1p(Math.abs(x)) : x);
  const [low, high] = domain.map(place);
  return {
    ticks(count) {
      const step = count >= mostTicks ? 1 : Math.ceil(values.length / count);
      const kept = values.filter((_, i) => i % step === 0);
      return {
        values: kept,
        labels: kept.map((x) => String(sixDigits(x))),
        unit: "",
        expression: "format(datum.value, '~r')",
      };
    },
    share: (x) => (margin + ((place(x) - low) / (high - low)) * (width - 2 * margin)) / width,
  };
}

const heightOf = (frame: Frame): number => Math.round(frame.theme.panel[frame.span] * 2.2);

function boundLayers(
  frame: Frame,
  bounds: readonly Bound[],
  points: readonly Point[],
  across: Horizontal,
  width: number,
): Layer[] {
  const font = frame.theme.font.label;
  return bounds.flatMap((bound): Layer[] => {
    const values = points.filter(({ series }) => series === bound.name).map(({ x, value }) => ({ x, value }));
    if (values.length === 0) return [];
    const encoding = {
      x: { field: "x", type: "quantitative" },
      y: { field: "value", type: "quantitative" },
    } as const;
    const area: Layer = {
      data: { values },
      mark: { type: "area", color: ink.liveArea, opacity: 0.55, clip: true },
      encoding,
    };
    const line: Layer = {
      data: { values },
      mark: { type: "line", color: ink.live, strokeWidth: 1, strokeDash: [...bound.dash], clip: true },
      encoding,
    };
    const nearest = values.reduce((best, one) =>
      Math.abs(one.x - bound.at) < Math.abs(best.x - bound.at) ? one : best,
    );
    const above = bound.side.startsWith("above");
    const left = bound.side.endsWith("left");
    // At its point, or where it would stick out of the panel, at the edge.
    const wide = textWidth(bound.label, font) + 4;
    const at = across.share(nearest.x) * width;
    const align = left ? (at < wide ? "left" : "right") : at + wide > width ? "right" : "left";
    const inside = (align === "right") === left;
    const text: Layer = {
      data: { values: [nearest] },
      mark: {
        type: "text",
        text: bound.label,
        align,
        dx: inside ? (left ? -4 : 4) : 0,
        dy: above ? -5 : font + 3,
        color: ink.text,
        limit: width,
      },
      encoding: inside ? encoding : { ...encoding, x: { value: left ? 0 : width } },
    };
    return [...(bound.shaded ? [area] : []), line, text];
  });
}

function pointLayers(
  frame: Frame,
  grid: Grid,
  names: readonly string[],
  points: readonly Point[],
  joined: boolean,
): Layer[] {
  const range = names.map((_, i) => seriesStyle(i).colour);
  const size = frame.theme.font.label ** 2 * 0.36;
  const legend = { ...legendAbove(frame, grid, names, 14), symbolSize: size * 1.4 } as const;
  const series = { field: "series", type: "nominal" } as const;
  const x = { field: "x", type: "quantitative" } as const;
  const y = { field: "value", type: "quantitative" } as const;
  return names.flatMap((name, i): Layer[] => {
    const data = { values: points.filter((point) => point.series === name).map((point) => ({ ...point })) };
    const line: Layer = {
      data,
      mark: { type: "line", color: range[i], strokeWidth: frame.theme.line, strokeDash: seriesStyle(i).dash },
      encoding: { x, y },
    };
    const mark: Layer = {
      data,
      mark: {
        type: "point",
        filled: true,
        opacity: 1,
        size,
        clip: false,
        ...(joined ? {} : { xOffset: (i - (names.length - 1) / 2) * APART }),
      },
      encoding: {
        x,
        y,
        color: { ...series, scale: { domain: [...names], range }, legend },
        shape: { ...series, scale: { domain: [...names], range: names.map((_, k) => shapeOf(k)) }, legend },
      },
    };
    return joined ? [line, mark] : [mark];
  });
}

/**
 * Columns of both tables: `workload` (the panel), `x`, `value`; of the points `allocator`, of the lines `bound`, the
 * name of one of the bounds. Throws an `InputError` for missing columns and more points than can be seen.
 */
export function bounds(table: Table, lines: Table, options: BoundsOptions): TopLevelSpec {
  const chart = "bounds";
  requireRows(chart, table);
  limitPoints(chart, table.rows + lines.rows);
  const frame = frameOf(options);
  const { theme } = frame;
  const pointsOf = (from: Table, series: string): Point[] => {
    const name = texts(chart, from, series);
    const x = numbers(chart, from, "x");
    const value = numbers(chart, from, "value");
    return name.map((of, row) => ({ series: of, x: sixDigits(x[row]), value: sixDigits(value[row]) }));
  };
  const measured = pointsOf(table, "allocator");
  const theory = pointsOf(lines, "bound");
  const names = namesOf(
    measured.map(({ series }) => series),
    options.order,
  ).filter((name) => measured.some(({ series }) => series === name));
  const top = Math.max(...measured.map(({ value }) => value), ...theory.map(({ value }) => value)) * 1.06;
  const panelsOf = rowsBy(texts(chart, table, "workload"));
  const linesOf = rowsBy(texts(chart, lines, "workload"));
  const height = heightOf(frame);
  const ticks = countTicks(top, Math.floor(height / (theme.font.label * 2.4)));
  const extent = labelExtent(theme, ticks.labels);
  const grid = gridOf(frame, panelsOf.size, extent + titleExtent(theme), extent + Math.ceil(theme.font.label));
  const margin = marginOf(names.length, options.joined ?? false);
  const across = acrossOf(options.x, grid.panelWidth, margin);
  const heads = headings(frame, [...panelsOf.keys()], grid.panelWidth);
  const panels = [...panelsOf].map(([title, rows], i): Panel => {
    const own = (linesOf.get(title) ?? []).map((row) => theory[row]);
    return {
      width: grid.panelWidth,
      height,
      encoding: {
        x: {
          field: "x",
          type: "quantitative",
          scale: {
            domain: [...options.x.domain],
            range: [margin, grid.panelWidth - margin],
            nice: false,
            zero: false,
            ...(options.x.scale === "symlog" ? { type: "symlog", constant: 1 } : {}),
          },
          axis: xAxis(frame, grid, across, options.x.title),
        },
        y: {
          field: "value",
          type: "quantitative",
          scale: { domain: [0, top], nice: false },
          axis: {
            values: [...ticks.values],
            labelExpr: ticks.expression,
            minExtent: extent,
            maxExtent: extent,
            domain: false,
            ticks: false,
            title: isFirst(grid, i) ? options.y : null,
          },
        },
      },
      layer: [
        ...boundLayers(frame, options.bounds, own, across, grid.panelWidth),
        ...pointLayers(
          frame,
          grid,
          names,
          rows.map((row) => measured[row]),
          options.joined ?? false,
        ),
        ...panelHead(frame, heads[i], grid.panelWidth, ticks.unit),
      ],
    };
  });
  return figure(chart, frame, grid, panels, {
    below: axisHeight(theme) + Math.ceil(theme.font.title),
    lines: Math.max(...heads.map((head) => head.length)),
  });
}
