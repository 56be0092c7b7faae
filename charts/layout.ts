/**
 * Small heaps byte by byte: one panel an allocator, one row a moment, each piece where it lies. What no row needs to show
 * is cut out, at the same bytes in all rows of a panel, and all panels have one scale.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { type KindName, kindNames } from "../memory/heap-map.js";
import { namesOf, requireRows, texts } from "./columns.js";
import { type HeapPicture, lettersOf, partsOf, readHeaps, tearsOf } from "./layout-pieces.js";
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
  kindColour,
  type Layer,
  labelExtent,
  nameAxis,
  type Panel,
  panelHead,
  xAxis,
} from "./panels.js";
import { ink } from "./theme.js";
import { sixDigits } from "./units.js";

/** Panels side by side: a panel needs room for letters in blocks of a few bytes. */
const mostColumns = 2;

function pieceLayer(frame: Frame, grid: Grid, kinds: readonly KindName[]): Layer {
  return {
    mark: { type: "bar", stroke: "white", strokeWidth: 0.8 },
    encoding: {
      x2: { field: "to" },
      color: kindColour(frame, grid, kinds),
    },
  };
}

/** Two slanting strokes and white before them, over the open end of the piece: the sign for "cut here". */
function tearLayers(picture: HeapPicture, gap: number): Layer[] {
  const tears = tearsOf(picture);
  if (tears.length === 0) return [];
  const slant = 0.2 * gap;
  const stroke = (share: number, strokeWidth: number, color: string): Layer => ({
    data: {
      values: tears.map(({ moment, cut }) => ({
        moment,
        low: sixDigits(cut + share * gap - slant),
        high: sixDigits(cut + share * gap + slant),
      })),
    },
    mark: { type: "rule", color, strokeWidth, yOffset: 1.5, y2Offset: -1.5 },
    encoding: {
      x: { field: "low", type: "quantitative" },
      x2: { field: "high" },
      y: { field: "moment", type: "nominal", bandPosition: 1 },
      y2: { field: "moment", bandPosition: 0 },
    },
  });
  return [stroke(0, 2, "white"), stroke(0.3, 0.7, ink.text), stroke(0.75, 0.7, ink.text)];
}

function letterLayer(frame: Frame, picture: HeapPicture, pxPerByte: number): Layer {
  const size = frame.theme.font.label;
  return {
    data: { values: lettersOf(picture, pxPerByte, size) },
    mark: {
      type: "text",
      align: "center",
      baseline: "middle",
      dy: 0.5,
      color: "white",
      fontWeight: "bold",
      fontSize: size,
    },
    encoding: { x: { field: "at", type: "quantitative" }, text: { field: "letter", type: "nominal" } },
  };
}

interface Common {
  readonly moments: readonly string[];
  readonly kinds: readonly KindName[];
  /** Drawn bytes across a panel, and across a cut. */
  readonly across: number;
  readonly gap: number;
  readonly panels: number;
}

function panelOf(
  frame: Frame,
  grid: Grid,
  picture: HeapPicture,
  i: number,
  head: readonly string[],
  all: Common,
): Panel {
  const { scale } = picture;
  const pxPerByte = grid.panelWidth / all.across;
  const horizontal = { ticks: scale.ticks, share: (drawn: number) => drawn / all.across };
  const lowest = isLowest(grid, i, all.panels);
  return {
    width: grid.panelWidth,
    height: all.moments.length * Math.round(frame.theme.row * 1.3),
    data: { values: partsOf(picture) },
    encoding: {
      y: {
        field: "moment",
        type: "nominal",
        scale: { type: "band", domain: [...all.moments], paddingInner: 0.24, paddingOuter: 0.12 },
        axis: isFirst(grid, i) ? nameAxis(frame, all.moments) : null,
      },
      x: {
        field: "from",
        type: "quantitative",
        scale: { domain: [0, all.across], nice: false },
        axis: {
          ...xAxis(frame, grid, horizontal, lowest ? "offset in the heap" : null),
          domain: false,
        },
      },
    },
    layer: [
      pieceLayer(frame, grid, all.kinds),
      ...tearLayers(picture, all.gap),
      letterLayer(frame, picture, pxPerByte),
      ...panelHead(frame, head, grid.panelWidth),
    ],
  };
}

/**
 * Columns: `allocator`, `label` (of the moment), `start` and `bytes` of a piece, its `kind` (a `KindName`) and `block`, the
 * ordinal of a live block, which is its letter, else -1. Moments come in the order of the table. Throws an `InputError`
 * for missing columns, an unknown kind and more than 5000 pieces.
 */
export function layout(table: Table, options: ChartOptions = {}): TopLevelSpec {
  const chart = "layout";
  requireRows(chart, table);
  limitPoints(chart, table.rows);
  const frame = frameOf(options);
  const allocator = texts(chart, table, "allocator");
  const titles = namesOf(allocator, options.order).filter((name) => allocator.includes(name));
  const { heaps, gap } = readHeaps(chart, table);
  const pictures = titles.flatMap((title) => heaps.get(title) ?? []);
  const moments = namesOf(texts(chart, table, "label"));
  const shown = pictures.flatMap((picture) => partsOf(picture).map((part) => part.kind));
  const common: Common = {
    moments,
    kinds: kindNames.filter((kind) => shown.includes(kind)),
    across: Math.max(...pictures.map((picture) => picture.scale.width)),
    gap,
    panels: pictures.length,
  };
  const left = labelExtent(frame.theme, moments);
  const between = Math.ceil(frame.theme.font.label * 1.6);
  const grid = gridOf(frame, Math.min(pictures.length, mostColumns), left, between);
  const heads = headings(frame, titles, grid.panelWidth);
  const panels = heads.map((head, i) => panelOf(frame, grid, pictures[i], i, head, common));
  const lines = Math.max(...heads.map((head) => head.length));
  return figure(chart, frame, grid, panels, { below: axisHeight(frame.theme), lines });
}
