/** The table of the charts that draw a line an allocator over a clock, one panel a workload. */
import type { Table } from "../harness/table.js";
import { namesOf, numbers, requireRows, rowsBy, texts } from "./columns.js";
import { type Clock, limitPoints } from "./lines.js";
import { type ChartOptions, type Frame, frameOf, panelHeight } from "./panels.js";

export interface ClockedOptions extends ChartOptions {
  /** Default: `bytes`, the allocation clock. */
  readonly clock?: Clock;
}

/** What was read of the table, by row; and what follows from the options. */
export interface ClockedTable {
  readonly frame: Frame;
  readonly clock: Clock;
  /** When: the column of the clock. */
  readonly at: readonly number[];
  readonly live: readonly number[];
  readonly footprint: readonly number[];
  /** The rows of each panel, by its name. */
  readonly workloads: ReadonlyMap<string, readonly number[]>;
  /** Height of each panel. */
  readonly height: number;
  /** Names of the allocators, in the order of their colours. */
  readonly names: readonly string[];
  /** Some rows by allocator, in the order of the table. */
  lines(rows: readonly number[]): { readonly name: string; readonly rows: readonly number[] }[];
}

/** Reads the table. Throws an `InputError` for missing columns, no rows, and more than 5000 points. */
export function clockedTable(chart: string, table: Table, options: ClockedOptions): ClockedTable {
  requireRows(chart, table);
  limitPoints(chart, table.rows);
  const frame = frameOf(options);
  const clock = options.clock ?? "bytes";
  const allocator = texts(chart, table, "allocator");
  const workloads = rowsBy(texts(chart, table, "workload"));
  return {
    frame,
    clock,
    at: numbers(chart, table, clock),
    live: numbers(chart, table, "live"),
    footprint: numbers(chart, table, "footprint"),
    workloads,
    height: panelHeight(frame, workloads.size),
    names: namesOf(allocator, options.order),
    lines: (rows) =>
      [...rowsBy(rows.map((row) => allocator[row]))].map(([name, indices]) => ({
        name,
        rows: indices.map((i) => rows[i]),
      })),
  };
}
