/** What a layout chart shows of each heap: pieces, letters and cuts, in terms of where they are drawn. */
import type { Table } from "../harness/table.js";
import { unknownName } from "../memory/errors.js";
import { type KindName, kindNames } from "../memory/heap-map.js";
import { numbers, rowsBy, texts } from "./columns.js";
import { type CutScale, cutScale } from "./cut-scale.js";
import { textWidth } from "./text-metrics.js";

interface Piece {
  readonly moment: string;
  readonly start: number;
  readonly end: number;
  readonly kind: KindName;
  /** Ordinal of a live block, -1 for what is none. */
  readonly block: number;
}

/** The pieces of one heap at all moments, and the scale on which they are drawn. */
export interface HeapPicture {
  readonly pieces: readonly Piece[];
  readonly scale: CutScale;
}

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

/** The bytes at which a heap changes, and the end of its last live block over all moments. */
function edgesOf(pieces: readonly Piece[]): { edges: number[]; end: number } {
  return {
    edges: pieces.flatMap((piece) => [piece.start, piece.end]),
    end: Math.max(0, ...pieces.filter((piece) => piece.kind === "live").map((piece) => piece.end)),
  };
}

/** The pieces of each allocator. */
function readPieces(chart: string, table: Table): Map<string, Piece[]> {
  const [moment, allocator] = ["label", "allocator"].map((name) => texts(chart, table, name));
  const [start, bytes, block] = ["start", "bytes", "block"].map((name) => numbers(chart, table, name));
  const kind = readKinds(chart, table);
  const pieceOf = (row: number): Piece => {
    const end = start[row] + bytes[row];
    return { moment: moment[row], start: start[row], end, kind: kind[row], block: block[row] };
  };
  const momentsOf = (rows: readonly number[]): number[][] =>
    [...rowsBy(rows.map((row) => moment[row])).values()].map((indices) => indices.map((i) => rows[i]));
  return new Map(
    [...rowsBy(allocator)].map(([name, rows]) => [name, momentsOf(rows).flatMap((of) => merged(of.map(pieceOf)))]),
  );
}

/** Share of the width of the widest heap that a cut has. */
const GAP = 0.025;

/**
 * The heaps of a table by the name of their allocator, on scales with cuts of one width, which is returned as `gap`.
 * Throws an `InputError` for missing columns and an unknown kind.
 */
export function readHeaps(chart: string, table: Table): { heaps: Map<string, HeapPicture>; gap: number } {
  const pieces = readPieces(chart, table);
  const live = [...pieces.values()].flat().filter(({ kind }) => kind === "live");
  const largest = Math.max(1, ...live.map(({ start, end }) => end - start));
  const scaled = (gap: number): Map<string, HeapPicture> =>
    new Map(
      [...pieces].map(([name, of]) => {
        const { edges, end } = edgesOf(of);
        return [name, { pieces: of, scale: cutScale(edges, end, largest, gap) }];
      }),
    );
  const gap = Math.ceil(GAP * Math.max(...[...scaled(0).values()].map(({ scale }) => scale.width)));
  return { heaps: scaled(gap), gap };
}

/** The parts of the pieces that are shown, where they are drawn. */
export function partsOf({ pieces, scale }: HeapPicture) {
  return pieces.flatMap(({ moment, start, end, kind }) =>
    scale.stretches.flatMap((stretch) => {
      const from = Math.max(start, stretch.start);
      const to = Math.min(end, stretch.end);
      return from < to ? [{ moment, kind, from: scale.place(from), to: scale.place(to) }] : [];
    }),
  );
}

/** The letters of the live blocks that have room for theirs. */
export function lettersOf({ pieces, scale }: HeapPicture, pxPerByte: number, size: number) {
  return pieces.flatMap(({ moment, start, end, block }) => {
    if (block < 0 || end > scale.end) return [];
    const letter = letterOf(block);
    const room = (scale.place(end) - scale.place(start)) * pxPerByte;
    if (textWidth(letter, size, "bold") + 2 > room) return [];
    return [{ moment, letter, at: (scale.place(start) + scale.place(end)) / 2 }];
  });
}

/** Where a row is cut though its memory goes on. */
export function tearsOf({ pieces, scale }: HeapPicture) {
  return scale.stretches.flatMap((stretch) =>
    pieces
      .filter((piece) => piece.start < stretch.end && piece.end > stretch.end)
      .map(({ moment }) => ({ moment, cut: scale.place(stretch.end) })),
  );
}
