/**
 * Small heaps byte by byte: one panel an allocator, one row a moment, each piece where it lies. What no row needs to show
 * is cut out, at the same bytes in all rows of a panel, and all panels have one scale.
 */
import type { TopLevelSpec } from "vega-lite";
import type { Axis } from "vega-lite/types_unstable/axis.js";
import type { Table } from "../harness/table.js";
import { unknownName } from "../memory/errors.js";
import { type KindName, kindNames } from "../memory/heap-map.js";
import { namesOf, numbers, requireRows, rowsBy, texts } from "./columns.js";
import { type CutScale, cutScale } from "./cut-scale.js";
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
  xAxis,
} from "./panels.js";
import { textWidth } from "./text-metrics.js";
import { ink, kindColours } from "./theme.js";

interface Piece {
  readonly moment: string;
  readonly start: number;
  readonly end: number;
  readonly kind: KindName;
  /** Ordinal of a live block, -1 for what is none. */
  readonly block: number;
}

interface Picture {
  readonly title: string;
  readonly pieces: readonly Piece[];
  readonly scale: CutScale;
}

/** Panels side by side: a panel needs room for letters in blocks of a few bytes. */
const mostColumns = 2;

/** Name of a block: A to Z, then AA, as columns of a spreadsheet. */
export function letterOf(block: number): string {
  const last = String.fromCharCode(65 + (block % 26));
  return block < 26 ? last : letterOf(Math.floor(block / 26) - 1) + last;
}

function readKinds(chart: string, table: Table): readonly KindName[] {
  return texts(chart, table, "kind").map((name) => {
    const kind = kindNames.find((known) => known === name);
    if (kind === undefined) throw unknownName("kind of bytes", name, kindNames);
    return kind;
  });
}

/** Pieces of one moment, by address; memory that was never used is one piece, however the allocator keeps it. */
function merged(pieces: readonly Piece[]): Piece[] {
  const whole: Piece[] = [];
  for (const piece of [...pieces].sort((a, b) => a.start - b.start)) {
    const before = whole[whole.length - 1];
    const goesOn = before?.kind === "fresh" && piece.kind === "fresh" && before.end === piece.start;
    if (goesOn) whole[whole.length - 1] = { ...before, end: piece.end };
    else whole.push(piece);
  }
  return whole;
}

/** The bytes at which a picture changes, and the end of its last live block. */
function edgesOf(pieces: readonly Piece[]): { edges: number[]; end: number } {
  const live = pieces.filter((piece) => piece.kind === "live");
  return {
    edges: pieces.flatMap((piece) => [piece.start, piece.end]),
    end: Math.max(0, ...live.map((piece) => piece.end)),
  };
}

function readPictures(chart: string, table: Table, titles: readonly string[]): Picture[] {
  const [moment, allocator] = ["label", "allocator"].map((name) => texts(chart, table, name));
  const [start, bytes, block] = ["start", "bytes", "block"].map((name) => numbers(chart, table, name));
  const kind = readKinds(chart, table);
  const largest = Math.max(1, ...bytes.filter((_, row) => kind[row] === "live"));
  const panels = rowsBy(allocator);
  return titles.map((title) => {
    const rows = panels.get(title) ?? [];
    const pieces = [...rowsBy(rows.map((row) => moment[row]))].flatMap(([name, indices]) =>
      merged(
        indices.map((i): Piece => {
          const row = rows[i];
          const end = start[row] + bytes[row];
          return { moment: name, start: start[row], end, kind: kind[row], block: block[row] };
        }),
      ),
    );
    const { edges, end } = edgesOf(pieces);
    return { title, pieces, scale: cutScale(edges, end, largest) };
  });
}

/** The parts of the pieces that are shown, where they are drawn. */
function partsOf({ pieces, scale }: Picture) {
  return pieces.flatMap(({ moment, start, end, kind }) =>
    scale.stretches.flatMap((stretch) => {
      const from = Math.max(start, stretch.start);
      const to = Math.min(end, stretch.end);
      return from < to ? [{ moment, kind, from: scale.place(from), to: scale.place(to) }] : [];
    }),
  );
}

