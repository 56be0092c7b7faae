/** How much the oracle tests of pymalloc compare, counted in their data. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { decodeTrace, type GoldenFile, GoldenOp, type GoldenTexts } from "../allocators/pymalloc/golden-trace.js";
import type { LiveFile } from "../allocators/pymalloc/live-capture.js";
import { packageRoot } from "../harness/version.js";
import { markdownTable } from "./text-table.js";

const folder = join(packageRoot, "allocators", "pymalloc", "golden");

function unpack(name: string): Buffer {
  const bytes = readFileSync(join(folder, name));
  return name.endsWith(".gz") ? gunzipSync(bytes) : brotliDecompressSync(bytes);
}

const read = (name: string): unknown => JSON.parse(unpack(name).toString("utf8"));
const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, " ");
const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** A row for each recorded trace: the compiled allocator under each variant, geometry and alignment of arenas. */
export function goldenTable(): string {
  const golden = read("results.json.gz") as GoldenFile;
  const texts = read("texts.json.br") as GoldenTexts;
  const rows = Object.entries(golden).map(([name, { rows: placements, results }]) => {
    const all = Object.values(results);
    const printed = Object.values(texts[name] ?? {});
    return [
      all.length,
      placements * all.length,
      sum(printed.map((list) => list.length)),
      sum(printed.flat().map((text) => text.split("\n").length - 1)),
      all.filter((result) => result.events !== undefined).length,
      sum(all.map((result) => result.dumps?.length ?? 0)),
    ];
  });
  const head = [
    "trace",
    "heaps",
    "placements",
    "texts",
    "lines of text",
    "lists of arena events",
    "deep dumps",
    "differences",
  ];
  const names = Object.keys(golden);
  const total = rows.reduce((sums, row) => sums.map((count, k) => count + row[k]));
  const cells = (name: string, row: readonly number[]): string[] => [name, ...row.map(grouped), "0"];
  return markdownTable(head, [...rows.map((row, i) => cells(names[i], row)), cells("all", total)]);
}

/** A row for each capture of an interpreter that ran. */
export function liveTable(): string {
  const captures = Object.entries(read("live.json.br") as LiveFile);
  const rows = captures.map(([name, { python, checkpoints, events }]) => {
    const trace = decodeTrace(unpack(`live-${name}.ops.br`));
    const frees = trace.op.reduce((count, op) => count + (op === GoldenOp.free ? 1 : 0), 0);
    const counts = [trace.length, trace.length - frees, checkpoints.length, events.length];
    return [name, python, ...counts.map(grouped), "0"];
  });
  const head = [
    "capture",
    "interpreter",
    "requests",
    "placements",
    "checkpoints",
    "arenas made and returned",
    "differences",
  ];
  return markdownTable(head, rows);
}
