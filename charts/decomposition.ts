/** What the bytes of the footprint are used for, as stacked bars: one panel a workload, one row an allocator. */
import type { TopLevelSpec } from "vega-lite";
import type { Table } from "../harness/table.js";
import { InputError, unknownName } from "../memory/errors.js";
import { type KindName, kindNames } from "../memory/heap-map.js";
import { namesOf, numbers, requireRows, rowsBy, texts } from "./columns.js";
import { type ChartOptions, type Frame, frameOf, type Grid, kindColour, type Layer } from "./panels.js";
import { type RowChart, type RowPanel, roomForValue, rowChart, rowGrid } from "./rows.js";
import { ink } from "./theme.js";
import { byteTicks, percentTicks, sixDigits } from "./units.js";

export interface DecompositionOptions extends ChartOptions {
  /** Percent of the live bytes on one scale for all panels, or bytes on a scale of each panel. Default: `percent`. */
  readonly measure?: "percent" | "bytes";
}

interface Stack {
  readonly allocator: string;
  readonly bytes: ReadonlyMap<string, number>;
}

interface Part extends Readonly<Record<string, string | number>> {
  readonly to: number;
}

/** One bar: its parts in the order of the kinds, each with where it begins and ends. */
function partsOf(stack: Stack, percent: boolean): Part[] {
  const live = stack.bytes.get("live") ?? 0;
  if (percent && live <= 0) {
    throw new InputError(`chart decomposition: ${stack.allocator} has no live bytes to be a percentage of`);
  }
  const factor = percent ? 100 / live : 1;
  let from = 0;
  return kindNames.flatMap((kind) => {
    const bytes = stack.bytes.get(kind) ?? 0;
    if (bytes === 0) return [];
    const part = {
      allocator: stack.allocator,
      kind,
      bytes,
      from: sixDigits(from * factor),
      to: sixDigits((from + bytes) * factor),
    };
    from += bytes;
    return [part];
  });
}

function layers(kinds: readonly KindName[], percent: boolean) {
  return (frame: Frame, grid: Grid): Layer[] => {
    const bar: Layer = {
      mark: { type: "bar", stroke: "white", strokeWidth: 0.4 },
      encoding: {
        x2: { field: "to" },
        color: kindColour(frame, grid, kinds),
      },
    };
    const transform: Layer["transform"] = [
      { aggregate: [{ op: "max", field: "to", as: "total" }], groupby: ["allocator"] },
    ];
    const outline: Layer = {
      transform,
      mark: { type: "bar", filled: false, stroke: ink.axis, strokeWidth: 0.5 },
      encoding: { x: { field: "total", type: "quantitative" }, x2: { datum: 0 } },
    };
    const total: Layer = {
      transform,
      mark: { type: "text", align: "left", baseline: "middle", dx: 3 },
      encoding: {
        x: { field: "total", type: "quantitative" },
        text: { field: "total", type: "quantitative", format: ".0f" },
      },
    };
    const all: Layer = {
      data: { values: [{ live: 100 }] },
      mark: { type: "rule", color: ink.live, strokeWidth: 0.8 },
      encoding: { x: { field: "live", type: "quantitative" }, y: { value: 0 }, y2: { value: "height" } },
    };
    return [bar, outline, ...(percent ? [all, total] : [])];
  };
}

/**
 * Columns: `workload`, `allocator`, `kind` (a `KindName`), `bytes`, all at one instant. Parts are stacked in the order
 * of the kinds, darkest first; in percent, the rule at 100 is the live memory, and the number is the whole footprint.
 * Throws an `InputError` for missing columns, an unknown kind, and a bar without live bytes in percent.
 */
export function decomposition(table: Table, options: DecompositionOptions = {}): TopLevelSpec {
  const chart = "decomposition";
  requireRows(chart, table);
  const frame = frameOf(options);
  const percent = options.measure !== "bytes";
  const allocator = texts(chart, table, "allocator");
  const kind = texts(chart, table, "kind");
  const bytes = numbers(chart, table, "bytes");
  const odd = kind.find((name) => !(kindNames as readonly string[]).includes(name));
  if (odd !== undefined) throw unknownName("kind of bytes", odd, kindNames);
  const kinds = kindNames.filter((name) => kind.some((other, row) => other === name && bytes[row] > 0));
  const names = namesOf(allocator, options.order).filter((name) => allocator.includes(name));

  const workloads = rowsBy(texts(chart, table, "workload"));
  const grid = rowGrid(frame, names, workloads.size);
  const drawn = [...workloads].map(([title, rows]) => {
    const values = [...rowsBy(rows.map((row) => allocator[row]))].flatMap(([name, indices]) =>
      partsOf({ allocator: name, bytes: new Map(indices.map((i) => [kind[rows[i]], bytes[rows[i]]])) }, percent),
    );
    return { title, values, top: Math.max(...values.map((part) => part.to)) };
  });
  const highest = Math.max(...drawn.map((panel) => panel.top));
  const room = percent ? roomForValue(frame, grid.panelWidth, highest.toFixed(0)) : 1.02;
  const panels = drawn.map(
    ({ title, values, top }): RowPanel => ({ title, values, domain: [0, (percent ? highest : top) * room] }),
  );
  const form: RowChart = {
    name: chart,
    names,
    panels,
    scale: "linear",
    title: percent ? "footprint, % of live bytes" : "footprint",
    ticks: (domain, count) => (percent ? percentTicks : byteTicks)(domain[1], count),
    layers: layers(kinds, percent),
  };
  return rowChart(frame, grid, form);
}