/** The letters of the live blocks that have room for theirs. */
function lettersOf({ pieces, scale }: Picture, pxPerByte: number, size: number) {
  return pieces.flatMap(({ moment, start, end, block }) => {
    if (block < 0 || end > scale.end) return [];
    const letter = letterOf(block);
    const room = (scale.place(end) - scale.place(start)) * pxPerByte;
    if (textWidth(letter, size, "bold") + 2 > room) return [];
    return [{ moment, letter, at: (scale.place(start) + scale.place(end)) / 2 }];
  });
}

/** Where a row is cut though its memory goes on. */
function tearsOf({ pieces, scale }: Picture) {
  return scale.stretches.flatMap((stretch) =>
    pieces
      .filter((piece) => piece.start < stretch.end && piece.end > stretch.end)
      .map(({ moment }) => ({ moment, cut: scale.place(stretch.end) })),
  );
}

function pieceLayer(frame: Frame, grid: Grid, kinds: readonly KindName[]): Layer {
  const size = frame.theme.font.label;
  return {
    mark: { type: "bar", stroke: "white", strokeWidth: 0.8 },
    encoding: {
      x2: { field: "to" },
      color: {
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
      },
    },
  };
}

/** Two slanting strokes with white between them, over the open end of the piece: the sign for "cut here". */
function tearLayers(picture: Picture, pxPerByte: number): Layer[] {
  const tears = tearsOf(picture);
  if (tears.length === 0) return [];
  const slant = 2 / pxPerByte;
  const { gap } = picture.scale;
  const stroke = (from: number, width: number, color: string): Layer => ({
    data: { values: tears.map(({ moment, cut }) => ({ moment, low: cut + from - slant, high: cut + from + slant })) },
    mark: { type: "rule", color, strokeWidth: width },
    encoding: {
      x: { field: "low", type: "quantitative" },
      x2: { field: "high" },
      y: { field: "moment", type: "nominal", bandPosition: 1.15 },
      y2: { field: "moment", bandPosition: -0.15 },
    },
  });
  return [stroke(0, 2, "white"), stroke(0.2 * gap, 0.7, ink.text), stroke(0.8 * gap, 0.7, ink.text)];
}

function letterLayer(frame: Frame, picture: Picture, pxPerByte: number): Layer {
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

function momentAxis(frame: Frame, moments: readonly string[]): Axis<never> {
  const extent = labelExtent(frame.theme, moments);
  return { title: null, domain: false, ticks: false, minExtent: extent, maxExtent: extent, labelPadding: 3 };
}

interface Common {
  readonly moments: readonly string[];
  readonly kinds: readonly KindName[];
  /** Bytes across a panel, cuts not counted. */
  readonly across: number;
  readonly panels: number;
}

function panelOf(frame: Frame, grid: Grid, picture: Picture, i: number, head: readonly string[], all: Common): Panel {
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
        axis: isFirst(grid, i) ? momentAxis(frame, all.moments) : null,
      },
      x: {
        field: "from",
        type: "quantitative",
        scale: { domain: [0, all.across], nice: false },
        axis: {
          ...xAxis(frame, grid, horizontal, lowest ? "bytes from the start of the heap" : null),
          domain: false,
        },
      },
    },
    layer: [
      pieceLayer(frame, grid, all.kinds),
      ...tearLayers(picture, pxPerByte),
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
  const pictures = readPictures(chart, table, titles);
  const moments = namesOf(texts(chart, table, "label"));
  const shown = pictures.flatMap((picture) => partsOf(picture).map((part) => part.kind));
  const common: Common = {
    moments,
    kinds: kindNames.filter((kind) => shown.includes(kind)),
    across: Math.max(...pictures.map((picture) => picture.scale.width)),
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
