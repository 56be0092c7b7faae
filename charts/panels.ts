/**
 * Small multiples of an exact total width. Vega-Lite sizes plot areas, not figures, and its `fit` does not reach into
 * facets; so each panel's axis gets a fixed extent from measured labels, and the panels share what is left.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Axis } from "vega-lite/types_unstable/axis.js";
import type { Field } from "vega-lite/types_unstable/channeldef.js";
import type { Legend } from "vega-lite/types_unstable/legend.js";
import type { LayerSpec } from "vega-lite/types_unstable/spec/layer.js";
import type { UnitSpec } from "vega-lite/types_unstable/spec/unit.js";
import type { KindName } from "../memory/heap-map.js";
import { textWidth, widestText, wrapText } from "./text-metrics.js";
import { configOf, ink, kindColours, type Span, type Theme, themes } from "./theme.js";
import type { Ticks } from "./units.js";

/** One panel or one layer of it. */
export type Panel = LayerSpec<Field>;
export type Layer = LayerSpec<Field> | UnitSpec<Field>;

/** What every chart form takes besides its table. */
export interface ChartOptions {
  /** Default: `screen`. */
  readonly theme?: Theme;
  /** Total width of the figure. Default: `text`. */
  readonly span?: Span;
  /** Heading; a paper that has captions leaves it out. */
  readonly title?: string;
  readonly subtitle?: string;
  /** Names of the series in the order that fixes their colours; others follow as they appear in the table. */
  readonly order?: readonly string[];
}

/** Options with the defaults filled in. */
export interface Frame extends ChartOptions {
  readonly theme: Theme;
  readonly span: Span;
  /** Total width in px. */
  readonly width: number;
}

export function frameOf(options: ChartOptions): Frame {
  const theme = options.theme ?? themes.screen;
  const span = options.span ?? "text";
  return { ...options, theme, span, width: theme.width[span] };
}

/** Where the panels stand. */
export interface Grid {
  readonly columns: number;
  readonly panelWidth: number;
  /** From the right edge of a panel to the left edge of the next. */
  readonly gap: number;
  /** From the left edge of the figure to that of the first panel. */
  readonly left: number;
  /** From the left edge of the first panel to the right edge of the figure. */
  readonly inner: number;
}

/** Numbers of columns that look well, best first. */
const columnChoices: Readonly<Record<Span, readonly number[]>> = { column: [2, 1], text: [3, 4, 2, 1] };

/** The number of columns, of those that fit, that leaves the fewest places of the grid empty. */
function columnsFor(span: Span, panels: number, most: number): number {
  const fit = columnChoices[span].filter((columns) => columns <= Math.min(most, panels));
  const empty = (columns: number): number => Math.ceil(panels / columns) * columns - panels;
  const several = fit.filter((columns) => columns > 1);
  return several.reduce((best, columns) => (empty(columns) < empty(best) ? columns : best), several[0] ?? 1);
}

/**
 * Divides the width of a figure: `left` px before the first panel, `between` px between two, 1 px after the last
 * for half the stroke of its axis. Panels are of one width, and never too narrow to read.
 */
export function gridOf(frame: Frame, panels: number, left: number, between: number): Grid {
  const right = 1;
  const narrowest = frame.theme.font.label * 9;
  const most = Math.floor((frame.width - left + between) / (narrowest + between));
  const columns = columnsFor(frame.span, panels, most);
  const inner = frame.width - left;
  const panelWidth = Math.floor((inner - right - (columns - 1) * between) / columns);
  const gap = columns === 1 ? 0 : (inner - right - columns * panelWidth) / (columns - 1);
  return { columns, panelWidth, gap, left, inner };
}

/** Whether a panel stands in the first column; whether none stands below it. */
export const isFirst = (grid: Grid, i: number): boolean => i % grid.columns === 0;
export const isLowest = (grid: Grid, i: number, panels: number): boolean => i + grid.columns >= panels;

/** Names of the panels, broken into lines that fit over a panel. */
export function headings(frame: Frame, names: readonly string[], width: number): string[][] {
  return names.map((name) => wrapText(name, width, frame.theme.font.title, "bold"));
}

const lineHeight = (theme: Theme): number => Math.ceil(theme.font.title * 1.15);

/** Room between a plot area and the baseline of its title. */
const headOffset = (theme: Theme): number => Math.round(theme.font.label * 0.7);

