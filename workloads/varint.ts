/** Whole numbers of 53 bits as base-128 digits, lowest first, bit 7 set on all but the last (LEB128). */
import { grown } from "../memory/columns.js";

/** The most bytes a number takes: 8 x 7 bits hold 2^53. */
export const VARINT_MAX = 8;

/** Grows as numbers are written; `clear` keeps the memory. */
export class VarintWriter {
  private bytes = new Uint8Array(4096);
  private length = 0;

  /** What was written since the last `clear`: valid until the next write. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  write(value: number): void {
    if (this.length + VARINT_MAX > this.bytes.length) this.grow(VARINT_MAX);
    let rest = value;
    while (rest > 0x7fffffff) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.bytes[this.length++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.bytes[this.length++] = rest;
  }

  writeBytes(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  private grow(more: number): void {
    this.bytes = grown(this.bytes, Math.max(2 * this.bytes.length, this.length + more));
  }
}

/**
 * Reads what `VarintWriter` wrote. Reading past the end yields zeros and makes `overrun` true, so a decoder can check
 * once for each block instead of at each number.
 */
export class VarintReader {
  private readonly bytes: Uint8Array;
  private at: number;
  private readonly end: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** Index of the next byte. */
  get position(): number {
    return this.at;
  }

  /** Index behind the last byte. */
  get limit(): number {
    return this.end;
  }

  get overrun(): boolean {
    return this.at > this.end;
  }

  /** Whether exactly everything has been read. */
  get done(): boolean {
    return this.at === this.end;
  }

  read(): number {
    if (this.at >= this.end) {
      this.at = this.end + 1;
      return 0;
    }
    const first = this.bytes[this.at++];
    return first < 128 ? first : this.readLong(first & 127);
  }

  /** `count` bytes of text or the like; empty when there are not so many. */
  readBytes(count: number): Uint8Array {
    const start = this.at;
    this.at = start + count > this.end ? this.end + 1 : start + count;
    return this.bytes.subarray(start, this.overrun ? start : this.at);
  }

  private readLong(first: number): number {
    let value = first;
    let scale = 128;
    for (let i = 1; i < VARINT_MAX; i++) {
      if (this.at >= this.end) break;
      const digit = this.bytes[this.at++];
      value += (digit & 127) * scale;
      if (digit < 128) return value;
      scale *= 128;
    }
    this.at = this.end + 1;
    return 0;
  }
}
