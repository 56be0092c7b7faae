/**
 * Address by time: which part of each stretch of the heap is live. After the pictures in Wilson et al., "Dynamic
 * Storage Allocation: A Survey" (IWMM 1995). The cells are one palette PNG in an image mark: as rectangles, 500 x 500
 * cells are an SVG of 45 MB with seams between them.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Axis } from "vega-lite/types_unstable/axis.js";
import type { Legend } from "vega-lite/types_unstable/legend.js";
import type { Table } from "../harness/table.js";
import { InputError } from "../memory/errors.js";
import { numbers, requireRows, texts } from "./columns.js";
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
  panelHeight,
  titleExtent,
  xAxis,
  yTickCount,
} from "./panels.js";
import { indexedPng } from "./png.js";
import { textWidth } from "./text-metrics.js";
import { byteTicks, countTicks, type Ticks } from "./units.js";

/**
 * Viridis (van der Walt and Smith, CC0) from its pale end, without the palest tenth: dead memory is light, live memory
 * dark, and lightness falls steadily, so it survives grey. Unmapped memory is white.
 */
const ramp = ["#b5de2b", "#6ece58", "#35b779", "#1f9e89", "#26828e", "#31688e", "#3e4989", "#482878", "#440154"];

function rampPalette(): Uint8Array {
  const stops = ramp.map((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
  const palette = new Uint8Array(768).fill(255);
  for (let i = 1; i < 256; i++) {
    const at = ((i - 1) / 254) * (stops.length - 1);
    const stop = Math.min(stops.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c++) {
      palette[3 * i + c] = Math.round(stops[stop][c] + (stops[stop + 1][c] - stops[stop][c]) * (at - stop));
    }
  }
  return palette;
}

interface Picture {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  readonly events: number;
  readonly bytes: number;
  readonly cells: Uint8Array;
}

/** The image as a data URI. Cells count addresses upwards, images count rows downwards. */
function imageOf({ width, height, cells }: Picture, palette: Uint8Array): string {
  const flipped = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    flipped.set(cells.subarray(y * width, (y + 1) * width), (height - 1 - y) * width);
  }
  return `data:image/png;base64,${Buffer.from(indexedPng(width, height, flipped, palette)).toString("base64")}`;
}

export interface HeapMapOptions extends ChartOptions {
  /** What rows are, with the ticks of their axis up to the column `bytes`. Default: addresses in bytes. */
  readonly rows?: { readonly title: string; ticks(max: number, count: number): Ticks };
  /** What the shade is. Default: `live share (white: not mapped)`. */
  readonly shade?: string;
}

function addressAxis(frame: Frame, ticks: Ticks, labels: readonly string[], title: string | null): Axis<never> {
  const extent = 3 + labelExtent(frame.theme, labels);
  return {
    values: [...ticks.values],
    labelExpr: ticks.expression,
    labelOverlap: false,
    grid: false,
    minExtent: extent,
    maxExtent: extent,
    title,
  };
}

/** Addresses need more room than the values of a line. */
const heightOf = (frame: Frame, panels: number): number => Math.round(panelHeight(frame, panels) * 1.3);

/** The ramp, with its title beside it where that fits, else above. */
function shareLegend(frame: Frame, grid: Grid, title: string): Legend<never> {
  const size = frame.theme.font.label;
  const gradientLength = Math.round(size * 12);
  const beside = gradientLength + 2 * size + textWidth(title, size) <= grid.inner;
  return {
    orient: "top",
    direction: "horizontal",
    type: "gradient",
    title,
    titleOrient: beside ? "right" : "top",
    titleAnchor: beside ? "middle" : "start",
    titlePadding: beside ? size : 3,
    gradientLength,
    gradientThickness: Math.round(size * 0.8),
    gradientOpacity: 1,
    values: [0, 0.5, 1],
    format: ".0%",
    offset: Math.ceil(size * 0.8),
  };
}

interface Parts {
  readonly width: number;
  readonly height: number;
  readonly url: string;
  readonly x: Axis<never>;
  readonly y: Axis<never>;
  readonly legend: Legend<never>;
  readonly head: Layer[];
}

function panelOf(map: Picture, { width, height, url, x, y, legend, head }: Parts): Panel {
  const image: Layer = {
    data: { values: [{}] },
    mark: {
      type: "image",
      url,
      width,
      height,
      align: "left",
      baseline: "top",
      aspect: false,
      smooth: false,
      x: 0,
      y: 0,
    },
  };
  // Without marks of its own there would be neither axes nor legend.
  const scales: Layer = {
    data: { values: [{ event: 0, address: 0, live: 0 }] },
    mark: { type: "point", opacity: 0 },
    encoding: {
      x: {
        field: "event",
        type: "quantitative",
        scale: { domain: [0, map.events], nice: false },
        axis: x,
      },
      y: {
        field: "address",
        type: "quantitative",
        scale: { domain: [0, map.bytes], nice: false },
        axis: y,
      },
      color: {
        field: "live",
        type: "quantitative",
        scale: { domain: [0, 1], range: ramp, interpolate: "rgb" },
        legend,
      },
    },
  };
  return { width, height, layer: [image, scales, ...head] };
}

function readPictures(chart: string, table: Table): Picture[] {
  const workload = texts(chart, table, "workload");
  const allocator = texts(chart, table, "allocator");
  const [width, height, events, bytes] = ["width", "height", "events", "bytes"].map((n) => numbers(chart, table, n));
  return texts(chart, table, "cells").map((text, row) => {
    const cells = Buffer.from(text, "base64");
    if (cells.length !== width[row] * height[row] || cells.length === 0) {
      throw new InputError(
        `chart ${chart}: row ${row}: ${cells.length} cells, but width x height is ${width[row]} x ${height[row]}`,
      );
    }
    const title = new Set(workload).size === 1 ? allocator[row] : `${workload[row]}\n${allocator[row]}`;
    return { title, width: width[row], height: height[row], events: events[row], bytes: bytes[row], cells };
  });
}

/**
 * Columns, one row a panel: `workload`, `allocator`, `width` and `height` of the picture in cells, `events` and
 * `bytes` that they span, and `cells`: base64 of height x width bytes by rows from the lowest address, 0 where nothing
 * is mapped, 1 to 255 for a live share of 0 to 1. Throws an
 * `InputError` for missing columns and a wrong number of cells.
 */
export function heapMap(table: Table, options: HeapMapOptions = {}): TopLevelSpec {
  const chart = "heap-map";
  requireRows(chart, table);
  const frame = frameOf(options);
  const maps = readPictures(chart, table);
  const { theme } = frame;
  const height = heightOf(frame, maps.length);
  const addressCount = yTickCount(theme, height);
  const { title: rowTitle, ticks: rowTicks } = options.rows ?? { title: "address", ticks: byteTicks };
  const addresses = maps.map((map) => rowTicks(map.bytes, addressCount));
  const labels = addresses.flatMap((ticks) => [...ticks.labels, ticks.unit]);
  const extent = 3 + labelExtent(theme, labels);
  const grid = gridOf(frame, maps.length, extent + titleExtent(theme), extent + Math.ceil(theme.font.label));
  const heads = headings(
    frame,
    maps.map((map) => map.title),
    grid.panelWidth,
  );
  const legend = shareLegend(frame, grid, options.shade ?? "live share (white: not mapped)");
  const palette = rampPalette();
  const panels = maps.map((map, i) => {
    const across = { ticks: (n: number) => countTicks(map.events, n), share: (value: number) => value / map.events };
    const lowest = isLowest(grid, i, maps.length);
    const x = xAxis(frame, grid, across, lowest ? "events" : null);
    const y = addressAxis(frame, addresses[i], labels, isFirst(grid, i) ? rowTitle : null);
    const head = panelHead(frame, heads[i], grid.panelWidth, addresses[i].unit);
    const url = imageOf(map, palette);
    return panelOf(map, { width: grid.panelWidth, height, url, x, y, legend, head });
  });
  const lines = Math.max(...heads.map((head) => head.length));
  return figure(chart, frame, grid, panels, { below: axisHeight(theme), lines });
}
