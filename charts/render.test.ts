import type { TopLevelSpec } from "vega-lite";
import { describe, expect, it } from "vitest";
import { bars } from "./bars.js";
import { embedFonts } from "./fonts.js";
import { heapMap } from "./heap-map.js";
import { renderPdf, renderPng, renderSvg, svgSize } from "./render.js";
import { barTable, heapTable, lineTable } from "./samples.js";
import { themes } from "./theme.js";
import { timeline } from "./timeline.js";

const acm = themes.acm;
const chart = timeline(lineTable(40), { theme: acm, span: "column", title: "Footprint" });

describe("an SVG", () => {
  it("has the same bytes again, after other drawings and amid them", async () => {
    const first = await renderSvg(chart, acm);
    await renderSvg(bars(barTable()), themes.screen);
    const amid = await Promise.all([
      renderSvg(chart, acm),
      renderSvg(heapMap(heapTable(20, 10)), acm),
      renderSvg(chart, acm),
    ]);
    expect(amid[0] === first && amid[2] === first).toBe(true);
    expect(first).toContain("clip-path");
  });

  it("carries its provenance as canonical JSON", async () => {
    const svg = await renderSvg(chart, acm, { version: "1.0", seeds: [1, 2], a: { c: "<&>", b: null } });
    expect(svg).toMatch(/^<svg[^>]*><metadata>/);
    const metadata = /<metadata>(.*?)<\/metadata>/.exec(svg)?.[1];
    expect(metadata).toBe('{"a":{"b":null,"c":"&lt;&amp;&gt;"},"seeds":[1,2],"version":"1.0"}');
    expect(await renderSvg(chart, acm)).not.toContain("<metadata>");
  });

  it("names a family that is valid CSS", async () => {
    expect(await renderSvg(chart, acm)).toContain("'Source Sans 3', ");
  });

  it("can carry its fonts", async () => {
    const svg = embedFonts(await renderSvg(chart, acm));
    expect(svg.match(/@font-face\{font-family:'Source Sans 3'/g)).toHaveLength(2);
    expect(svg.length).toBeLessThan(250_000);
  });

  it("is refused with the name of the chart when Vega-Lite warns", async () => {
    const odd = {
      name: "odd",
      data: { values: [{ a: 1 }] },
      mark: "bar",
      encoding: { x: { field: "a", type: "quantitative", scale: { type: "band" } } },
    } as TopLevelSpec;
    await expect(renderSvg(odd, acm)).rejects.toThrow(/^chart odd: .*band/);
    // Only the running view finds this one.
    const infinite: TopLevelSpec = {
      name: "infinite",
      data: { values: [{ a: 0 }, { a: 1 }] },
      mark: "point",
      encoding: { x: { field: "a", type: "quantitative", scale: { type: "log", domain: [0, 1] } } },
    };
    await expect(renderSvg(infinite, acm)).rejects.toThrow(/^chart infinite: /);
    await expect(renderSvg({ name: "nothing" } as never, acm)).rejects.toThrow(/^chart nothing: /);
    expect(await renderSvg(chart, acm)).toContain("<svg");
  });

  it("states its size", async () => {
    expect(svgSize(await renderSvg(chart, acm)).width).toBe(320);
    expect(() => svgSize("<svg></svg>")).toThrow("does not state its width");
  });
});

describe("a PNG", () => {
  it("has 300 dots an inch unless told, and the same bytes twice", async () => {
    const svg = await renderSvg(chart, acm);
    const png = Buffer.from(await renderPng(svg));
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1000, Math.round((svgSize(svg).height * 300) / 96)]);
    expect(png.equals(await renderPng(svg))).toBe(true);
    expect(Buffer.from(await renderPng(svg, 96)).readUInt32BE(16)).toBe(320);
  });
});

describe("a PDF", () => {
  it("is of the figure's size, with subsets of its fonts and no date, the same bytes twice", async () => {
    const svg = await renderSvg(chart, acm);
    const pdf = Buffer.from(await renderPdf(svg, "Footprint"));
    const text = pdf.toString("latin1");
    expect(text).toMatch(/\/BaseFont \/[A-Z]{6}\+SourceSans3-Regular/);
    expect(text).toMatch(/\/BaseFont \/[A-Z]{6}\+SourceSans3-Bold/);
    expect(text.match(/\/FontFile2 /g)).toHaveLength(2);
    expect(text).toContain(`/MediaBox [0 0 240 ${svgSize(svg).height * 0.75}]`);
    expect(text).toContain("(D:19700101000000Z)");
    expect(text).not.toContain("/Subtype /Image");
    expect(pdf.equals(await renderPdf(svg, "Footprint"))).toBe(true);
  });

  it("keeps a heap map as an image", async () => {
    const svg = await renderSvg(heapMap(heapTable(40, 20), { theme: acm }), acm);
    expect(Buffer.from(await renderPdf(svg, "Heap")).toString("latin1")).toContain("/Subtype /Image");
  });
});
