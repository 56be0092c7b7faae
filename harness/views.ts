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

/** One line of a chart: the rows of one workload and allocator. */
interface Line {
  readonly workload: string;
  readonly allocator: string;
  readonly rows: readonly number[];
}

/** The lines of the first seed. */
function* lines(series: Table): Generator<Line> {
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

/** One line thinned to at most `bins` bins. */
function thinned({ series }: Tables, line: Line, bins: number, clock: "event" | "allocated"): TableRecord[] {
  const pick = (name: string): number[] => {
    const column = numberColumn(series, name);
    return line.rows.map((row) => column[row]);
  };
  const course = thin(
    { event: pick("event"), allocated: pick("allocated"), live: pick("live"), footprint: pick("footprint") },
    bins,
    clock,
  );
  return course.event.map((event, i) => ({
    workload: line.workload,
    allocator: line.allocator,
    event,
    bytes: course.allocated[i],
    live: course.live[i],
    footprint: course.footprint[i],
  }));
}

/**
 * Courses of live and footprint of the first seed: columns workload, allocator, event, bytes (allocated so far), live,
 * footprint. All lines are thinned alike, no more than needed for a chart of at most `points` points, in which each
 * workload has one more line, of live bytes, as long as its longest. `clock` is the one on which they will be drawn.
 */
export function courses(
  tables: Tables,
  workloads: readonly string[],
  points: number,
  clock: "event" | "bytes" = "event",
): Table {
  const by = clock === "bytes" ? "allocated" : clock;
  const drawn = [...lines(tables.series)].filter(({ workload }) => workloads.includes(workload));
  for (let bins = 256; ; bins = Math.floor(bins * 0.8)) {
    const courses = drawn.map((line) => thinned(tables, line, bins, by));
    const longest = new Map<string, number>();
    drawn.forEach(({ workload }, i) => {
      longest.set(workload, Math.max(longest.get(workload) ?? 0, courses[i].length));
    });
    const rows = courses.flat();
    const total = [...longest.values()].reduce((sum, length) => sum + length, rows.length);
    if (total <= points || bins <= 1) return tableOf(rows);
  }
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

/** Values of a labelled look of the first seed, or `NaN`. */
export function lookValue(tables: Tables, workload: string, allocator: string, label: string, column: string): number {
  const { looks } = tables;
  for (let row = 0; row < looks.rows; row++) {
    if (
      textColumn(looks, "label")[row] === label &&
      textColumn(looks, "workload")[row] === workload &&
      textColumn(looks, "allocator")[row] === allocator
    )
      return numberColumn(looks, column)[row];
  }
  return Number.NaN;
}

/** The phase marks of a workload, in order: the events that had run, and the label. */
export function phaseMarks(tables: Tables, workload: string): { event: number; label: string }[] {
  const { looks } = tables;
  const marks = new Map<string, number>();
  for (let row = 0; row < looks.rows; row++) {
    const label = textColumn(looks, "label")[row];
    if (textColumn(looks, "workload")[row] !== workload || ["", "peak", "end"].includes(label)) continue;
    if (!marks.has(label)) marks.set(label, numberColumn(looks, "event")[row]);
  }
  return [...marks].map(([label, event]) => ({ event, label }));
}
