import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv, type ValidateFunction } from "ajv";
import type { TopLevelSpec } from "vega-lite";
import { beforeAll, describe, expect, it } from "vitest";
import { filter, type Table, tableOf } from "../harness/table.js";
import { bars } from "./bars.js";
import { type BoundsOptions, bounds } from "./bounds.js";
import { type CurveOptions, curves } from "./curves.js";
import { decomposition } from "./decomposition.js";
import { fragmentation } from "./fragmentation.js";
import { heapMap } from "./heap-map.js";
import { matrix } from "./matrix.js";
import type { ChartOptions } from "./panels.js";
import { renderSvg, svgSize } from "./render.js";
import {
  barTable,
  boundTable,
  classTable,
  curveTable,
  heapTable,
  kindTable,
  lineTable,
  matrixTable,
  pointTable,
  survivorTable,
  workloads,
} from "./samples.js";
import { sizeClasses } from "./size-classes.js";
import { survivorCurve } from "./survivors.js";
import { type Span, type Theme, themes } from "./theme.js";
import { timeline } from "./timeline.js";

const heading = { title: "A heading that says what the figure shows", subtitle: "Seed 1. ".repeat(20).trim() };

/** Options of the chart of bounds over the sample tables. */
const between: BoundsOptions = {
  x: { title: "share that may be moved, %", scale: "symlog", domain: [0, 50], values: [0, 1, 10, 50] },
  y: "extent / live",
  bounds: [
    { name: "lower", label: "nothing below", at: 10, side: "below right", shaded: true, dash: [] },
    { name: "upper", label: "enough", at: 1, side: "above right", dash: [4, 2] },
  ],
};

const axes: Pick<CurveOptions, "x" | "y"> = {
  x: { title: "chance of a block to survive", quantity: "share", scale: "log" },
  y: { title: "share kept", quantity: "share", scale: "linear" },
};
const logAxes: Pick<CurveOptions, "x" | "y"> = {
  x: { title: "live bytes", quantity: "bytes", scale: "log" },
  y: { title: "ratio", quantity: "count", scale: "log" },
};

const forms: readonly [string, Table, (table: Table, options: ChartOptions) => TopLevelSpec][] = [
  ["timeline", lineTable(12), timeline],
  ["timeline over events", lineTable(12), (table, options) => timeline(table, { ...options, clock: "event" })],
  ["fragmentation", lineTable(12), fragmentation],
  ["decomposition", kindTable(), decomposition],
  ["decomposition in bytes", kindTable(), (table, options) => decomposition(table, { ...options, measure: "bytes" })],
  ["bars", barTable(), bars],
  ["bounds", pointTable(), (table, options) => bounds(table, boundTable(), { ...between, ...options })],
  [
    "bounds with curves",
    pointTable(),
    (table, options) => bounds(table, boundTable(), { ...between, joined: true, ...options }),
  ],
  ["heap map", heapTable(60, 40), heapMap],
  ["curves", curveTable(), (table, options) => curves(table, { ...options, ...axes })],
  ["curves, log and log", curveTable(), (table, options) => curves(table, { ...options, ...logAxes })],
  ["matrix", matrixTable(), (table, options) => matrix(table, { ...options, across: "arena size", down: "pool size" })],
  ["survivors", survivorTable(), survivorCurve],
  ["size classes", classTable(), sizeClasses],
];

const looks = Object.values(themes).flatMap((theme) =>
  (["column", "text"] as const).map((span): [Theme, Span] => [theme, span]),
);

/** The first `n` workloads of a table. */
function some(table: Table, n: number): Table {
  const workload = table.columns.get("workload");
  return filter(table, (row) => workloads.slice(0, n).includes(String(workload?.[row])));
}

