import { describe, expect, it } from "vitest";
import { type TableRecord, tableOf } from "../harness/table.js";
import { portrait } from "./portrait.js";
import { renderSvg, svgSize } from "./render.js";
import { themes } from "./theme.js";
import { logByteTicks } from "./units.js";

/** Cumulated shares up to `largest`, and a course of live bytes. */
function tableUpTo(largest: number, peak: number) {
  const records: TableRecord[] = [];
  for (const part of ["sizes", "lifetimes"]) {
    for (const series of ["blocks", "bytes"]) {
      for (let x = 0; x <= 20; x++) records.push({ part, series, x: Math.round((largest * x) / 20), y: x / 20 });
    }
  }
  for (let x = 0; x <= 20; x++) records.push({ part: "live", series: "bytes", x: x * 1000, y: (peak * x) / 20 });
  return tableOf(records);
}

const heading = { title: "What a trace asks for", subtitle: "Numbers about it. ".repeat(12).trim() };

describe("the portrait", () => {
  it("is as wide as the theme says, without a warning, in every theme and span", async () => {
    for (const theme of Object.values(themes)) {
      for (const span of ["column", "text"] as const) {
        const svg = await renderSvg(portrait(tableUpTo(1e9, 123_456_789), { ...heading, theme, span }), theme);
        expect([theme.name, span, svgSize(svg).width]).toEqual([theme.name, span, theme.width[span]]);
        expect(svg).not.toContain("…");
      }
    }
  });

  it("is drawn for traces of one size, of nothing but empty blocks, and of terabytes", async () => {
    for (const largest of [0, 1, 16, 1e13]) {
      const svg = await renderSvg(portrait(tableUpTo(largest, largest)), themes.screen);
      expect(svgSize(svg).width).toBe(themes.screen.width.text);
    }
  });

  it("refuses an unknown part, a missing column and no rows", () => {
    expect(() => portrait(tableOf([{ part: "life", series: "blocks", x: 1, y: 1 }]))).toThrow(
      'chart portrait: part "life": expected sizes, lifetimes, live',
    );
    expect(() => portrait(tableOf([{ part: "live", x: 1, y: 1 }]))).toThrow('has no column "series"');
    expect(() => portrait(tableOf([]))).toThrow("no rows");
  });
});

describe("ticks on a log axis of bytes", () => {
  it("are powers of two with their units, no more than there is room for", () => {
    expect(logByteTicks(1, 65_536, 6).labels).toEqual(["1 B", "8 B", "64 B", "512 B", "4 KiB", "32 KiB"]);
    expect(logByteTicks(10, 3e9, 4).labels).toEqual(["1 KiB", "1 MiB", "1 GiB"]);
    expect(logByteTicks(33, 63, 4).labels).toHaveLength(1);
    for (const count of [1, 2, 3, 6]) {
      expect(logByteTicks(1, 1e15, count).values.length).toBeLessThanOrEqual(Math.max(1, count));
    }
  });
});
