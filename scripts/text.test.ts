import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { byteCount, listOf, wholeNumber } from "./parse-options.js";
import { createProgress } from "./progress.js";
import { formatBytes, formatPercent, markdownTable, textTable } from "./text-table.js";

describe("tables for people", () => {
  it("pad columns, numbers to the right, words to the left", () => {
    const table = textTable(
      ["name", "bytes"],
      [
        ["a", "1.00 KiB"],
        ["long name", "512 B"],
      ],
    );
    expect(table).toBe(
      ["name          bytes", "---------  --------", "a          1.00 KiB", "long name     512 B"].join("\n"),
    );
  });

  it("escape what Markdown would take for a column", () => {
    expect(markdownTable(["a"], [["x | y"]])).toBe("| a |\n| --- |\n| x \\| y |");
  });

  it("write bytes with three digits and a binary unit, and ratios as percentages", () => {
    expect([0, 512, 1024, 10_752, 104_857_600, 3e12].map(formatBytes)).toEqual([
      "0 B",
      "512 B",
      "1.00 KiB",
      "10.5 KiB",
      "100 MiB",
      "2.73 TiB",
    ]);
    expect([0, 0.1234, 12.5, Number.NaN].map(formatPercent)).toEqual(["0.0 %", "12.3 %", "1250 %", "-"]);
  });
});

describe("option values", () => {
  it("are parsed, or refused with what was expected", () => {
    expect(byteCount("64M")).toBe(67108864);
    expect(() => byteCount("64X")).toThrow(/expected bytes/);
    expect(() => byteCount("12")).toThrow(/>= 4096/);
    expect(wholeNumber(1)("8")).toBe(8);
    for (const text of ["0", "-1", "1.5", "x", ""]) expect(() => wholeNumber(1)(text)).toThrow(/whole number >= 1/);
    expect(listOf(["svg", "png"])("png,svg")).toEqual(["png", "svg"]);
    expect(() => listOf(["svg", "png"])("gif")).toThrow(/some of svg, png, got "gif"/);
  });
});

describe("progress", () => {
  function outOf(isTTY: boolean, run: (progress: ReturnType<typeof createProgress>) => void): string {
    const out = Object.assign(new PassThrough(), { isTTY, columns: 60 });
    run(createProgress("job", out as unknown as NodeJS.WriteStream));
    return String(out.read() ?? "");
  }

  it("is one live line on a terminal, which is taken away at the end", () => {
    const text = outOf(true, (progress) => {
      progress.update(3, 3, "last one");
      progress.end();
    });
    expect(text).toContain("job: 3/3 cells");
    expect(text.endsWith("\r\u001b[2K")).toBe(true);
    expect(text).not.toContain("\n");
    for (const line of text.split("\r")) expect(line.replace("\u001b[2K", "").length).toBeLessThan(60);
  });

  it("says nothing in a log when all is done within seconds", () => {
    expect(outOf(false, (progress) => progress.update(3, 3, "last one"))).toBe("");
  });
});
