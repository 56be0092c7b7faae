import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import { distinct, filter, fromCsv, type Table, tableOf, toCsv } from "./table.js";

const sample = tableOf([
  { allocator: "pymalloc", events: 1000, ratio: 1.25 },
  { allocator: 'odd, "name"', events: 1e21, ratio: Number.NaN },
  { allocator: "12", events: -0, ratio: 0.1 },
]);

const values = (table: Table): [string, (string | number)[]][] =>
  [...table.columns].map(([name, column]) => [name, Array.from<string | number>(column)]);

describe("a table", () => {
  it("is written with \\n, shortest numbers, empty cells for NaN and quotes only where needed", () => {
    expect(toCsv(sample)).toBe('allocator,events,ratio\npymalloc,1000,1.25\n"odd, ""name""",1e+21,\n"12",-0,0.1\n');
  });

  it("comes back from CSV with its types", () => {
    const back = fromCsv(toCsv(sample));
    expect(values(back)).toEqual(values(sample));
    expect(Object.is(back.columns.get("events")?.[2], -0)).toBe(true);
  });

  it("survives any text and any double", () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom("", "1", "1e5", "NaN", "Infinity", '"', ",", "\n", "\r\n", "\ufeff"),
    );
    const row = fc.record({ name: text, value: fc.double(), "odd, name": text });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 8 }), (rows) => {
        const table = tableOf(rows);
        const back = fromCsv(toCsv(table));
        expect(back.rows).toBe(table.rows);
        expect(values(back)).toEqual(values(table));
        expect(toCsv(back)).toBe(toCsv(table));
      }),
    );
  });

  it("reads foreign line ends, a byte order mark and a last line without an end", () => {
    expect(values(fromCsv('\ufeffa,b\r\n1,"x"\r\n2,y'))).toEqual([
      ["a", [1, 2]],
      ["b", ["x", "y"]],
    ]);
  });

  it("may have no rows or no columns", () => {
    expect(fromCsv(toCsv(tableOf([])))).toEqual({ rows: 0, columns: new Map() });
    expect(fromCsv("a,b\n").rows).toBe(0);
    expect([...fromCsv("a,b\n").columns.keys()]).toEqual(["a", "b"]);
  });

  it("keeps the rows asked for, with the kind of each column", () => {
    const kept = filter(sample, (row) => row !== 1);
    expect(toCsv(kept)).toBe('allocator,events,ratio\npymalloc,1000,1.25\n"12",-0,0.1\n');
    expect(kept.columns.get("events")).toBeInstanceOf(Float64Array);
  });

  it("names the different values in the order of their first row", () => {
    const table = tableOf([{ a: "y" }, { a: "x" }, { a: "y" }]);
    expect(distinct(table, "a")).toEqual(["y", "x"]);
    expect(() => distinct(table, "b")).toThrow(InputError);
  });

  it("survives a structured clone, as a message to a worker is", () => {
    expect(structuredClone(sample)).toEqual(sample);
  });

  it("refuses records that do not fit together", () => {
    expect(() => tableOf([{ a: 1 }, { a: "x" }])).toThrow('column "a": row 1 is string, row 0 is number');
    expect(() => tableOf([{ a: 1 }, { b: 1 }])).toThrow('a column "b"');
    expect(() => tableOf([{ a: 1, b: 2 }, { a: 1 }])).toThrow('a column "b"');
  });

  it("refuses CSV that is ragged, badly quoted or names a column twice", () => {
    expect(() => fromCsv("a,b\n1,2\n3\n")).toThrow("row 2: 1 cells, but the header has 2");
    expect(() => fromCsv('a\n"x\n')).toThrow("line 2: misplaced or unclosed quote");
    expect(() => fromCsv('a\nx"y\n')).toThrow("misplaced or unclosed quote");
    expect(() => fromCsv("a,a\n")).toThrow('column "a" appears twice');
  });
});
