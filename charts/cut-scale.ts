/** A scale of bytes without the stretches where nothing happens. */
import type { Ticks } from "./units.js";

/** Bytes that are shown, and where the first of them is drawn. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly at: number;
}

export interface CutScale {
  /** From the lowest bytes; between two of them lies a cut. */
  readonly stretches: readonly Stretch[];
  /** The first byte that is no longer shown. */
  readonly end: number;
  /** Width of everything, with the cut at the end. */
  readonly width: number;
  /** Where a byte that is shown is drawn. */
  place(byte: number): number;
  /** Multiples of the least power of two of which at most `count` are shown, at the places where they are drawn. */
  ticks(count: number): Ticks;
}

/** The drawn stretches around `edges`, with `margin` on both sides, where they are more than `long` apart. */
function stretchesAround(edges: readonly number[], margin: number, long: number, gap: number): Stretch[] {
  const stretches: Stretch[] = [];
  let start = 0;
  let at = 0;
  edges.forEach((edge, i) => {
    const next = edges[i + 1];
    if (next !== undefined && next - edge <= long) return;
    const end = edge + margin;
    stretches.push({ start, end, at });
    at += end - start + gap;
    if (next !== undefined) start = next - margin;
  });
  return stretches;
}

function ticksOf(stretches: readonly Stretch[], count: number): Ticks {
  const first = (start: number, step: number): number => Math.ceil(start / step) * step;
  const shown = (step: number): number =>
    stretches.reduce((sum, { start, end }) => sum + Math.floor((end - first(start, step)) / step) + 1, 0);
  let step = 1;
  while (shown(step) > Math.max(1, count)) step *= 2;
  const bytes = stretches.flatMap(({ start, end }) => {
    const multiples: number[] = [];
    for (let byte = first(start, step); byte <= end; byte += step) multiples.push(byte);
    return multiples;
  });
  const drawn = (byte: number): number => {
    const { start, at } = stretches.findLast((stretch) => stretch.start <= byte) ?? stretches[0];
    return at + byte - start;
  };
  const shifts = stretches.map(({ start, at }) => `datum.value + ${start - at}`);
  const expression = shifts.reduceRight(
    (after, shift, i) => `datum.value < ${stretches[i + 1].at} ? ${shift} : ${after}`,
  );
  return {
    values: bytes.map(drawn),
    labels: bytes.map(String),
    unit: "B",
    expression: `format(${expression}, 'd')`,
  };
}

/**
 * The scale for pictures that change at the bytes `edges` and are of interest up to `end`: stretches of more than two
 * blocks of the size `block` between edges are cut out, and everything a quarter of a block behind `end`. `gap` is the
 * width of a cut in drawn bytes.
 */
export function cutScale(edges: readonly number[], end: number, block: number, gap: number): CutScale {
  const sorted = [...new Set([0, ...edges, end])].filter((edge) => edge <= end).sort((a, b) => a - b);
  const stretches = stretchesAround(sorted, Math.ceil(block / 4), 2 * block, gap);
  const last = stretches[stretches.length - 1];
  return {
    stretches,
    end: last.end,
    width: last.at + last.end - last.start + gap,
    place(byte) {
      const { start, at } = stretches.findLast((stretch) => stretch.start <= byte) ?? stretches[0];
      return at + byte - start;
    },
    ticks: (count) => ticksOf(stretches, count),
  };
}
