/** Reading and writing compact trace files (layout: trace-file-layout.ts). */

import type { FileHandle } from "node:fs/promises";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { inflateRaw, type ZlibOptions } from "node:zlib";
import { InputError } from "../memory/errors.js";
import { writeAtomically } from "./atomic-file.js";
import { fileError } from "./file-errors.js";
import type { Trace } from "./trace.js";
import { BLOCK_EVENTS, BlockEncoder } from "./trace-block.js";
import { BlockDecoder, type BlockTarget } from "./trace-block-decoder.js";
import { finishTrace, sharedBytes, sharedInts, sharedSizes } from "./trace-columns.js";
import { TraceDigest } from "./trace-digest.js";
import type { FrameHeader, TraceFileInfo } from "./trace-file-layout.js";
import * as layout from "./trace-file-layout.js";
import { packBlock } from "./trace-pack.js";

const inflateBlock = promisify<Uint8Array, ZlibOptions, Buffer>(inflateRaw);

/** Consecutive events of a trace, as columns whose index 0 is event `first`. */
export interface TraceBlock extends BlockTarget {
  readonly first: number;
  readonly length: number;
}

/** Writes a trace; the file appears at once or not at all. Throws an `InputError` where the place cannot be written. */
export async function writeTraceFile(path: string, trace: Trace): Promise<void> {
  await writeAtomically(path, async (file) => {
    await file.write(layout.encodeHeader(trace.name, trace.sites.names.length > 0));
    const encoder = new BlockEncoder(trace);
    for (let start = 0; start < trace.length; start += BLOCK_EVENTS) {
      const end = Math.min(trace.length, start + BLOCK_EVENTS);
      const parts = encoder.encode(start, end);
      const packed = await packBlock(parts);
      const rawBytes = parts.reduce((sum, part) => sum + part.length, 0);
      await file.write(layout.encodeFrame(end - start, packed, rawBytes));
    }
    const { length: events, slots, digest } = trace;
    await file.write(layout.encodeTrailer({ events, slots, largestSize: largestOf(trace.size), digest }));
  });
}

function largestOf(sizes: Trace["size"]): number {
  let largest = 0;
  for (let i = 0; i < sizes.length; i++) if (sizes[i] > largest) largest = sizes[i];
  return largest;
}

/**
 * Reads a whole trace into shared columns. A file that is no trace file, is cut or damaged, or was written by a newer
 * version gives an `InputError` of one line: file, byte, what was expected, how to mend it.
 */
export function readTraceFile(path: string): Promise<Trace> {
  return withTraceFile(path, async (source) => {
    const { events, slots, largestSize, name, hasSites } = source.info;
    const op = sharedBytes(events);
    const slot = sharedInts(events);
    const size = sharedSizes(events, largestSize);
    const site = sharedInts(hasSites ? events : 0);
    const decoder = new BlockDecoder(slots, events, largestSize);
    for await (const frame of source.frames()) source.decode(decoder, frame, { op, slot, size, site }, frame.first);
    source.checkTotals(decoder);
    const trace = finishTrace({ name, slots, op, slot, size, site }, decoder);
    source.checkDigest(trace.digest);
    return trace;
  });
}

/** Reads name and totals only. Errors are those of `readTraceFile`. */
export function readTraceFileInfo(path: string): Promise<TraceFileInfo> {
  return withTraceFile(path, async (source) => source.info);
}

/**
 * Reads a trace block by block, in memory that does not depend on its length. A block is valid until the next one is
 * asked for; the digest is checked behind the last, unless `verify` is false: then checksums alone guard against damage,
 * and that the file holds what its digest names is left to a reading that verifies. Errors are those of `readTraceFile`.
 */