/**
 * The head of a panel: its title from the left edge of the plot area, and on the same line the unit of the y axis over
 * its labels. Text marks and not a `title`, whose place depends on what else the panel holds.
 */
export function panelHead(frame: Frame, lines: readonly string[], width: number, unit = ""): Layer[] {
  const { theme } = frame;
  const data = { values: [{}] };
  const y = -headOffset(theme);
  const text = lines.length === 1 ? lines[0] : [...lines];
  const title: Layer = {
    data,
    mark: {
      type: "text",
      text,
      align: "left",
      fontSize: theme.font.title,
      fontWeight: "bold",
      lineHeight: lineHeight(theme),
      limit: width + 1,
    },
    encoding: { x: { value: 0 }, y: { value: y - (lines.length - 1) * lineHeight(theme) } },
  };
  if (unit === "") return [title];
  const head: Layer = {
    data,
    mark: { type: "text", text: unit, align: "right", color: ink.axis },
    encoding: { x: { value: -3 }, y: { value: y } },
  };
  return [title, head];
}

/** An x axis in terms of its panel: ticks for a number of them, and the share of the width at which a value lies. */
export interface Horizontal {
  ticks(count: number): Ticks;
  share(value: number): number;
}

/** More ticks than these say nothing more. */
export const mostTicks = 6;

interface Label {
  readonly from: number;
  readonly to: number;
  readonly alignedRight: boolean;
}

/** Where the labels stand in px; the last has the unit, and is right-aligned where it would overrun the panel. */
function placed(frame: Frame, grid: Grid, texts: readonly string[], at: readonly number[]): Label[] {
  return texts.map((text, i) => {
    const width = textWidth(text, frame.theme.font.label);
    const x = at[i] * grid.panelWidth;
    const alignedRight = i === texts.length - 1 && x + width / 2 > grid.panelWidth;
    return alignedRight
      ? { from: x - width, to: x, alignedRight }
      : { from: x - width / 2, to: x + width / 2, alignedRight };
  });
}

/**
 * The ticks and labels of an x axis: as many as fit, measured, the unit behind the last label. `title` is null where
 * a panel stands below.
 */
export function xAxis(frame: Frame, grid: Grid, axis: Horizontal, title: string | null): Axis<never> {
  const space = frame.theme.font.label * 1.2;
  const attempt = (count: number) => {
    const ticks = axis.ticks(count);
    const suffix = ticks.unit === "%" || ticks.unit === "" ? ticks.unit : ` ${ticks.unit}`;
    const texts = ticks.labels.map((text, i) => (i === ticks.labels.length - 1 ? text + suffix : text));
    const labels = placed(frame, grid, texts, ticks.values.map(axis.share));
    return { ticks, suffix, labels, fits: labels.every((l, i) => i === 0 || l.from >= labels[i - 1].to + space) };
  };
  let count = mostTicks;
  while (count > 1 && !attempt(count).fits) count--;
  const { ticks, suffix, labels } = attempt(count);
  const last = ticks.values.at(-1) ?? 0;
  return {
    values: [...ticks.values],
    labelExpr: suffix === "" ? ticks.expression : `${ticks.expression} + (datum.value === ${last} ? '${suffix}' : '')`,
    labelAlign: labels.at(-1)?.alignedRight
      ? { condition: { test: `datum.value === ${last}`, value: "right" }, value: "center" }
      : "center",
    labelOverlap: false,
    grid: false,
    title: title === null ? null : wrapText(title, grid.panelWidth, frame.theme.font.title),
  };
}

/** Height of a panel of lines: a panel that stands alone may be taller. */
export const panelHeight = ({ theme, span }: Frame, panels: number): number =>
  Math.round(theme.panel[span] * (panels === 1 ? 1.6 : 1));

/** A y axis of values: grid lines and labels without a line, `extent` px wide; `title` is null right of a panel. */
export function valueAxis(ticks: Ticks, extent: number, title: string | null): Axis<never> {
  return {
    values: [...ticks.values],
    labelExpr: ticks.expression,
    labelOverlap: false,
    minExtent: extent,
    maxExtent: extent,
    domain: false,
    ticks: false,
    grid: true,
    title,
  };
}

