/** Bytes in the pools of each size class, as stacked columns: one panel a heap, all on one scale, to compare them. */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { unknownName } from "../memory/errors.js";
import { type KindName, kindNames } from "../memory/heap-map.js";
import { numbers, requireRows, rowsBy, texts } from "./columns.js";
import {
  axisHeight,
  type ChartOptions,
  figure,
  frameOf,
  gridOf,
  headings,
  isFirst,
  isLowest,
  kindColour,
  labelExtent,
  type Panel,
  panelHead,
  panelHeight,
  titleExtent,
  valueAxis,
  xAxis,
  yTickCount,
} from "./panels.js";
import { byteTicks } from "./units.js";

interface Part {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly low: number;
  readonly high: number;
}

/** Share of the distance between two classes that is left free. */
const GAP = 0.2;

/** The least distance of two sizes: the width of a column. */
function stepOf(sizes: readonly number[]): number {
  const sorted = [...new Set([0, ...sizes])].sort((a, b) => a - b);
  return Math.min(...sorted.slice(1).map((size, i) => size - sorted[i]));
}

/**
 * Columns: `allocator` (the heap: one panel), `size` (of the class, in bytes), `kind` (a `KindName`), `bytes`. Parts are stacked in the order
 * of the kinds, darkest first. Throws an `InputError` for missing columns and an unknown kind.
 */
export function sizeClasses(table: Table, options: ChartOptions = {}): TopLevelSpec {
  const chart = "size-classes";
  requireRows(chart, table);
  const frame = frameOf(options);
  const { theme } = frame;
  const states = rowsBy(texts(chart, table, "allocator"));
  const kind = texts(chart, table, "kind");
  const [size, bytes] = ["size", "bytes"].map((name) => numbers(chart, table, name));
  const odd = kind.find((name) => !(kindNames as readonly string[]).includes(name));
  if (odd !== undefined) throw unknownName("kind of bytes", odd, kindNames);
  const kinds = kindNames.filter((name) => kind.some((other, row) => other === name && bytes[row] > 0));
  const width = stepOf(size) * (1 - GAP);
  const partsOf = (rows: readonly number[]): Part[] => {
    const top = new Map<number, number>();
    const byKind = [...rows].sort((a, b) => kinds.indexOf(kind[a] as KindName) - kinds.indexOf(kind[b] as KindName));
    return byKind.map((row) => {
      const low = top.get(size[row]) ?? 0;
      const high = low + bytes[row];
      top.set(size[row], high);
      return { kind: kind[row], from: size[row] - width / 2, to: size[row] + width / 2, low, high };
    });
  };
  const drawn = [...states].map(([title, rows]) => ({ title, parts: partsOf(rows) }));
  const highest = Math.max(1, ...drawn.flatMap(({ parts }) => parts.map((part) => part.high))) * 1.04;
  const widest = Math.max(...size) + stepOf(size);
  const height = Math.round(panelHeight(frame, drawn.length) * 1.3);
  const ticks = byteTicks(highest, yTickCount(theme, height));
  const extent = labelExtent(theme, [...ticks.labels, ticks.unit]);
  const grid = gridOf(frame, drawn.length, extent + titleExtent(theme), extent + Math.ceil(theme.font.label));
  const heads = headings(
    frame,
    drawn.map(({ title }) => title),
    grid.panelWidth,
  );
  const across = {
    // Sizes are read as numbers of bytes: a KiB would hide which class it is.
    ticks: (count: number) => ({ ...byteTicks(widest, count), unit: "B" }),
    share: (value: number) => value / widest,
  };
  const panels = drawn.map(
    ({ parts }, i): Panel => ({
      width: grid.panelWidth,
      height,
      data: { values: parts.map((part) => ({ ...part })) },
      layer: [
        {
          mark: { type: "rect" },
          encoding: {
            x: {
              field: "from",
              type: "quantitative",
              scale: { domain: [0, widest], nice: false },
              axis: xAxis(frame, grid, across, isLowest(grid, i, drawn.length) ? "size class" : null),
            },
            x2: { field: "to" },
            y: {
              field: "low",
              type: "quantitative",
              scale: { domain: [0, highest], nice: false },
              axis: valueAxis(ticks, extent, isFirst(grid, i) ? "bytes" : null),
            },
            y2: { field: "high" },
            color: kindColour(frame, grid, kinds),
          },
        },
        ...panelHead(frame, heads[i], grid.panelWidth, ticks.unit),
      ],
    }),
  );
  const lines = Math.max(...heads.map((head) => head.length));
  return figure(chart, frame, grid, panels, { below: axisHeight(theme), lines });
}