export async function* readTraceBlocks(path: string, verify = true): AsyncGenerator<TraceBlock, void> {
  const source = await TraceSource.open(path);
  try {
    const { events, slots, largestSize, hasSites } = source.info;
    const capacity = Math.min(events, BLOCK_EVENTS);
    const target = {
      op: sharedBytes(capacity),
      slot: sharedInts(capacity),
      size: sharedSizes(capacity, largestSize),
      site: sharedInts(hasSites ? capacity : 0),
    };
    const decoder = new BlockDecoder(slots, events, largestSize);
    const digest = new TraceDigest(events);
    for await (const frame of source.frames()) {
      source.decode(decoder, frame, target, 0);
      const length = frame.events;
      const op = target.op.subarray(0, length);
      const slot = target.slot.subarray(0, length);
      const size = target.size.subarray(0, length);
      const site = target.site.subarray(0, length);
      if (verify) digest.update(op, slot, size, site);
      yield { first: frame.first, length, op, slot, size, site };
    }
    source.checkTotals(decoder);
    if (!verify) return;
    const threads = { at: Uint32Array.from(decoder.switchAt), id: Uint32Array.from(decoder.switchId) };
    source.checkDigest(digest.finish(decoder.labels, threads, decoder.siteNames));
  } finally {
    await source.close();
  }
}

async function withTraceFile<Result>(path: string, use: (source: TraceSource) => Promise<Result>): Promise<Result> {
  const source = await TraceSource.open(path);
  try {
    return await use(source);
  } catch (error) {
    throw fileError(path, error);
  } finally {
    await source.close();
  }
}

/** A frame whose block is already inflated. */
interface Frame extends FrameHeader {
  readonly offset: number;
  readonly first: number;
  readonly block: Buffer;
}

/** An open trace file whose header and trailer have been read. */
class TraceSource {
  readonly info: TraceFileInfo;
  private readonly path: string;
  private readonly file: FileHandle;
  private readonly start: number;
  private readonly end: number;

  private constructor(path: string, file: FileHandle, info: TraceFileInfo, start: number, end: number) {
    this.path = path;
    this.file = file;
    this.info = info;
    this.start = start;
    this.end = end;
  }