/** A y axis of names: of rows or moments, as wide as the widest. */
export function nameAxis(frame: Frame, names: readonly string[]): Axis<never> {
  const extent = labelExtent(frame.theme, names);
  return { title: null, domain: false, ticks: false, minExtent: extent, maxExtent: extent, labelPadding: 3 };
}

/** How many labels a linear y axis of a height has room for. */
export const yTickCount = (theme: Theme, height: number): number =>
  Math.max(2, Math.min(mostTicks - 1, Math.floor(height / (theme.font.label * 1.6))));

/** A legend above the panels: as many columns as fit, measured. `symbol` is the width of a symbol in px. */
export function legendAbove(frame: Frame, grid: Grid, names: readonly string[], symbol: number): Legend<never> {
  const size = frame.theme.font.label;
  const columnPadding = size;
  const entry = (name: string): number => symbol + 6 + textWidth(name, size) + columnPadding;
  const fits = (columns: number): boolean => {
    let total = 0;
    for (let c = 0; c < columns; c++) total += Math.max(...names.filter((_, i) => i % columns === c).map(entry));
    // Vega rounds the box of a legend up and adds half a stroke.
    return total - columnPadding + 2 <= grid.inner;
  };
  let columns = names.length;
  while (columns > 1 && !fits(columns)) columns--;
  return {
    orient: "top",
    direction: "horizontal",
    columns,
    columnPadding,
    rowPadding: 3,
    clipHeight: Math.ceil(size),
    offset: Math.ceil(size * 0.8),
    title: null,
  };
}

/** Vertical room of an x axis with its labels, without title. */
export const axisHeight = (theme: Theme): number => Math.ceil(theme.font.label + 6);

/** An invisible mark from edge to edge: the total width, whatever the marks and labels leave free. */
function strut(grid: Grid): Layer {
  return {
    data: { values: [{}] },
    mark: { type: "rect", opacity: 0 },
    encoding: { x: { value: -grid.left }, x2: { value: grid.inner }, y: { value: 0 }, y2: { value: 0 } },
  };
}

/**
 * The figure: panels in a grid, heading and subtitle wrapped to the width. `below` is the height of what hangs under
 * a panel, `lines` the number of lines of the panel titles.
 */
export function figure(
  name: string,
  frame: Frame,
  grid: Grid,
  panels: readonly Panel[],
  room: { readonly below: number; readonly lines: number },
): TopLevelSpec {
  const { theme, width } = frame;
  const headHeight = room.lines * lineHeight(theme) + headOffset(theme);
  const heading = {
    ...(frame.title === undefined ? { text: "" } : { text: wrapText(frame.title, width, theme.font.heading, "bold") }),
    ...(frame.subtitle === undefined ? {} : { subtitle: wrapText(frame.subtitle, width, theme.font.title) }),
  };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    name,
    ...(frame.title === undefined && frame.subtitle === undefined ? {} : { title: { ...heading, offset: 6 } }),
    config: configOf(theme),
    bounds: "flush",
    spacing: { row: room.below + headHeight + Math.ceil(theme.font.label * 0.5), column: grid.gap },
    columns: grid.columns,
    concat: panels.map((panel, i) => (i === 0 ? { ...panel, layer: [...panel.layer, strut(grid)] } : panel)),
  };
}

/** Labels of a y axis whose extent is fixed: the widest label, its padding and no more. */
export function labelExtent(theme: Theme, labels: readonly string[]): number {
  return Math.ceil(widestText(labels, theme.font.label) + 3);
}

/**
 * Room for a rotated axis title left of the labels: its padding and its box as Vega bounds it, with half a px over,
 * since the rotation leaves a rounding error that Vega rounds up to a whole px.
 */
export function titleExtent(theme: Theme): number {
  const size = theme.font.title;
  return Math.ceil(3 + Math.round(0.8 * size) + Math.round(0.21 * size) + 0.5);
}

/** The colour of the kinds of bytes, with a legend above the panels. */
export function kindColour(frame: Frame, grid: Grid, kinds: readonly KindName[]) {
  const size = frame.theme.font.label;
  return {
    field: "kind",
    type: "nominal",
    scale: { domain: [...kinds], range: kinds.map((kind) => kindColours[kind]) },
    legend: {
      ...legendAbove(frame, grid, kinds, size),
      symbolType: "square",
      symbolSize: size * size,
      symbolStrokeColor: ink.axis,
      symbolStrokeWidth: 0.4,
    },
  } as const;
}
