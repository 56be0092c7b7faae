/**
 * Packs captures of running interpreters (`NAME.trace.gz`, `NAME.truth.json`) for the oracle test:
 * `node dist/scripts/make-pymalloc-live.js SOURCE [OUT]`, where OUT is `allocators/pymalloc/golden`.
 */
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { GoldenOp } from "../allocators/pymalloc/golden-trace.js";
import type { LiveCheckpoint, LiveFile } from "../allocators/pymalloc/live-capture.js";
import { InputError } from "../memory/errors.js";
import { gunzipText, parseGoldenTrace, writeGoldenTrace, writeJson } from "./make-pymalloc-source.js";

interface Truth {
  name: string;
  python: string;
  poolSize: number;
  arenaSize: number;
  arenaBaseMod: number[];
  arenaEvents: ["map" | "unmap", number, number][];
  checkpoints: { checkpoint: string; afterOps: number; placementHash: number; stats: LiveCheckpoint["statistics"] }[];
  finalPlacementHash: number;
  ops: number;
}

function pack(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  const live: LiveFile = {};
  const files = readdirSync(from).filter((file) => file.endsWith(".truth.json"));
  if (files.length === 0) throw new InputError(`${from} has no *.truth.json`);
  for (const file of files.sort()) {
    const truth = JSON.parse(readFileSync(join(from, file), "utf8")) as Truth;
    const { name } = truth;
    const trace = parseGoldenTrace(name, gunzipText(join(from, `${name}.trace.gz`)));
    const marks = trace.op.some((op) => op === GoldenOp.statistics || op === GoldenOp.dump);
    if (trace.length !== truth.ops || marks)
      throw new InputError(`${name}: ${trace.length} requests, not ${truth.ops}`);
    writeGoldenTrace(join(to, `live-${name}.ops.br`), trace);
    live[name] = {
      python: truth.python,
      pool: truth.poolSize,
      arena: truth.arenaSize,
      offsets: truth.arenaBaseMod,
      events: truth.arenaEvents,
      checkpoints: truth.checkpoints.map(({ checkpoint: label, afterOps, placementHash, stats: statistics }) => {
        return { label, afterOps, placementHash, statistics };
      }),
      finalHash: truth.finalPlacementHash,
    };
  }
  writeJson(join(to, "live.json.br"), live);
}

const [from, to = "allocators/pymalloc/golden"] = process.argv.slice(2);
if (from === undefined) {
  process.stderr.write("usage: make-pymalloc-live SOURCE [OUT]\n");
  process.exitCode = 2;
} else pack(from, to);
