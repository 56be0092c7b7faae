/** Reading the columns that a chart needs from a table, with errors that name the chart and the column. */
import type { Table } from "../harness/table.js";
import { InputError } from "../memory/errors.js";

function columnOf(chart: string, table: Table, name: string): ArrayLike<number | string> {
  const column = table.columns.get(name);
  if (column !== undefined) return column;
  const present = [...table.columns.keys()].join(", ");
  throw new InputError(`chart ${chart}: the table has no column "${name}": it has ${present}`);
}

/** A column of text. Throws an `InputError` where it is absent or holds numbers. */
export function texts(chart: string, table: Table, name: string): readonly string[] {
  return Array.from(columnOf(chart, table, name), (value, row) => {
    if (typeof value === "string") return value;
    throw new InputError(`chart ${chart}: column "${name}", row ${row}: ${value} is not text`);
  });
}

/** A column of finite numbers. Throws an `InputError` where it is absent, or a row is text, NaN or infinite. */
export function numbers(chart: string, table: Table, name: string): readonly number[] {
  return Array.from(columnOf(chart, table, name), (value, row) => {
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw new InputError(`chart ${chart}: column "${name}", row ${row}: ${value} is not a finite number`);
  });
}

/**
 * The different names in a column: those of `order` first, in its order, then the others by first appearance. Names in
 * `order` that the column lacks keep their place, so a series has the same colour in every chart of an experiment.
 */
export function namesOf(values: readonly string[], order: readonly string[] = []): string[] {
  return [...new Set([...order, ...values])];
}

/** Indices of the rows of each value of a column, by first appearance. */
export function rowsBy(values: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  values.forEach((value, row) => {
    const group = groups.get(value);
    if (group === undefined) groups.set(value, [row]);
    else group.push(row);
  });
  return groups;
}

/** Refuses a table without rows: an empty figure is always a mistake upstream. */
export function requireRows(chart: string, table: Table): void {
  if (table.rows === 0) throw new InputError(`chart ${chart}: the table has no rows`);
}
