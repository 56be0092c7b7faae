/** Reading recordings of the real CPython allocator, and writing them in the form of the oracle tests. */
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { decodeTrace, digestOf, encodeTrace, GoldenOp, type GoldenTrace } from "../allocators/pymalloc/golden-trace.js";
import { InputError } from "../memory/errors.js";

export function gunzipText(file: string): string {
  return gunzipSync(readFileSync(file)).toString("utf8");
}

function pack(file: string, bytes: Uint8Array): Uint8Array {
  if (file.endsWith(".gz")) return gzipSync(bytes, { level: 9 });
  const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT } = constants;
  return brotliCompressSync(bytes, {
    params: { [BROTLI_PARAM_QUALITY]: 11, [BROTLI_PARAM_LGWIN]: 24, [BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
}

/** Writes data as JSON, packed as the ending (.gz, .br) says. */
export function writeJson(file: string, data: unknown): void {
  writeFileSync(file, pack(file, Buffer.from(JSON.stringify(data), "utf8")));
}

/** Writes a trace, packed as the ending (.gz, .br) says. Throws an `InputError` where it would not read back the same. */
export function writeGoldenTrace(file: string, trace: GoldenTrace): void {
  const bytes = encodeTrace(trace);
  if (digestOf(decodeTrace(bytes)) !== digestOf(trace))
    throw new InputError(`${file}: the packed trace is not the trace`);
  writeFileSync(file, pack(file, bytes));
}

/** Reads the lines `a ID SIZE`, `f ID`, `r ID SIZE`, `s LABEL`, `d LABEL`. Blocks are renumbered as they appear. */
export function parseGoldenTrace(name: string, text: string): GoldenTrace {
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
