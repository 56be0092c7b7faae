import { open } from "node:fs/promises";
import { basename } from "node:path";
import { InputError, unknownName } from "../memory/errors.js";
import { fileError, refusePipe } from "./file-errors.js";
import type { Reading, ReadReport, ReadResult, ReadSource, TraceReader } from "./readers/reader.js";
import { readers } from "./readers/registry.js";
import { readTraceFile } from "./trace-file.js";
import { isTraceFile } from "./trace-file-layout.js";
import { unpacked } from "./unpack.js";

const HEAD_BYTES = 65536;
const CHUNK = 262144;
const COMPACT = "fgt";
const GZIP = [0x1f, 0x8b];
/** Deflate makes at most so many bytes of one. */
const MAX_DEFLATED = 1032;
/** 64 GiB: more than any trace that memory can hold, less than what a zipped bomb unpacks to. */
const MAX_UNPACKED = 0x1000000000;

export interface ReadTraceOptions {
  /** A name from `traceFormats`; by default the content tells. */
  readonly format?: string;
  /** Drop and count requests that cannot be right instead of an error that names the first. */
  readonly lenient?: boolean;
  /** Of a file with several heaps the one to read, see `ReadSource`. */
  readonly part?: number;
  /** Refuse a packed file that unpacks to more bytes than this, 64 GiB by default. */
  readonly maxUnpacked?: number;
  /** See `ReadSource`; a compact file holds no such uses. */
  readonly keepStale?: boolean;
  /** See `ReadSource`. */
  readonly observe?: ReadSource["observe"];
}

/** Names of the formats that can be read. */
export const traceFormats: readonly string[] = [COMPACT, ...readers.map((reader) => reader.name)];

/**
 * Reads a trace in any known format, packed by gzip or zstd or not, told by its content alone. Throws an `InputError` of one line for a
 * file that is missing, empty, damaged, in no known format or without events.
 */
export async function readTrace(path: string, options: ReadTraceOptions = {}): Promise<ReadResult> {
  const { format } = options;
  if (format !== undefined && !traceFormats.includes(format)) throw unknownName("trace format", format, traceFormats);
  try {
    refusePipe(path);
    const { head, bytes } = await readEnds(path);
    if (head.length === 0) throw new InputError(`${path}: is empty: expected a trace; record or copy it again`);
    const compact = format === COMPACT || (format === undefined && isTraceFile(head));
    if (compact) refusePart(path, COMPACT, options);
    const result = compact ? await readCompact(path) : await readForeign(path, head, bytes, options);
    if (result.trace.length > 0) return result;
    throw new InputError(`${path}: no events: expected at least one operation; is it the right file?`);
  } catch (error) {
    throw fileError(path, error);
  }
}

/** The name of a trace is that of its file without folder and endings. */
export function traceNameOf(path: string): string {
  return basename(path).replace(
    /(?:\.(?:gz|zst|fgt|fgr|trace|rep|script|txt|log|out|wl|mtrace|json|pickle|replay))+$/,
    "",
  );
}

/** The first bytes of a file, and about how many it holds, unpacked; 0 where that is not known. */
async function readEnds(path: string): Promise<{ head: Uint8Array; bytes: number }> {
  const file = await open(path, "r");
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    const { size } = await file.stat();
    if (head[0] !== GZIP[0] || head[1] !== GZIP[1] || size < 8) return { head, bytes: size };
    // RFC 1952: the length of the last member, modulo 2^32.
    const end = (await file.read(Buffer.alloc(4), 0, 4, size - 4)).buffer.readUInt32LE(0);
    return { head, bytes: end < size ? 0 : Math.min(end, MAX_DEFLATED * size) };
  } finally {
    await file.close();
  }
}

async function readCompact(path: string): Promise<ReadResult> {
  const trace = await readTraceFile(path);
  const report: ReadReport = {
    format: COMPACT,
    lines: 0,
    unit: "byte",
    events: trace.length,
    dropped: {},
    altered: {},
    assumed: {},
    ignored: {},
    notes: [],
  };
  return { trace, report };
}

async function readForeign(
  path: string,
  head: Uint8Array,
  bytes: number,
  options: ReadTraceOptions,
): Promise<ReadResult> {
  const packed = unpacked(path, head, CHUNK);
  if (packed === undefined) return readChunks(path, bytes, chunksOf(path), Number.POSITIVE_INFINITY, options);
  return readChunks(path, bytes, packed, options.maxUnpacked ?? MAX_UNPACKED, options);
}

/** The bytes of a file, in one buffer that is filled again and again. */
async function* chunksOf(path: string): AsyncGenerator<Buffer, void> {
  const file = await open(path, "r");
  try {
    const buffer = Buffer.allocUnsafeSlow(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** The first bytes, as many as detection looks at, wait until they are there. */
async function readChunks(
  path: string,
  bytes: number,
  content: AsyncIterable<Buffer>,
  limit: number,
  options: ReadTraceOptions,
): Promise<ReadResult> {
  let head: Buffer = Buffer.alloc(0);
  let reading: Reading | undefined;
  let total = 0;
  for await (const chunk of content) {
    total += chunk.length;
    if (total > limit) {
      throw new InputError(
        `${path}: unpacks to more than ${limit} bytes: expected less; is it damaged? else raise the limit with --max-unpacked`,
      );
    }
    if (reading !== undefined) reading.push(chunk);
    else {
      head = Buffer.concat([head, chunk]);
      if (head.length >= HEAD_BYTES) reading = startReading(path, bytes, head, options);
    }
  }
  if (total === 0) throw new InputError(`${path}: holds no data: expected a trace; record or copy it again`);
  return (reading ?? startReading(path, bytes, head, options)).finish();
}

/** A part of what has none would be ignored silently. */
function refusePart(path: string, format: string, { part }: ReadTraceOptions): void {
  if (part === undefined) return;
  throw new InputError(`${path}: has no part ${part}: ${format} files hold one heap; leave out --part`);
}

function startReading(path: string, bytes: number, head: Buffer, options: ReadTraceOptions): Reading {
  const { lenient = false, part, keepStale, observe } = options;
  const source = { file: path, name: traceNameOf(path), lenient, part, keepStale, observe, bytes };
  const reader = readerFor(path, head, options.format);
  if (reader.several !== true) refusePart(path, reader.name, options);
  const reading = reader.read(source);
  reading.push(head);
  return reading;
}

function readerFor(path: string, head: Uint8Array, format: string | undefined): TraceReader {
  const known = head.subarray(0, HEAD_BYTES);
  const reader = readers.find((one) => (format === undefined ? one.recognises(known) : one.name === format));
  if (reader !== undefined) return reader;
  if (isTraceFile(head)) throw new InputError(`${path}: a zipped .fgt file: expected it as it is; gunzip it first`);
  const formats = traceFormats.join(", ");
  throw new InputError(`${path}: in no known trace format: expected one of ${formats}; name it with --format`);
}
