import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { createGunzip } from "node:zlib";
import { InputError, unknownName } from "../memory/errors.js";
import { fileError } from "./file-errors.js";
import type { ReadReport, ReadResult, TraceReader } from "./readers/reader.js";
import { readers } from "./readers/registry.js";
import { readTraceFile } from "./trace-file.js";
import { isTraceFile } from "./trace-file-layout.js";

const HEAD_BYTES = 65536;
const CHUNK = 262144;
const COMPACT = "fgt";

export interface ReadTraceOptions {
  /** A name from `traceFormats`; by default the content tells. */
  readonly format?: string;
  /** Drop and count requests that cannot be right instead of an error that names the first. */
  readonly lenient?: boolean;
}

/** Names of the formats that can be read. */
export const traceFormats: readonly string[] = [COMPACT, ...readers.map((reader) => reader.name)];

/**
 * Reads a trace in any known format, zipped or not, told by its content alone. Throws an `InputError` of one line for a
 * file that is missing, empty, damaged, in no known format or without events.
 */
export async function readTrace(path: string, options: ReadTraceOptions = {}): Promise<ReadResult> {
  const { format } = options;
  if (format !== undefined && !traceFormats.includes(format)) throw unknownName("trace format", format, traceFormats);
  try {
    const head = await readHead(path);
    if (head.length === 0) throw new InputError(`${path}: is empty: expected a trace; record or copy it again`);
    const compact = format === COMPACT || (format === undefined && isTraceFile(head));
    const result = compact ? await readCompact(path) : await readForeign(path, isGzip(head), options);
    if (result.trace.length > 0) return result;
    throw new InputError(`${path}: no events: expected at least one operation; is it the right file?`);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** The name of a trace is that of its file without folder and endings. */
export function traceNameOf(path: string): string {
  return basename(path).replace(/(?:\.(?:gz|fgt|trace|rep|script|txt))+$/, "");
}

async function readHead(path: string): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function isGzip(head: Uint8Array): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

async function readCompact(path: string): Promise<ReadResult> {
  const trace = await readTraceFile(path);
  const report: ReadReport = {
    format: COMPACT,
    lines: 0,
    events: trace.length,
    dropped: {},
    altered: {},
    ignored: {},
    notes: [],
  };
  return { trace, report };
}

async function readForeign(path: string, zipped: boolean, options: ReadTraceOptions): Promise<ReadResult> {
  const source = { file: path, name: traceNameOf(path), lenient: options.lenient ?? false };
  const file = createReadStream(path, { highWaterMark: CHUNK });
  const content = zipped ? createGunzip({ chunkSize: CHUNK }) : file;
  if (zipped) file.on("error", (error) => content.destroy(error)).pipe(content as ReturnType<typeof createGunzip>);
  try {
    const chunks = content[Symbol.asyncIterator]() as AsyncIterableIterator<Buffer>;
    const first = await chunks.next();
    if (first.done) throw new InputError(`${path}: holds no data: expected a trace; record or copy it again`);
    const reading = readerFor(path, first.value, options.format).read(source);
    reading.push(first.value);
    for await (const chunk of chunks) reading.push(chunk);
    return reading.finish();
  } finally {
    file.destroy();
    content.destroy();
  }
}

function readerFor(path: string, head: Uint8Array, format: string | undefined): TraceReader {
  const known = head.subarray(0, HEAD_BYTES);
  const reader = readers.find((one) => (format === undefined ? one.recognises(known) : one.name === format));
  if (reader !== undefined) return reader;
  if (isTraceFile(head)) throw new InputError(`${path}: a zipped .fgt file: expected it as it is; gunzip it first`);
  const formats = traceFormats.join(", ");
  throw new InputError(`${path}: in no known trace format: expected one of ${formats}; name it with --format`);
}
