/**
 * Looks of the charts: sizes by where a figure is printed, and one set of colours and dashes. A theme changes sizes
 * only, so a series keeps its colour and dash from the screen to the paper.
 */
import type { Config } from "vega-lite";
import { unknownName } from "../memory/errors.js";
import type { KindName } from "../memory/heap-map.js";
import { fontStack } from "./fonts.js";

export type ThemeName = "screen" | "acm" | "ieee" | "usenix";

/** How wide a figure is: one column, or the whole text. */
export type Span = "column" | "text";

/** Sizes in px of 1/96 in: 1 pt of TeX (1/72.27 in) is 1.328 px, 7 pt of type (1/72 in) are 9.33 px. */
export interface Theme {
  readonly name: ThemeName;
  readonly title: string;
  readonly width: Readonly<Record<Span, number>>;
  /** Size of tick and legend labels, of axis and panel titles, and of the heading of the figure. */
  readonly font: { readonly label: number; readonly title: number; readonly heading: number };
  /** Width of the line of a series. */
  readonly line: number;
  /** Height of a panel of lines, for each span. */
  readonly panel: Readonly<Record<Span, number>>;
  /** Height of one row of a bar chart. */
  readonly row: number;
}

const pt = (size: number): number => Math.round((size * 4000) / 3) / 1000;

/** Body 9 or 10 pt, so 7 pt labels, 7.5 pt titles and 9 pt headings, in all three paper styles. */
const paper = {
  font: { label: pt(7), title: pt(7.5), heading: pt(9) },
  line: 1.1,
  panel: { column: 66, text: 96 },
  row: 11,
} as const;

/** The themes by name. Column and text widths are those of the class files (241.147 pt is 3.337 in, 320 px). */
export const themes: Readonly<Record<ThemeName, Theme>> = {
  screen: {
    name: "screen",
    title: "Screens and slides",
    width: { column: 440, text: 880 },
    font: { label: 11, title: 12, heading: 15 },
    line: 1.5,
    panel: { column: 96, text: 130 },
    row: 15,
  },
  acm: { name: "acm", title: "ACM sigconf", width: { column: 320, text: 673 }, ...paper },
  ieee: {
    name: "ieee",
    title: "IEEE conference",
    width: { column: 336, text: 687 },
    ...paper,
    font: { label: pt(8), title: pt(8), heading: pt(9) },
    panel: { column: 72, text: 100 },
    row: 12,
  },
  usenix: { name: "usenix", title: "USENIX", width: { column: 320, text: 672 }, ...paper },
};

/** The theme of a name. Throws an `InputError` that names the near miss. */
export function themeNamed(name: string): Theme {
  const theme = (themes as Readonly<Record<string, Theme>>)[name];
  if (theme === undefined || !Object.hasOwn(themes, name)) throw unknownName("theme", name, Object.keys(themes));
  return theme;
}

/**
 * Okabe and Ito's colours, which survive colour blindness (Color Universal Design, 2008), without the yellow, which
 * vanishes on white; and as many dashes, which survive grey print. Nine dashes against seven colours: 63 pairs.
 */
const colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"] as const;
const dashes: readonly (readonly number[])[] = [
  [],
  [5, 2],
  [1.5, 1.5],
  [6, 1.5, 1.5, 1.5],
  [10, 2],
  [3, 1.5],
  [1, 3],
  [6, 1.5, 1.5, 1.5, 1.5, 1.5],
  [10, 1.5, 3, 1.5],
];

export interface SeriesStyle {
  readonly colour: string;
  readonly dash: number[];
}

/** Names that colours alone tell apart. */
export const distinctColours = colours.length;

/** Colour and dash of the series at an index; the first 63 differ. */
export function seriesStyle(index: number): SeriesStyle {
  return { colour: colours[index % colours.length], dash: [...dashes[index % dashes.length]] };
}

/**
 * Colours of the kinds of bytes, by hue: live slate, waste inside of blocks and pools brown, free memory blue, bookkeeping
 * pale. Their lightness rises in CIELAB steps of 8 to 13 in the order of the stack (24, 37, 48, 59, 67, 77, 86, 94), so
 * in grey the order of the legend is that of the bar.
 */
export const kindColours: Readonly<Record<KindName, string>> = {
  live: "#2a3b47",
  padding: "#933c18",
  header: "#b75618",
  tail: "#d1781e",
  free: "#45ade3",
  fresh: "#81c7e9",
  meta: "#ccdf9f",
  table: "#f9eec4",
};

/** Greys of the frame, and of what the program asked for, against which all is measured. */
export const ink = { text: "#1a1a1a", axis: "#555555", grid: "#e4e4e4", live: "#000000", liveArea: "#dcdcdc" } as const;

/** The Vega-Lite configuration of a theme. Every chart form writes it into its spec, which so opens alike anywhere. */
export function configOf(theme: Theme): Config {
  const { label, title, heading } = theme.font;
  return {
    aria: false,
    background: "white",
    // Below, for the descenders of the lowest line: Vega bounds text a little short.
    padding: { left: 0, right: 0, top: 0, bottom: 2 },
    font: fontStack,
    view: { stroke: null },
    title: {
      anchor: "start",
      frame: "bounds",
      color: ink.text,
      fontSize: heading,
      fontWeight: "bold",
      subtitleColor: ink.text,
      subtitleFontSize: title,
      subtitlePadding: 3,
    },
    axis: {
      labelFontSize: label,
      titleFontSize: title,
      titleFontWeight: "normal",
      labelColor: ink.text,
      titleColor: ink.text,
      labelPadding: 2,
      titlePadding: 3,
      labelLimit: 0,
      tickSize: 3,
      tickColor: ink.axis,
      domainColor: ink.axis,
      tickWidth: 0.6,
      domainWidth: 0.6,
      gridColor: ink.grid,
      gridWidth: 0.6,
    },
    legend: {
      labelFontSize: label,
      titleFontSize: label,
      titleFontWeight: "normal",
      labelColor: ink.text,
      titleColor: ink.text,
      labelLimit: 0,
      titleLimit: 0,
    },
    text: { fontSize: label, color: ink.text, baseline: "alphabetic" },
  };
}
