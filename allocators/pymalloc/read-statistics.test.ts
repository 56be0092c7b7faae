import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InputError } from "../../memory/errors.js";
import { readStatistics } from "./read-statistics.js";
import { statisticsText } from "./statistics-text.js";

const folder = new URL("./samples/", import.meta.url);
const samples = readdirSync(folder).filter((file) => !file.includes("mimalloc"));
const textOf = (file: string): string => readFileSync(new URL(file, folder), "utf8");
const newest = textOf("cpython-3.13.0.txt");

function faultOf(text: string): string {
  try {
    readStatistics(text, "stats.txt");
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    const { message } = error as InputError;
    expect(message).toMatch(/^stats\.txt(:\d+)?: [^\n]*$/);
    return message;
  }
  return "";
}

describe("reading what an interpreter printed", () => {
  it.each(samples)("%s reads, and prints again as it was", (file) => {
    const text = textOf(file);
    const [reading, ...more] = readStatistics(text, file);
    expect(more).toEqual([]);
    const own = statisticsText(reading.statistics, reading);
    expect(text.startsWith(own)).toBe(true);
    const rest = text.slice(own.length).split("\n");
    expect(reading.freeLists).toEqual(rest.map((line) => line.trim()).filter((line) => line !== ""));
    expect(reading.threshold).toBe(512);
    expect("arenaMap" in reading.statistics).toBe(reading.arena === 1048576);
  });

  it("covers every minor version from 3.6 to 3.13", () => {
    expect(samples.map((file) => Number(/3\.(\d+)/.exec(file)?.[1])).sort((a, b) => a - b)).toEqual([
      6, 7, 8, 9, 10, 11, 12, 13,
    ]);
  });

  it("adds up the free lists of types", () => {
    const [reading] = readStatistics(newest, "stats.txt");
    const bytes = reading.freeLists.map((line) => Number(/= +([\d,]+)$/.exec(line)?.[1].replaceAll(",", "")));
    expect(reading.freeLists.length).toBeGreaterThan(20);
    expect(reading.freeListBytes).toBe(bytes.reduce((sum, n) => sum + n, 0));
  });

  it("finds every printing among other lines, with carriage returns too", () => {
    const log = `starting\n${newest}Traceback: none\n\n${newest.replaceAll("\n", "\r\n")}done\n`;
    const readings = readStatistics(log, "log");
    expect(readings).toHaveLength(2);
    expect(readings[0].statistics).toEqual(readings[1].statistics);
  });
});

describe("a text that cannot be right", () => {
  it.each([
    ["", "stats.txt: no line"],
    ["hello\n", `no line "Small block threshold = ..., in ... size classes."`],
    [textOf("cpython-3.13.0-mimalloc.txt"), "expected statistics of pymalloc, not of mimalloc"],
    [newest.replace("class   size", "klass   size"), `3: "klass`],
    [newest.replace("# arenas reclaimed ", "# arenas lost      "), `expected "# arenas reclaimed = NUMBER"`],
    [newest.replace(/(# bytes lost to pool headers +=) +[\d,]+/, "$1 1"), "six kinds of bytes that add up to"],
    [newest.replace(/^( +0 +16 +\d+ +)\d+/m, "$19"), "classes that add up to"],
    [newest.replace(/^( +1 +32 +)\d+/m, "$199"), "pools that lose"],
    [newest.replace(/^( +1 +32 +\d+ +\d+ +)\d+/m, "$199999"), "bytes available"],
    [
      newest.replace("in 32 size classes", "in 7 size classes"),
      "expected 7 classes up to 512 bytes, not class 7 of 128",
    ],
  ])("number %#: is an error of one line that says where", (text, words) => {
    expect(faultOf(text)).toContain(words);
  });

  it("is refused wherever it is cut before its totals, and never read as something else", () => {
    const whole = readStatistics(newest, "stats.txt")[0].statistics;
    const lines = newest.split("\n");
    const end = lines.findIndex((line) => line.startsWith("Total"));
    for (let n = 0; n <= end; n++) expect(faultOf(lines.slice(0, n).join("\n"))).not.toBe("");
    const [cut] = readStatistics(lines.slice(0, end + 1).join("\n"), "stats.txt");
    expect({ ...cut.statistics, arenaMap: whole.arenaMap }).toEqual(whole);
  });
});
