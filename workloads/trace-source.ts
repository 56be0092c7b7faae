/** An open compact trace file (layout: trace-file-layout.ts), frame by frame. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { inflateRawSync, type ZlibOptions } from "node:zlib";
import { InputError } from "../memory/errors.js";
import { Garbage } from "./collect-buffers.js";
import { fileError, refusePipe } from "./file-errors.js";
import { BLOCK_EVENTS } from "./trace-block.js";
import type { BlockDecoder, BlockTarget } from "./trace-block-decoder.js";
import type { FrameHeader, TraceFileInfo } from "./trace-file-layout.js";
import * as layout from "./trace-file-layout.js";

/** A frame whose block is inflated already. */
export interface Frame extends FrameHeader {
  /** Of the frame in the file, in bytes. */
  readonly offset: number;
  /** Its first event. */
  readonly first: number;
  readonly block: Buffer;
}

/**
 * An open trace file whose header and trailer have been read. Reading and inflating hold up the thread: to have another one
 * do them takes longer than they do, since a thread that decodes or replays a block answers only when it is through.
 *
 * Every method throws an `InputError` of one line where the file is none, is cut or damaged, or from a newer version.
 */
export class TraceSource {
  readonly info: TraceFileInfo;
  private readonly path: string;
  private readonly file: number;
  private readonly start: number;
  private readonly end: number;
  private packed = Buffer.alloc(0);
  private readonly garbage = new Garbage();

  private constructor(path: string, file: number, info: TraceFileInfo, start: number, end: number) {
    this.path = path;
    this.file = file;
    this.info = info;
    this.start = start;
    this.end = end;
  }

  static open(path: string): TraceSource {
    let file: number | undefined;
    try {
      refusePipe(path);
      file = openSync(path, "r");
      const { size } = fstatSync(file);
      const { start, ...header } = readHeader(path, file, size);
      const end = size - layout.TRAILER_BYTES;
      const totals =
        end < start ? undefined : layout.decodeTrailer(readBytes(file, end, Buffer.alloc(layout.TRAILER_BYTES)));
      if (totals === undefined)
        throw damaged(path, Math.max(start, end), "no intact trailer", "the totals at the end of the file");
      if (!arePlausible(totals, size))
        throw damaged(path, end, "totals that no file of this length can hold", "sound totals");
      return new TraceSource(path, file, { ...header, ...totals }, start, end);
    } catch (error) {
      if (file !== undefined) closeSync(file);
      throw fileError(path, error);
    }
  }

  close(): void {
    closeSync(this.file);
  }

  /** The frames in order, read as they are asked for. */
  *frames(): Generator<Frame, void> {
    let offset = this.start;
    let first = 0;
    for (;;) {
      const frame = this.readFrame(offset, first);
      if (frame === undefined) return;
      yield frame;
      offset += layout.FRAME_HEADER_BYTES + frame.packedBytes + layout.CRC_BYTES;
      first += frame.events;
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
  private readFrame(offset: number, first: number): Frame | undefined {
    if (offset === this.end) {
      if (first === this.info.events) return undefined;
      throw damaged(this.path, offset, `end of the events after ${first}`, `${this.info.events} as the trailer says`);
    }
    const rest = this.end - offset;
    if (rest < layout.FRAME_HEADER_BYTES) throw damaged(this.path, offset, "a stray end", "a block");
    const head = readBytes(this.file, offset, Buffer.alloc(layout.FRAME_HEADER_BYTES));
    const header = layout.decodeFrameHeader(head);
    const bytes = layout.FRAME_HEADER_BYTES + header.packedBytes + layout.CRC_BYTES;
    const events = Math.min(this.info.events - first, BLOCK_EVENTS);
    if (bytes > rest || events === 0 || header.events !== events || header.rawBytes > bytes * layout.MAX_RATIO) {
      throw damaged(this.path, offset, "a block header out of range", `the block of event ${first}`);
    }
    if (bytes > this.packed.length) this.packed = Buffer.alloc(Math.min(2 * bytes, rest));
    const frame = readBytes(this.file, offset, this.packed.subarray(0, bytes));
    if (!layout.hasGoodCrc(frame))
      throw damaged(this.path, offset, `block of event ${first} is damaged`, "a matching checksum");
    const packed = frame.subarray(layout.FRAME_HEADER_BYTES, -layout.CRC_BYTES);
    this.garbage.add(header.rawBytes);
    return { ...header, offset, first, block: this.inflate(packed, header.rawBytes, offset) };
  }

  private inflate(packed: Buffer, rawBytes: number, offset: number): Buffer {
    // A byte more than there should be: from a buffer that is full, zlib goes on into a second one.
    const options = { chunkSize: Math.max(64, rawBytes + 1), maxOutputLength: Math.max(1, rawBytes) };
    const block = inflated(packed, options);
    if (block?.length === rawBytes) return block;
    throw damaged(this.path, offset, "a block that does not inflate to its length", `${rawBytes} bytes`);
  }
}

/** Undefined where the bytes are no deflate stream of at most this length. */
function inflated(packed: Buffer, options: ZlibOptions): Buffer | undefined {
  try {
    return inflateRawSync(packed, options);
  } catch {
    return undefined;
  }
}

type Header = Pick<TraceFileInfo, "name" | "hasSites"> & { readonly start: number };

function readHeader(path: string, file: number, size: number): Header {
  const prefix = readBytes(file, 0, Buffer.alloc(Math.min(size, layout.PREFIX_BYTES)));
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
  const bytes = readBytes(file, 0, Buffer.alloc(start));
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

/** Fills `bytes` from the file. */
function readBytes(file: number, offset: number, bytes: Buffer): Buffer {
  let filled = 0;
  while (filled < bytes.length) {
    const bytesRead = readSync(file, bytes, filled, bytes.length - filled, offset + filled);
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
