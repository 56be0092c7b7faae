import { grown } from "../../memory/columns.js";
import type { Sizes } from "./sizes.js";

/** The entry of a block that has this many granules or more; its size stands beside it. */
const WIDE = 127;

/**
 * Boundary tags (Knuth 2.5, algorithm C) in one byte for each granule, so that those of a large heap stay in the cache.
 * At the first granule of a block its size, negative when the block is in use; at the last granule of a free block its
 * size again; all other entries are 0, those behind the last block too. Instead of a size from 127 on stands 127, and the
 * size itself in the four bytes next to that, inside the block. Positions and sizes are in granules.
 */
export class Tags implements Sizes {
  private bytes: Int8Array;

  /** Tags of `length` granules, a power of two. */
  constructor(length: number) {
    this.bytes = new Int8Array(length);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** The size of the block that starts at `at`, negative if it is in use; 0 behind the last block. */
  at(at: number): number {
    const tag = this.bytes[at];
    if (tag > -WIDE && tag < WIDE) return tag;
    return tag < 0 ? -this.wide(at + 1) : this.wide(at + 1);
  }

  /** The size of the free block that starts at `at`. */
  sizeAt(at: number): number {
    const tag = this.bytes[at];
    return tag < WIDE ? tag : this.wide((at + 1) | 0);
  }

  /** The size of the free block that starts at `at`; 0 where a block in use does, and behind the last block. */
  freeAt(at: number): number {
    const tag = this.bytes[at];
    if (tag <= 0) return 0;
    return tag < WIDE ? tag : this.wide((at + 1) | 0);
  }

  /** The size of the free block that ends at `end`, where another block starts; 0 where none does. */
  freeBefore(end: number): number {
    const tag = this.bytes[end - 1];
    if (tag <= 0) return 0;
    return tag < WIDE ? tag : this.wide(end - 5);
  }

  /** The size of the block in use that starts at `at`. */
  usedAt(at: number): number {
    const tag = this.bytes[at];
    return tag > -WIDE ? -tag : this.wide(at + 1);
  }

  /** The first `need` granules of the free block of `size` at `at` become a block in use, what is left stays free. */
  cut(at: number, size: number, need: number): void {
    if (size < WIDE) {
      const bytes = this.bytes;
      const rest = (size - need) | 0;
      bytes[(at + size - 1) | 0] = rest;
      if (rest !== 0) bytes[(at + need) | 0] = rest;
      bytes[at] = -need;
    } else {
      this.clearFree(at, size);
      if (size > need) this.setFree(at + need, size - need);
      this.setUsed(at, need);
    }
  }

  /** The `size` granules at `at`, in use so far, become one free block with those in front and behind, 0 for none. */
  join(at: number, size: number, before: number, after: number): void {
    const start = (at - before) | 0;
    const next = (at + size) | 0;
    const total = (before + size + after) | 0;
    if (total < WIDE) {
      const bytes = this.bytes;
      if (before !== 0) {
        bytes[(at - 1) | 0] = 0;
        bytes[at] = 0;
      }
      if (after !== 0) bytes[next] = 0;
      bytes[start] = total;
      bytes[(start + total - 1) | 0] = total;
    } else {
      this.clearUsed(at, size);
      if (before !== 0) this.clearFree(start, before);
      if (after !== 0) this.clearFree(next, after);
      this.setFree(start, total);
    }
  }

  /** A free block of granules that were in none. */
  setFree(at: number, size: number): void {
    const bytes = this.bytes;
    const last = at + size - 1;
    if (size < WIDE) {
      bytes[at] = size;
      bytes[last] = size;
    } else {
      bytes[at] = WIDE;
      bytes[last] = WIDE;
      this.setWide(at + 1, size);
      this.setWide(last - 4, size);
    }
  }

  /** A block in use of granules that were in none. */
  setUsed(at: number, size: number): void {
    if (size < WIDE) {
      this.bytes[at] = -size;
    } else {
      this.bytes[at] = -WIDE;
      this.setWide(at + 1, size);
    }
  }

  /** Forgets the free block of `size` granules at `at`. */
  clearFree(at: number, size: number): void {
    const bytes = this.bytes;
    const last = at + size - 1;
    bytes[at] = 0;
    bytes[last] = 0;
    if (size >= WIDE) {
      this.setWide(at + 1, 0);
      this.setWide(last - 4, 0);
    }
  }

  /** Forgets the block in use of `size` granules at `at`. */
  clearUsed(at: number, size: number): void {
    this.bytes[at] = 0;
    if (size >= WIDE) this.setWide(at + 1, 0);
  }

  /** Makes room for positions up to and including `position`. */
  reach(position: number): void {
    let length = this.bytes.length;
    if (position < length) return;
    while (length <= position) length *= 2;
    this.bytes = grown(this.bytes, length);
  }

  private wide(from: number): number {
    const bytes = this.bytes;
    const low = (bytes[from] & 255) | ((bytes[from + 1] & 255) << 8);
    return low | ((bytes[from + 2] & 255) << 16) | (bytes[from + 3] << 24);
  }

  private setWide(from: number, size: number): void {
    const bytes = this.bytes;
    bytes[from] = size;
    bytes[from + 1] = size >> 8;
    bytes[from + 2] = size >> 16;
    bytes[from + 3] = size >> 24;
  }
}
