/**
 * A PNG of palette indices, the same bytes on every machine. SVG files with such images are committed, and what zlib
 * writes depends on its version and on the CPU; so the compression is done here, simply: one block of fixed Huffman
 * codes (RFC 1951, 3.2.6), matches from a hash of three bytes. Every decoder reads it; crc32 is a fixed function.
 */
import { crc32 } from "node:zlib";

/** Bits, least significant first, as deflate packs them. */
class BitWriter {
  private bytes = new Uint8Array(65536);
  private length = 0;
  private pending = 0;
  private count = 0;

  /** Writes the low `bits` (at most 16) of a value. */
  write(value: number, bits: number): void {
    this.pending |= value << this.count;
    this.count += bits;
    while (this.count >= 8) {
      this.push(this.pending & 255);
      this.pending >>>= 8;
      this.count -= 8;
    }
  }

  /** Writes a Huffman code, whose first bit is its most significant. */
  writeCode(code: number, bits: number): void {
    let reversed = 0;
    for (let i = 0; i < bits; i++) reversed |= ((code >>> i) & 1) << (bits - 1 - i);
    this.write(reversed, bits);
  }

  end(): Uint8Array {
    if (this.count > 0) this.push(this.pending & 255);
    return this.bytes.slice(0, this.length);
  }

  private push(byte: number): void {
    if (this.length === this.bytes.length) {
      const grown = new Uint8Array(this.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.length++] = byte;
  }
}

/** RFC 1951, 3.2.5: lengths 3 to 258 as codes from 257, distances to 32768 as codes from 0, with extra bits. */
const lengthBase = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const distanceBase = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
  8193, 12289, 16385, 24577,
];

/** Index of the last base that is not above `value`. */
function codeOf(bases: readonly number[], value: number): number {
  let code = bases.length - 1;
  while (bases[code] > value) code--;
  return code;
}

const lengthExtra = (code: number): number => (code < 8 || code === 28 ? 0 : (code - 4) >> 2);
const distanceExtra = (code: number): number => (code < 4 ? 0 : (code - 2) >> 1);

/** A literal or length symbol in the fixed code. */
function writeSymbol(out: BitWriter, symbol: number): void {
  if (symbol < 144) out.writeCode(0x30 + symbol, 8);
  else if (symbol < 256) out.writeCode(0x190 + symbol - 144, 9);
  else if (symbol < 280) out.writeCode(symbol - 256, 7);
  else out.writeCode(0xc0 + symbol - 280, 8);
}

function writeMatch(out: BitWriter, length: number, distance: number): void {
  const l = codeOf(lengthBase, length);
  writeSymbol(out, 257 + l);
  out.write(length - lengthBase[l], lengthExtra(l));
  const d = codeOf(distanceBase, distance);
  out.writeCode(d, 5);
  out.write(distance - distanceBase[d], distanceExtra(d));
}

const window = 32768;
const longest = 258;

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

/** The zlib stream (RFC 1950) of some bytes. */
function compress(bytes: Uint8Array): Uint8Array {
  const out = new BitWriter();
  out.write(0x0178, 16); // zlib header: deflate, window of 32 KiB, check bits
  out.write(0b011, 3); // the last block, fixed codes
  const latest = new Int32Array(65536).fill(-1);
  const hash = (i: number): number =>
    (Math.imul(bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16), 0x9e3779b1) >>> 16) & 0xffff;
  for (let i = 0; i < bytes.length; ) {
    let length = 0;
    let distance = 0;
    if (i + 2 < bytes.length) {
      const h = hash(i);
      distance = i - latest[h];
      if (latest[h] >= 0 && distance <= window) {
        const most = Math.min(longest, bytes.length - i);
        while (length < most && bytes[i + length] === bytes[i + length - distance]) length++;
      }
      latest[h] = i;
    }
    if (length >= 3) {
      writeMatch(out, length, distance);
      for (let j = i + 1; j < i + length && j + 2 < bytes.length; j++) latest[hash(j)] = j;
      i += length;
    } else {
      writeSymbol(out, bytes[i++]);
    }
  }
  writeSymbol(out, 256);
  const check = new Uint8Array(4);
  new DataView(check.buffer).setUint32(0, adler32(bytes));
  return Buffer.concat([out.end(), check]);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/**
 * An 8-bit palette PNG: `indices` by rows from the top, `palette` as up to 256 colours of three bytes (PNG
 * specification, third edition, sections 5 and 11.2).
 */
export function indexedPng(width: number, height: number, indices: Uint8Array, palette: Uint8Array): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(indices.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  return Buffer.concat([
    Buffer.from("89504e470d0a1a0a", "hex"),
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", compress(rows)),
    chunk("IEND", new Uint8Array(0)),
  ]);
}
