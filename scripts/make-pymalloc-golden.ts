/**
 * Packs recordings of the real CPython allocator (`NAME.trace.gz`, `NAME.golden.json.gz`) for the oracle test:
 * `node dist/scripts/make-pymalloc-golden.js SOURCE [OUT]`, where OUT is `allocators/pymalloc/golden`.
 */
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  digestOf,
  type GoldenFile,
  type GoldenResult,
  type GoldenTexts,
  statisticsDigest,
} from "../allocators/pymalloc/golden-trace.js";
import { InputError } from "../memory/errors.js";
import { gunzipText, parseGoldenTrace, writeGoldenTrace, writeJson } from "./make-pymalloc-source.js";

interface SourceResult {
  arenas: number;
  digest: string;
  digests?: [number, number, string][];
  events?: unknown[];
  stats: ({ classes: number[][]; text: string } & Record<string, unknown>)[];
  deep?: ({ label: string; op: number } & Record<string, unknown>)[];
}

interface Source {
  trace: string;
  ops: number;
  a: number;
  r: number;
  results: Record<string, SourceResult>;
}

/** Digest of what became of each reallocation: the third column of the rows, K, M, L or N. */
function fatesDigest(file: string): string {
  const fates = gunzipText(file)
    .split("\n")
    .map((line) => line.split("\t")[2] ?? "");
  return digestOf(fates.join(""));
}

function packResult(source: SourceResult, rows: string): GoldenResult {
  const result: GoldenResult = {
    arenas: source.arenas,
    digest: source.digest,
    statistics: source.stats.map((stats) => statisticsDigest(stats.classes, stats)),
  };
  if (source.digests !== undefined) {
    const words = Buffer.alloc(source.digests.length * 4);
    source.digests.forEach(([, , digest], i) => {
      words.writeUInt32LE(Number.parseInt(digest, 16), i * 4);
    });
    result.digests = words.toString("base64");
  }
  if (source.events !== undefined) result.events = digestOf(source.events);
  if (source.deep !== undefined) result.dumps = source.deep.map(({ label: _, op: __, ...dump }) => digestOf(dump));
  if (existsSync(rows)) result.fates = fatesDigest(rows);
  return result;
}

function pack(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const golden: GoldenFile = {};
  const files = readdirSync(from).filter((file) => file.endsWith(".golden.json.gz"));
  if (files.length === 0) throw new InputError(`${from} has no *.golden.json.gz`);
  const texts: GoldenTexts = {};
  for (const file of files.sort()) {
    const source = JSON.parse(gunzipText(join(from, file))) as Source;
    const { trace: name } = source;
    const trace = parseGoldenTrace(name, gunzipText(join(from, `${name}.trace.gz`)));
    if (trace.length !== source.ops) throw new InputError(`${name}: ${trace.length} operations, not ${source.ops}`);
    writeGoldenTrace(join(to, `${name}.ops.gz`), trace);
    // Placements row by row were kept of aligned arenas only.
    const rowsOf = (key: string): string => join(from, `${name}.rows.${key.replace("/aligned", "")}.tsv.gz`);
    const results = Object.entries(source.results);
    golden[name] = {
      rows: source.a + source.r,
      results: Object.fromEntries(results.map(([key, result]) => [key, packResult(result, rowsOf(key))])),
    };
    texts[name] = Object.fromEntries(results.map(([key, result]) => [key, result.stats.map(({ text }) => text)]));
  }
  writeJson(join(to, "results.json.gz"), golden);
  writeJson(join(to, "texts.json.br"), texts);
}

const [from, to = "allocators/pymalloc/golden"] = process.argv.slice(2);
if (from === undefined) {
  process.stderr.write("usage: make-pymalloc-golden SOURCE [OUT]\n");
  process.exitCode = 2;
} else pack(from, to);
