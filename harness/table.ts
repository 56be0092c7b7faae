/**
 * A table of named columns: what the harness writes as CSV and what the charts read. Pure data, so it can be stored,
 * sent to a worker and compared.
 */
import { InputError, unknownName } from "../memory/errors.js";

/** One column: all numbers or all text. A number that is missing is NaN. */
export type Column = ArrayLike<number> | ArrayLike<string>;

/** Named columns of equal length, in the order in which they are written. */
export interface Table {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, Column>;
}

/** A row by name, as callers build it. */
export type TableRecord = Readonly<Record<string, string | number>>;

const isText = (value: string | number): value is string => typeof value === "string";

function packed(values: readonly (string | number)[], where: string): Column {
  if (values.every((value) => !isText(value))) return Float64Array.from(values as readonly number[]);
  if (values.every(isText)) return [...values];
  const odd = values.findIndex((value) => isText(value) !== isText(values[0]));
  throw new InputError(`${where}: row ${odd} is ${typeof values[odd]}, row 0 is ${typeof values[0]}: use one type`);
}

/**
 * The table of some records, with the columns of the first one in its order. Throws an `InputError` for a record with
 * other columns and for a column that mixes numbers and text.
 */
export function tableOf(records: readonly TableRecord[]): Table {
  const names = Object.keys(records[0] ?? {});
  records.forEach((record, row) => {
    const odd = Object.keys(record).find((name) => !names.includes(name)) ?? names.find((name) => !(name in record));
    if (odd !== undefined) throw new InputError(`table: row ${row} and row 0 do not both have a column "${odd}"`);
  });
  const columns = names.map((name): [string, Column] => [
    name,
    packed(
      records.map((record) => record[name]),
      `table: column "${name}"`,
    ),
  ]);
  return { rows: records.length, columns: new Map(columns) };
}

/** The rows for which `keep` answers true, given the index of the row. */
export function filter(table: Table, keep: (row: number) => boolean): Table {
  const kept: number[] = [];
  for (let row = 0; row < table.rows; row++) if (keep(row)) kept.push(row);
  const taken = (column: Column): Column => {
    const values = kept.map((row) => column[row]);
    return column instanceof Float64Array ? Float64Array.from(values as number[]) : (values as number[] | string[]);
  };
  return {
    rows: kept.length,
    columns: new Map([...table.columns].map(([name, column]) => [name, taken(column)])),
  };
}

/** The different values of a column, in the order of their first row. Throws an `InputError` for an unknown column. */
export function distinct(table: Table, name: string): (string | number)[] {
  const column = table.columns.get(name);
  if (column === undefined) throw unknownName("column", name, [...table.columns.keys()]);
  return [...new Set<string | number>(Array.from<string | number>(column))];
}

/** A number as written by us and by others; the empty cell, NaN, is tested for apart. */
const numeric = /^(?:-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|-?Infinity)$/;

/** Text that must be quoted, because of its characters or because it would read as a number. */
const plain = (text: string): boolean => text !== "" && !/[",\r\n]/.test(text) && !numeric.test(text);
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;

function cell(value: string | number): string {
  if (isText(value)) return plain(value) ? value : quoted(value);
  if (Object.is(value, -0)) return "-0";
  return Number.isNaN(value) ? "" : String(value);
}

/**
 * The canonical CSV of a table: a header, commas, `\n`, numbers in the shortest form that reads back as the same
 * double, a missing number as an empty cell. Text is quoted where it has to be, also where it looks like a number.
 */
export function toCsv(table: Table): string {
  const columns = [...table.columns.values()];
  const lines = [[...table.columns.keys()].map((name) => cell(name)).join(",")];
  for (let row = 0; row < table.rows; row++) lines.push(columns.map((column) => cell(column[row])).join(","));
  return `${lines.join("\n")}\n`;
}

interface Cell {
  readonly text: string;
  readonly quoted: boolean;
}

/** RFC 4180, with `\n` or `\r\n`; the last line need not be ended. */
function cellsOf(text: string): Cell[][] {
  const field = /(?:"([^"]*(?:""[^"]*)*)"|([^",\r\n]*))(,|\r?\n|$)/y;
  const lines: Cell[][] = [];
  let line: Cell[] = [];
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  while (at < text.length || line.length > 0) {
    field.lastIndex = at;
    const match = field.exec(text);
    if (match === null) throw new InputError(`csv: line ${lines.length + 1}: misplaced or unclosed quote`);
    line.push({ text: match[1]?.replaceAll('""', '"') ?? match[2], quoted: match[1] !== undefined });
    at = field.lastIndex;
    if (match[3] === ",") continue;
    lines.push(line);
    line = [];
  }
  return lines;
}

const isNumber = (c: Cell): boolean => !c.quoted && (c.text === "" || numeric.test(c.text));

/**
 * Reads CSV. A column is numbers where every cell is an unquoted number or empty, else text; so what `toCsv` wrote
 * comes back with its types. Throws an `InputError` that names the line for a ragged row or a misplaced quote.
 */
export function fromCsv(text: string): Table {
  const [header = [], ...lines] = cellsOf(text);
  const names = header.length === 1 && header[0].text === "" && !header[0].quoted ? [] : header.map((c) => c.text);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new InputError(`csv: line 1: column "${twice}" appears twice`);
  lines.forEach((line, i) => {
    if (line.length === names.length) return;
    throw new InputError(`csv: row ${i + 1}: ${line.length} cells, but the header has ${names.length}`);
  });
  const columns = names.map((name, j): [string, Column] => {
    const cells = lines.map((line) => line[j]);
    if (!cells.every(isNumber)) return [name, cells.map((c) => c.text)];
    return [name, Float64Array.from(cells, (c) => (c.text === "" ? Number.NaN : Number(c.text)))];
  });
  return { rows: lines.length, columns: new Map(columns) };
}
