/**
 * Packs recordings of the real CPython allocator (`NAME.trace.gz`, `NAME.golden.json.gz`) for the oracle test:
 * `node dist/scripts/make-pymalloc-golden.js SOURCE [OUT]`, where OUT is `allocators/pymalloc/golden`.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import {
  decodeTrace,
  digestOf,
  encodeTrace,
  type GoldenFile,
  GoldenOp,
  type GoldenResult,
  type GoldenTrace,
  statisticsDigest,
} from "../allocators/pymalloc/golden-trace.js";
import { InputError } from "../memory/errors.js";

interface SourceResult {
  arenas: number;
  digest: string;
  digests?: [number, number, string][];
  events?: unknown[];
  stats: ({ classes: number[][]; text?: string } & Record<string, unknown>)[];
  deep?: ({ label: string; op: number } & Record<string, unknown>)[];
}

interface Source {
  trace: string;
  ops: number;
  a: number;
  r: number;
  results: Record<string, SourceResult>;
}

const zip = { level: 9 } as const;

function gunzipText(file: string): string {
  return gunzipSync(readFileSync(file)).toString("utf8");
}

/** Reads the lines `a ID SIZE`, `f ID`, `r ID SIZE`, `s LABEL`, `d LABEL`. Blocks are renumbered as they appear. */
function parseTrace(name: string, text: string): GoldenTrace {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  const op = new Uint8Array(lines.length);
  const block = new Int32Array(lines.length);
  const size = new Int32Array(lines.length);
  const blocks = new Map<string, number>();
  let made = 0;
  lines.forEach((line, i) => {
    const [code = "", id = "", bytes = "0"] = line.split(" ");
    const known = blocks.get(id);
    if (code === "s" || code === "d") op[i] = code === "s" ? GoldenOp.statistics : GoldenOp.dump;
    else if (code === "a" || (code === "r" && known === undefined)) {
      op[i] = code === "a" ? GoldenOp.malloc : GoldenOp.adopt;
      block[i] = ++made;
      size[i] = Number(bytes);
      blocks.set(id, made);
    } else if ((code === "r" || code === "f") && known !== undefined) {
      op[i] = code === "r" ? GoldenOp.grow : GoldenOp.free;
      block[i] = known;
      size[i] = code === "r" ? Number(bytes) : 0;
      if (code === "f") blocks.delete(id);
    } else throw new InputError(`${name}: operation ${i}: cannot read "${line}"`);
  });
  return { length: lines.length, op, block, size };
}

function packResult(source: SourceResult): GoldenResult {
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
  return result;
}

function pack(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const golden: GoldenFile = {};
  const files = readdirSync(from).filter((file) => file.endsWith(".golden.json.gz"));
  if (files.length === 0) throw new InputError(`${from} has no *.golden.json.gz`);
  for (const file of files.sort()) {
    const source = JSON.parse(gunzipText(join(from, file))) as Source;
    const trace = parseTrace(source.trace, gunzipText(join(from, `${source.trace}.trace.gz`)));
    const bytes = encodeTrace(trace);
    const back = decodeTrace(bytes);
    if (trace.length !== source.ops || digestOf(back) !== digestOf(trace)) {
      throw new InputError(`${source.trace}: the packed trace is not the trace`);
    }
    writeFileSync(join(to, `${source.trace}.ops.gz`), gzipSync(bytes, zip));
    const results = Object.entries(source.results).map(([key, result]) => [key, packResult(result)] as const);
    golden[source.trace] = { rows: source.a + source.r, results: Object.fromEntries(results) };
  }
  writeFileSync(join(to, "results.json.gz"), gzipSync(JSON.stringify(golden), zip));
}

const [from, to = "allocators/pymalloc/golden"] = process.argv.slice(2);
if (from === undefined) {
  process.stderr.write("usage: make-pymalloc-golden SOURCE [OUT]\n");
  process.exitCode = 2;
} else pack(from, to);