  static async open(path: string): Promise<TraceSource> {
    let file: FileHandle | undefined;
    try {
      file = await open(path, "r");
      const { size } = await file.stat();
      const { start, ...header } = await readHeader(path, file, size);
      const end = size - layout.TRAILER_BYTES;
      const totals = end < start ? undefined : layout.decodeTrailer(await readBytes(file, end, layout.TRAILER_BYTES));
      if (totals === undefined)
        throw damaged(path, Math.max(start, end), "no intact trailer", "the totals at the end of the file");
      if (!arePlausible(totals, size))
        throw damaged(path, end, "totals that no file of this length can hold", "sound totals");
      return new TraceSource(path, file, { ...header, ...totals }, start, end);
    } catch (error) {
      await file?.close();
      throw fileError(path, error);
    }
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  /** The frames in order; each one is inflated by another thread while its predecessor is in use. */
  async *frames(): AsyncGenerator<Frame, void> {
    let next = this.readFrame(this.start, 0);
    for (;;) {
      const frame = await next;
      if (frame === undefined) return;
      const after = frame.offset + layout.FRAME_HEADER_BYTES + frame.packedBytes + layout.CRC_BYTES;
      next = this.readFrame(after, frame.first + frame.events);
      next.catch(() => undefined); // seen at the await above, or not at all when the caller stops early
      yield frame;
    }
  }

  decode(decoder: BlockDecoder, frame: Frame, target: BlockTarget, at: number): void {
    if (decoder.decode(frame.block, frame.events, target, at)) return;
    throw damaged(
      this.path,
      frame.offset,
      `block of event ${frame.first} is malformed`,
      "columns as the format lays down",
    );
  }

  checkTotals(decoder: BlockDecoder): void {
    if (decoder.usedSlots === this.info.slots) return;
    throw damaged(this.path, this.end, `${decoder.usedSlots} slots in use`, `${this.info.slots} as the trailer says`);
  }

  checkDigest(digest: string): void {
    if (digest === this.info.digest) return;
    throw damaged(this.path, this.end, `contents with digest ${digest}`, `${this.info.digest} as the trailer says`);
  }

  /** Undefined behind the last frame. */
  private async readFrame(offset: number, first: number): Promise<Frame | undefined> {
    if (offset === this.end) {
      if (first === this.info.events) return undefined;
      throw damaged(this.path, offset, `end of the events after ${first}`, `${this.info.events} as the trailer says`);
    }
    const rest = this.end - offset;
    const head = await readBytes(this.file, offset, Math.min(rest, layout.FRAME_HEADER_BYTES));
    if (rest < layout.FRAME_HEADER_BYTES) throw damaged(this.path, offset, "a stray end", "a block");
    const header = layout.decodeFrameHeader(head);
    const bytes = layout.FRAME_HEADER_BYTES + header.packedBytes + layout.CRC_BYTES;
    const events = Math.min(this.info.events - first, BLOCK_EVENTS);
    if (bytes > rest || events === 0 || header.events !== events || header.rawBytes > bytes * layout.MAX_RATIO) {
      throw damaged(this.path, offset, "a block header out of range", `the block of event ${first}`);
    }
    const frame = await readBytes(this.file, offset, bytes);
    if (!layout.hasGoodCrc(frame))
      throw damaged(this.path, offset, `block of event ${first} is damaged`, "a matching checksum");
    const packed = frame.subarray(layout.FRAME_HEADER_BYTES, -layout.CRC_BYTES);
    return { ...header, offset, first, block: await this.inflate(packed, header.rawBytes, offset) };
  }

  private async inflate(packed: Buffer, rawBytes: number, offset: number): Promise<Buffer> {
    const options = { chunkSize: Math.max(64, rawBytes), maxOutputLength: Math.max(1, rawBytes) };
    const block = await inflateBlock(packed, options).catch(() => undefined);
    if (block?.length === rawBytes) return block;
    throw damaged(this.path, offset, "a block that does not inflate to its length", `${rawBytes} bytes`);
  }
}

type Header = Pick<TraceFileInfo, "name" | "hasSites"> & { readonly start: number };

async function readHeader(path: string, file: FileHandle, size: number): Promise<Header> {
  const prefix = await readBytes(file, 0, Math.min(size, layout.PREFIX_BYTES));
  if (!layout.isTraceFile(prefix)) {
    throw new InputError(
      `${path}: byte 0: not a .fgt trace file: expected its magic number; convert the trace to .fgt first`,
    );
  }
  const jsonBytes = prefix.length < layout.PREFIX_BYTES ? 0 : prefix.readUInt32LE(layout.PREFIX_BYTES - 4);
  const start = layout.PREFIX_BYTES + jsonBytes + layout.CRC_BYTES;
  if (jsonBytes === 0 || jsonBytes > layout.MAX_JSON_BYTES || start > size) {
    throw damaged(path, layout.PREFIX_BYTES - 4, "a header that does not fit the file", "the length of the header");
  }
  const bytes = await readBytes(file, 0, start);
  const header = layout.decodeHeader(bytes.subarray(layout.PREFIX_BYTES, -layout.CRC_BYTES));
  if (!layout.hasGoodCrc(bytes) || header === undefined) {
    throw damaged(path, layout.PREFIX_BYTES, "a damaged header", "version and name with a matching checksum");
  }
  const hasSites = layout.versionHasSites(header.version);
  if (hasSites === undefined) {
    const mend = "update fraglab, or convert the trace to text with the version that wrote it";
    throw new InputError(
      `${path}: byte ${layout.PREFIX_BYTES}: format version ${header.version}: expected at most ${layout.VERSION}; ${mend}`,
    );
  }
  return { name: header.name, hasSites, start };
}

function arePlausible(totals: layout.TraceTotals, fileBytes: number): boolean {
  const { events, slots, largestSize } = totals;
  const whole = Number.isSafeInteger(events) && Number.isSafeInteger(slots) && Number.isSafeInteger(largestSize);
  return whole && events <= fileBytes * layout.MAX_RATIO && slots >= 0 && slots <= events && largestSize >= 0;
}

async function readBytes(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) return bytes.fill(0, filled); // the file shrank meanwhile: the checksum will tell
    filled += bytesRead;
  }
  return bytes;
}

function damaged(path: string, offset: number, what: string, expected: string): InputError {
  return new InputError(
    `${path}: byte ${offset}: ${what}: expected ${expected}; copy the file again or convert it anew`,
  );
}
