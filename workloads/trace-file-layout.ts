/**
 * The parts of a compact trace file, `.fgt`, as bytes. Everything is little-endian, and each part carries a CRC-32, so
 * damage is found where it is.
 *
 *   file    := header { frame } trailer
 *   header  := "\x89FGT\r\n\x1a\n", u32 bytes of JSON, JSON { version, name }, u32 crc
 *   frame   := u32 events (> 0), u32 packed bytes, u32 raw bytes, raw deflate (trace-pack.ts) of a block (trace-block.ts), u32 crc
 *   trailer := u32 0, f64 events, f64 slots, f64 largest size, 8 bytes of digest, u32 crc
 *
 * Totals come last, so a file can be written while its events still arrive; they are read first, so columns get their
 * final length at once. Every frame but the last has `BLOCK_EVENTS` events.
 */
import { crc32 } from "node:zlib";

/** The newest version: of traces with allocation sites. All others are written as version 1, which has no such columns. */
export const VERSION = 2;
const VERSION_WITHOUT_SITES = 1;
export const MAGIC: Uint8Array = Buffer.from("\x89FGT\r\n\x1a\n", "latin1");
/** Bytes of magic and length of the JSON. */
export const PREFIX_BYTES = MAGIC.length + 4;
export const FRAME_HEADER_BYTES = 12;
export const TRAILER_BYTES = 40;
export const CRC_BYTES = 4;
export const MAX_JSON_BYTES = 65536;
/** Deflate never shrinks more than this, so a file cannot claim contents out of proportion to its length. */
export const MAX_RATIO = 1032;

/** What a trace file says of its contents. */
export interface TraceFileInfo {
  readonly name: string;
  readonly events: number;
  readonly slots: number;
  readonly largestSize: number;
  /** Whether events have allocation sites. */
  readonly hasSites: boolean;
  /** As `Trace.digest`. */
  readonly digest: string;
}

/** Whether the blocks of a file of this version have the columns of sites; undefined where it is no known version. */
export function versionHasSites(version: number): boolean | undefined {
  return version === VERSION_WITHOUT_SITES ? false : version === VERSION ? true : undefined;
}

export interface FrameHeader {
  readonly events: number;
  readonly packedBytes: number;
  readonly rawBytes: number;
}

/** Whether a file that begins so is a compact trace file. */
export function isTraceFile(head: Uint8Array): boolean {
  return Buffer.compare(MAGIC, head.subarray(0, MAGIC.length)) === 0;
}

function withCrc(...parts: Uint8Array[]): Buffer {
  const crc = Buffer.alloc(CRC_BYTES);
  const bytes = Buffer.concat([...parts, crc]);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, -CRC_BYTES)), bytes.length - CRC_BYTES);
  return bytes;
}

/** Whether a part ends with the CRC-32 of what comes before. */
export function hasGoodCrc(part: Buffer): boolean {
  return crc32(part.subarray(0, -CRC_BYTES)) === part.readUInt32LE(part.length - CRC_BYTES);
}

export function encodeHeader(name: string, hasSites = false): Buffer {
  const version = hasSites ? VERSION : VERSION_WITHOUT_SITES;
  const json = Buffer.from(JSON.stringify({ version, name }), "utf8");
  const length = Buffer.alloc(4);
  length.writeUInt32LE(json.length);
  return withCrc(MAGIC, length, json);
}

/** The JSON of a header: undefined where it is none. */
export function decodeHeader(json: Buffer): { version: number; name: string } | undefined {
  try {
    const { version, name } = JSON.parse(json.toString("utf8"));
    return typeof version === "number" && typeof name === "string" ? { version, name } : undefined;
  } catch {
    return undefined;
  }
}

export function encodeFrame(events: number, packed: Uint8Array, rawBytes: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(events, 0);
  header.writeUInt32LE(packed.length, 4);
  header.writeUInt32LE(rawBytes, 8);
  return withCrc(header, packed);
}

export function decodeFrameHeader(bytes: Buffer): FrameHeader {
  return { events: bytes.readUInt32LE(0), packedBytes: bytes.readUInt32LE(4), rawBytes: bytes.readUInt32LE(8) };
}

/** What the trailer says; the rest is in the header. */
export type TraceTotals = Omit<TraceFileInfo, "name" | "hasSites">;

export function encodeTrailer(info: TraceTotals): Buffer {
  const fields = Buffer.alloc(TRAILER_BYTES - CRC_BYTES);
  fields.writeDoubleLE(info.events, 4);
  fields.writeDoubleLE(info.slots, 12);
  fields.writeDoubleLE(info.largestSize, 20);
  fields.write(info.digest, 28, "hex");
  return withCrc(fields);
}

/** The totals in a trailer: undefined where it is none, or damaged. */
export function decodeTrailer(bytes: Buffer): TraceTotals | undefined {
  if (bytes.readUInt32LE(0) !== 0 || !hasGoodCrc(bytes)) return undefined;
  return {
    events: bytes.readDoubleLE(4),
    slots: bytes.readDoubleLE(12),
    largestSize: bytes.readDoubleLE(20),
    digest: bytes.toString("hex", 28, 36),
  };
}