describe.each(forms)("the chart %s", (_name, table, form) => {
  let validate: ValidateFunction;

  beforeAll(() => {
    validate = schema();
  });

  it("is valid by the schema of Vega-Lite", () => {
    const valid = validate(form(table, heading));
    expect(validate.errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  it("is exactly as wide as the theme says, without a warning, with no label cut", async () => {
    for (const [theme, span] of looks) {
      const svg = await renderSvg(form(table, { ...heading, theme, span }), theme);
      expect([theme.name, span, svgSize(svg).width]).toEqual([theme.name, span, theme.width[span]]);
      expect(svg).not.toContain("…");
    }
  });

  it("keeps its width with few panels and without a heading", async () => {
    for (const panels of [1, 2]) {
      for (const span of ["column", "text"] as const) {
        const svg = await renderSvg(form(some(table, panels), { theme: themes.acm, span }), themes.acm);
        expect(svgSize(svg).width).toBe(themes.acm.width[span]);
      }
    }
  });

  it("is the same for the same table, and leaves the table alone", () => {
    const before = structuredClone(table);
    expect(JSON.stringify(form(table, heading))).toBe(JSON.stringify(form(table, heading)));
    expect(table).toEqual(before);
  });

  it("names the column that is missing, and refuses an empty table", () => {
    const columns = new Map([...table.columns].filter(([name]) => name !== "allocator"));
    expect(() => form({ rows: table.rows, columns }, {})).toThrow(
      /^chart [a-z-]+: the table has no column "allocator"/,
    );
    expect(() =>
      form(
        filter(table, () => false),
        {},
      ),
    ).toThrow("the table has no rows");
  });
});

let compiled: ValidateFunction | undefined;

/** Compiling the schema takes seconds: once for the file. */
function schema(): ValidateFunction {
  if (compiled === undefined) {
    const file = createRequire(import.meta.url).resolve("vega-lite/vega-lite-schema.json");
    const ajv = new Ajv({ strict: false, validateFormats: false });
    compiled = ajv.compile(JSON.parse(readFileSync(file, "utf8")) as object);
  }
  return compiled;
}

describe("the schema check", () => {
  it("finds a misspelt field", () => {
    expect(schema()({ data: { values: [] }, mark: "line", encoding: { x: { feild: "a" } } })).toBe(false);
  });
});

/** The text of the `<text>` elements of a drawing. */
const textsIn = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);

describe("what the charts show", () => {
  it("is a live area that is not stacked where several moments share a clock value", async () => {
    const at = (bytes: number, live: number) => ({
      workload: "w",
      allocator: "a",
      event: bytes + live,
      bytes,
      live,
      footprint: 100,
    });
    const spec = timeline(tableOf([at(0, 10), at(50, 80), at(50, 10), at(50, 60), at(100, 20)]));
    const svg = await renderSvg(spec, themes.screen);
    const area = [...svg.matchAll(/class="mark-area[^"]*"[^>]*>\s*<path[^>]*d="([^"]+)"/g)].map((match) => match[1]);
    expect(area).toHaveLength(1);
    // The top of the area is the largest live value, 80 of 104 (the axis reaches 4 % above 100): no sum goes beyond it.
    const height = Math.max(...[...area[0].matchAll(/[,V](-?[\d.]+)/g)].map((match) => Number(match[1])));
    const top = Math.min(...[...area[0].matchAll(/[,V](-?[\d.]+)/g)].map((match) => Number(match[1])));
    expect(top / height).toBeCloseTo(1 - 80 / 104, 3);
  });

  it("more points than can be seen are refused", () => {
    expect(() => timeline(lineTable(210))).toThrow("at most 5000 can be seen: thin the table");
    expect(() => fragmentation(lineTable(210))).toThrow("at most 5000 can be seen: thin the table");
  });

  it("a series keeps its colour when others are missing", async () => {
    const table = lineTable(20);
    const allocator = table.columns.get("allocator");
    const only = filter(table, (row) => allocator?.[row] === "buddy");
    const svg = await renderSvg(timeline(only, { order: ["pymalloc", "first-fit", "buddy"] }), themes.screen);
    expect(svg).toContain('stroke="#009E73"');
  });

  it("bytes are labelled in binary units", async () => {
    const labels = textsIn(await renderSvg(timeline(some(lineTable(), 1), { theme: themes.acm }), themes.acm));
    expect(labels).toEqual(
      expect.arrayContaining(["MiB", "50", "100", "150", "footprint", "bytes allocated", "2.5 GiB"]),
    );
  });

  it("a moment without live bytes has no ratio", () => {
    const row = { workload: "w", allocator: "a", event: 0, bytes: 0, live: 0, footprint: 4096 };
    const spec = fragmentation(tableOf([row, { ...row, event: 1, bytes: 64, live: 2048 }]));
    expect(JSON.stringify(spec)).toContain('"values":[{"series":"a","bytes":[64],"footprint / live":[2]}]');
  });

  it("the parts of a bar add up to its footprint", () => {
    const part = { workload: "w", allocator: "a" };
    const table = tableOf([
      { ...part, kind: "free", bytes: 50 },
      { ...part, kind: "live", bytes: 200 },
      { ...part, kind: "header", bytes: 10 },
    ]);
    expect(JSON.stringify(decomposition(table))).toContain(
      JSON.stringify([
        { allocator: "a", kind: "live", bytes: 200, from: 0, to: 100 },
        { allocator: "a", kind: "header", bytes: 10, from: 100, to: 105 },
        { allocator: "a", kind: "free", bytes: 50, from: 105, to: 130 },
      ]),
    );
    expect(() => decomposition(tableOf([{ ...part, kind: "fre", bytes: 1 }]))).toThrow('did you mean "free"?');
    expect(() => decomposition(tableOf([{ ...part, kind: "free", bytes: 1 }]))).toThrow("a has no live bytes");
  });

  it("a ratio of 0 is refused, an interval that is NaN is not drawn", async () => {
    const row = { workload: "w", allocator: "a", value: 2, lo: Number.NaN, hi: Number.NaN };
    expect(() => bars(tableOf([{ ...row, value: 0 }]))).toThrow("row 0: a ratio is above 0");
    const plain = await renderSvg(bars(tableOf([row])), themes.screen);
    const interval = await renderSvg(bars(tableOf([{ ...row, lo: 1.5, hi: 2.5 }])), themes.screen);
    const rules = (svg: string): number => svg.match(/class="mark-rule role-mark/g)?.length ?? 0;
    expect(rules(interval)).toBe(rules(plain) + 1);
  });

  it("no bar reaches the edge: one below the baseline is not drawn as if it were cut off", () => {
    const domainOf = (...values: number[]): [number, number] => {
      const table = tableOf(values.map((value, i) => ({ workload: "w", allocator: `a${i}`, value })));
      const [, low, high] = /"scale":\{"domain":\[([\d.]+),([\d.]+)\],"nice"/.exec(JSON.stringify(bars(table))) ?? [];
      return [Number(low), Number(high)];
    };
    expect(domainOf(2, 3)[0]).toBe(1);
    for (const values of [
      [0.92, 1.006],
      [0.25, 0.9],
      [0.5, 4],
    ]) {
      const [low, high] = domainOf(...values);
      const margin = Math.log(Math.min(...values) / low) / Math.log(high / low);
      expect(margin).toBeGreaterThan(0.01);
      expect(margin).toBeLessThan(0.05);
    }
  });

  it("a log axis over less than two powers of ten has ticks between them", async () => {
    const row = { workload: "w", allocator: "a", y: 1 };
    const table = tableOf([0.3, 1, 3.7].map((x) => ({ ...row, x })));
    const x = { title: "moved / given back", quantity: "count", scale: "log" } as const;
    const labels = textsIn(await renderSvg(curves(table, { ...axes, x }), themes.screen));
    expect(labels).toEqual(expect.arrayContaining(["0.5", "1", "2"]));
  });

  it("a curve without points has a piece of its line in the legend, dashed as the line is", () => {
    const row = { x: 0.1, lo: Number.NaN, hi: Number.NaN, line: 0.5, workload: "w" };
    const table = tableOf([
      { ...row, allocator: "measured", y: 0.5 },
      { ...row, allocator: "theory", y: Number.NaN },
    ]);
    const [, circle, path] =
      /"shape":.*?"range":\["([^"]*)","([^"]*)"\]/.exec(JSON.stringify(curves(table, axes))) ?? [];
    expect(circle).toBe("circle");
    // The second series has dashes of 5 and gaps of 2: two pieces in the 11 px of a symbol.
    expect(path.match(/M/g)).toHaveLength(2);
  });

  it("a curve runs along its line and shows a point only where one was measured", async () => {
    const row = { workload: "w", allocator: "a", y: Number.NaN, line: 0.5, lo: Number.NaN, hi: Number.NaN };
    const table = tableOf([
      { ...row, x: 0.001 },
      { ...row, x: 0.01, y: 0.4, lo: 0.3, hi: 0.6 },
      { ...row, x: 0.1, line: 0.9 },
    ]);
    const svg = await renderSvg(curves(table, axes), themes.screen);
    expect(svg.match(/aria-roledescription="point"|class="mark-symbol role-mark[^"]*"[^>]*><path/g)?.length).toBe(1);
    expect(textsIn(svg)).toEqual(expect.arrayContaining(["0.1 %", "1 %", "10 %", "share kept"]));
    expect(() =>
      curves(
        filter(table, (i) => i === 0),
        { ...axes, x: { ...axes.x, title: "f" } },
      ),
    ).not.toThrow();
    expect(() => curves(tableOf([{ ...row, x: 0 }]), axes)).toThrow(
      'chart curves: 0 on the log axis "chance of a block to survive": give values above 0',
    );
  });

  it("a matrix writes every value and frames the least", async () => {
    const row = { workload: "w", allocator: "1 MiB", row: "4 KiB", value: 12.345 };
    const table = tableOf([row, { ...row, allocator: "2 MiB", value: 7.5 }, { ...row, row: "8 KiB", value: 812 }]);
    const spec = matrix(table, { across: "arena", down: "pool" });
    expect(textsIn(await renderSvg(spec, themes.screen))).toEqual(expect.arrayContaining(["12.3", "7.50", "812"]));
    expect(JSON.stringify(spec)).toContain("datum.column === '2 MiB' && datum.row === '4 KiB'");
  });

  it("the parts of a column add up, in the order of the kinds", () => {
    const part = { allocator: "a", size: 16 };
    const table = tableOf([
      { ...part, kind: "free", bytes: 50 },
      { ...part, kind: "live", bytes: 200 },
      { ...part, size: 32, kind: "live", bytes: 10 },
    ]);
    expect(JSON.stringify(sizeClasses(table))).toContain(
      JSON.stringify([
        { kind: "live", from: 9.6, to: 22.4, low: 0, high: 200 },
        { kind: "live", from: 25.6, to: 38.4, low: 0, high: 10 },
        { kind: "free", from: 9.6, to: 22.4, low: 200, high: 250 },
      ]),
    );
    expect(() => sizeClasses(tableOf([{ ...part, kind: "fre", bytes: 1 }]))).toThrow('did you mean "free"?');
  });

  it("a heap map of the wrong number of cells is refused", () => {
    const row = { workload: "w", allocator: "a", width: 2, height: 2, events: 10, bytes: 8192, cells: "AAAA" };
    expect(() => heapMap(tableOf([row]))).toThrow("row 0: 3 cells, but width x height is 2 x 2");
  });
});
