/** Tables in the shape that charts read, cut from the tables of an experiment. */
import { kindNames } from "../memory/heap-map.js";
import type { Tables } from "./experiment.js";
import { thin } from "./metrics/series.js";
import { ratioInterval } from "./statistics/ratio.js";
import { type Table, type TableRecord, tableOf } from "./table.js";

const textColumn = (table: Table, name: string): ArrayLike<string> =>
  (table.columns.get(name) ?? []) as ArrayLike<string>;
const numberColumn = (table: Table, name: string): ArrayLike<number> =>
  (table.columns.get(name) ?? []) as ArrayLike<number>;

/** Rows of a table as records. */
export function recordsOf(table: Table): Record<string, string | number>[] {
  return Array.from({ length: table.rows }, (_, row) =>
    Object.fromEntries([...table.columns].map(([name, column]) => [name, column[row]])),
  );
}

/** One line of a chart: the rows of one workload, allocator and seed. */
function* lines(series: Table): Generator<{ workload: string; allocator: string; rows: number[] }> {
  const workload = textColumn(series, "workload");
  const allocator = textColumn(series, "allocator");
  const seed = numberColumn(series, "seed");
  for (let from = 0, to: number; from < series.rows; from = to) {
    to = from;
    while (
      to < series.rows &&
      workload[to] === workload[from] &&
      allocator[to] === allocator[from] &&
      seed[to] === seed[from]
    )
      to++;
    if (seed[from] === 1)
      yield {
        workload: workload[from],
        allocator: allocator[from],
        rows: Array.from({ length: to - from }, (_, i) => from + i),
      };
  }
}

/**
 * Courses of live and footprint of the first seed: columns workload, allocator, event, bytes (allocated so far), live,
 * footprint. Lines are thinned evenly until a chart of them, with one line of live bytes a workload, has at most `points`
 * points.
 */
export function courses(tables: Tables, workloads: readonly string[], points: number): Table {
  const { series } = tables;
  const pick = (name: string, rows: readonly number[]): number[] => {
    const column = numberColumn(series, name);
    return rows.map((row) => column[row]);
  };
  const records: TableRecord[] = [];
  const drawn = [...lines(series)].filter(({ workload }) => workloads.includes(workload));
  // Four points a bin, and the last.
  const bins = Math.max(1, Math.floor((points / (drawn.length + workloads.length) - 1) / 4));
  for (const { workload, allocator, rows } of drawn) {
    const course = thin(
      {
        event: pick("event", rows),
        allocated: pick("allocated", rows),
        live: pick("live", rows),
        footprint: pick("footprint", rows),
      },
      bins,
    );
    course.event.forEach((event, i) => {
      records.push({
        workload,
        allocator,
        event,
        bytes: course.allocated[i],
        live: course.live[i],
        footprint: course.footprint[i],
      });
    });
  }
  return tableOf(records);
}

/**
 * The footprint by kind at a labelled look of the first seed: columns workload, allocator, kind, bytes. `title` names
 * the panel of a row; by default it is the workload.
 */
export function kindsAt(
  tables: Tables,
  keep: (look: { workload: string; allocator: string; label: string }) => boolean,
  title: (look: { workload: string; label: string }) => string = ({ workload }) => workload,
): Table {
  const { looks } = tables;
  const seed = numberColumn(looks, "seed");
  const records: TableRecord[] = [];
  for (let row = 0; row < looks.rows; row++) {
    const look = {
      workload: textColumn(looks, "workload")[row],
      allocator: textColumn(looks, "allocator")[row],
      label: textColumn(looks, "label")[row],
    };
    if (seed[row] !== 1 || !keep(look)) continue;
    for (const kind of kindNames) {
      records.push({
        workload: title(look),
        allocator: look.allocator,
        kind,
        bytes: numberColumn(looks, `kind.${kind}`)[row],
      });
    }
  }
  return tableOf(records);
}

/**
 * One metric of the completed cells: columns workload, allocator, value, lo, hi. Over several seeds, `value` is the
 * geometric mean of what `transform` makes of the metric, and `lo` to `hi` its 95 % t interval; for one they are NaN.
 */
export function metricValues(tables: Tables, metric: string, transform: (value: number) => number): Table {
  const { cells } = tables;
  const arms = new Map<string, { workload: string; allocator: string; samples: number[] }>();
  for (let row = 0; row < cells.rows; row++) {
    if (textColumn(cells, "outcome")[row] !== "completed") continue;
    const workload = textColumn(cells, "workload")[row];
    const allocator = textColumn(cells, "allocator")[row];
    const key = `${workload}\n${allocator}`;
    const arm = arms.get(key) ?? { workload, allocator, samples: [] };
    arms.set(key, arm);
    arm.samples.push(transform(numberColumn(cells, metric)[row]));
  }
  return tableOf(
    [...arms.values()].map(({ workload, allocator, samples }) => {
      const { ratio, low, high } = ratioInterval(
        samples,
        samples.map(() => 1),
      );
      return { workload, allocator, value: ratio, lo: low, hi: high };
    }),
  );
}

/** A metric of one cell of the first seed, or `NaN`. */
export function cellValue(tables: Tables, workload: string, allocator: string, metric: string): number {
  const { cells } = tables;
  for (let row = 0; row < cells.rows; row++) {
    if (textColumn(cells, "workload")[row] === workload && textColumn(cells, "allocator")[row] === allocator) {
      return numberColumn(cells, metric)[row];
    }
  }
  return Number.NaN;
}
