import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { filter, type Table, tableOf } from "../harness/table.js";
import { cutScale } from "./cut-scale.js";
import { layout } from "./layout.js";
import { letterOf } from "./layout-pieces.js";
import { renderSvg, svgSize } from "./render.js";
import { type Span, themes } from "./theme.js";

/** A heap as text: pieces of `kind:bytes` in address order, a live one with its ordinal as `live:bytes:ordinal`. */
function heap(allocator: string, label: string, pieces: string) {
  let start = 0;
  return pieces.split(" ").map((piece) => {
    const [kind, bytes, block] = piece.split(":");
    const record = { allocator, label, start, bytes: Number(bytes), kind, block: Number(block ?? -1) };
    start += record.bytes;
    return record;
  });
}

const names = ["first-fit (wilderness preserved)", "pools", "handle-table (slide)"];
const table = tableOf(
  names.flatMap((name, i) => [
    ...heap(name, "A, B and C allocated", "header:16 live:64:0 header:16 live:64:1 header:16 live:64:2 fresh:4096"),
    ...heap(name, "B freed", "header:16 live:64:0 free:80 header:16 live:64:2 fresh:2048 fresh:2048"),
    ...heap(
      name,
      "D, larger than B",
      `header:16 live:64:0 free:80 header:16 live:64:2 ${i === 1 ? "fresh:3840 header:48" : "header:16"} live:128:3 fresh:9`,
    ),
  ]),
);

const textsIn = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
const letters = (svg: string): string[] => textsIn(svg).filter((text) => /^[A-Z]+$/.test(text));
const svgOf = (of: Table): Promise<string> => renderSvg(layout(of), themes.screen);

describe("the layout chart", () => {
  it("is valid by the schema of Vega-Lite", () => {
    const file = createRequire(import.meta.url).resolve("vega-lite/vega-lite-schema.json");
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const validate = ajv.compile(JSON.parse(readFileSync(file, "utf8")) as object);
    validate(layout(table, { title: "A heading", subtitle: "And more" }));
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ data: { values: [] }, mark: "bar", encoding: { x: { feild: "a" } } })).toBe(false);
  });

  it("is exactly as wide as the theme says, without a warning, with any number of panels", async () => {
    for (const theme of Object.values(themes)) {
      for (const span of ["column", "text"] as Span[]) {
        for (const panels of [1, 2, 3]) {
          const allocator = table.columns.get("allocator");
          const some = filter(table, (row) => names.slice(0, panels).includes(String(allocator?.[row])));
          const svg = await renderSvg(layout(some, { theme, span, title: "Three objects" }), theme);
          expect([theme.name, span, panels, svgSize(svg).width]).toEqual([theme.name, span, panels, theme.width[span]]);
          expect(svg).not.toContain("…");
        }
      }
    }
  });

  it("writes the letter of every live block into it, and none where there is no room", async () => {
    const panel = ["A", "B", "C", "A", "C", "A", "C", "D"];
    expect(letters(await svgOf(table))).toEqual([...panel, ...panel, ...panel]);
    const narrow = tableOf(heap("a", "now", "live:2:0 live:200:1 fresh:10"));
    expect(letters(await svgOf(narrow))).toEqual(["B"]);
  });

  it("names rows and panels, and counts bytes from the start of the heap across a cut", async () => {
    const texts = textsIn(await svgOf(table));
    expect(texts).toEqual(expect.arrayContaining([...names, "A, B and C allocated", "B freed", "D, larger than B"]));
    expect(texts).toEqual(expect.arrayContaining(["0", "128", "256", "4096", "4224 B"]));
  });

  it("shows of each piece the part that is not cut out, where it lies", () => {
    const pools = tableOf(heap("a", "now", "header:48 live:64:0 fresh:10000 live:64:1 fresh:10000"));
    const spec = JSON.stringify(layout(pools));
    // Cut are stretches of more than two blocks; a quarter of a block stays on both sides of the gap of 6 bytes.
    const row = (kind: string, from: number, to: number) => ({ moment: "now", kind, from, to });
    const parts = [row("header", 0, 48), row("live", 48, 112), row("fresh", 112, 128), row("fresh", 134, 150)];
    expect(spec).toContain(JSON.stringify([...parts, row("live", 150, 214), row("fresh", 214, 230)]));
  });

  it("takes memory that was never used as one piece and keeps free blocks apart", () => {
    const spec = (pieces: string): string => JSON.stringify(layout(tableOf(heap("a", "now", pieces))));
    expect(spec("fresh:8 fresh:8 live:64:0")).toBe(spec("fresh:16 live:64:0"));
    expect(spec("free:8 free:8 live:64:0")).not.toBe(spec("free:16 live:64:0"));
  });

  it("is the same for the same table, and leaves the table alone", () => {
    const before = structuredClone(table);
    expect(JSON.stringify(layout(table))).toBe(JSON.stringify(layout(table)));
    expect(table).toEqual(before);
  });

  it("names what is missing or unknown", () => {
    const columns = new Map([...table.columns].filter(([name]) => name !== "block"));
    expect(() => layout({ rows: table.rows, columns })).toThrow('chart layout: the table has no column "block"');
    expect(() => layout(filter(table, () => false))).toThrow("the table has no rows");
    expect(() => layout(tableOf(heap("a", "now", "lives:64:0")))).toThrow('did you mean "live"?');
    const many = Array.from({ length: 5001 }, (_, i) => ({ ...heap("a", "now", "live:16:0")[0], start: 16 * i }));
    expect(() => layout(tableOf(many))).toThrow("at most 5000 can be seen");
  });
});

describe("letters", () => {
  it("go on with AA behind Z", () => {
    expect([0, 25, 26, 51, 52, 701, 702].map(letterOf)).toEqual(["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
  });
});

describe("a scale with cuts", () => {
  const scale = cutScale([0, 64, 10_000, 10_064, 90_000], 10_064, 64, 8);

  it("leaves long stretches out and everything behind the end", () => {
    expect(scale.stretches).toEqual([
      { start: 0, end: 80, at: 0 },
      { start: 9984, end: 10_080, at: 88 },
    ]);
    expect([scale.end, scale.width]).toEqual([10_080, 192]);
    expect([0, 80, 9984, 10_064].map(scale.place)).toEqual([0, 80, 88, 168]);
  });

  it("is the identity where there is nothing to leave out", () => {
    const whole = cutScale([0, 50, 100, 140], 140, 64, 8);
    expect([0, 50, 140, 156].map(whole.place)).toEqual([0, 50, 140, 156]);
    expect(whole.stretches).toHaveLength(1);
  });

  it("has ticks at powers of two, labelled with the byte and not with the place", () => {
    expect(scale.ticks(4)).toMatchObject({ values: [0, 64, 88, 152], labels: ["0", "64", "9984", "10048"], unit: "B" });
    expect(scale.ticks(1)).toMatchObject({ values: [0], labels: ["0"] });
    expect(scale.ticks(4).expression).toBe("format(datum.value < 88 ? datum.value + 0 : datum.value + 9896, 'd')");
  });
});
