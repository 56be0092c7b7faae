/**
 * Real bytes behind simulated addresses, for tests and for `checked`: each object is filled with a pattern of its own,
 * so that overlap, a lost move or a block handed out twice is seen at the first wrong byte.
 */

const PAGE = 4096;
const PAGE_MASK = PAGE - 1;

/** What pages that were never written read as. */
const zeros = new Uint8Array(PAGE);

/** Spreads a tag of up to 53 bits over 32. */
function seedOf(tag: number): number {
  let x = (tag | 0) ^ Math.imul(Math.floor(tag / 4294967296) | 0, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return x ^ (x >>> 16);
}

/**
 * The byte at an offset of the object with a seed, never 0: bytes that were lost or cleared are always seen, and bytes
 * of another object or another offset with probability 254/255 each.
 */
function pattern(seed: number, offset: number): number {
  let x = Math.imul(seed + offset, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return 1 + (((x >>> 16) * 255) >>> 16);
}

/** Bytes at addresses below 2^53, in pages of 4 KiB made at the first write. Addresses and lengths are whole. */
export class ShadowMemory {
  private readonly pages = new Map<number, Uint8Array>();

  /** Writes the pattern of the object `tag` over `bytes` bytes, as from its byte `offset` on. */
  fill(at: number, bytes: number, tag: number, offset = 0): void {
    const seed = seedOf(tag);
    for (let done = 0; done < bytes; ) {
      const page = this.pageFor(at + done);
      const start = (at + done) & PAGE_MASK;
      const length = Math.min(bytes - done, PAGE - start);
      for (let i = 0; i < length; i++) page[start + i] = pattern(seed, offset + done + i);
      done += length;
    }
  }

  /** -1 where these bytes hold what `fill` wrote with the same tag and offset, else the first that does not, from 0. */
  check(at: number, bytes: number, tag: number, offset = 0): number {
    const seed = seedOf(tag);
    for (let done = 0; done < bytes; ) {
      const page = this.pageAt(at + done);
      const start = (at + done) & PAGE_MASK;
      const length = Math.min(bytes - done, PAGE - start);
      for (let i = 0; i < length; i++) if (page[start + i] !== pattern(seed, offset + done + i)) return done + i;
      done += length;
    }
    return -1;
  }

  /** Copies bytes as C's `memmove` does: the ranges may overlap. */
  copy(from: number, to: number, bytes: number): void {
    if (to <= from || to >= from + bytes) this.copyForward(from, to, bytes);
    else this.copyBackward(from, to, bytes);
  }

  /** Sets bytes to 0, as a page given back to the system is. */
  clear(at: number, bytes: number): void {
    for (let done = 0; done < bytes; ) {
      const start = (at + done) & PAGE_MASK;
      const length = Math.min(bytes - done, PAGE - start);
      const index = Math.floor((at + done) / PAGE);
      if (length === PAGE) this.pages.delete(index);
      else this.pages.get(index)?.fill(0, start, start + length);
      done += length;
    }
  }

  private copyForward(from: number, to: number, bytes: number): void {
    for (let done = 0; done < bytes; ) {
      const source = (from + done) & PAGE_MASK;
      const target = (to + done) & PAGE_MASK;
      const length = Math.min(bytes - done, PAGE - source, PAGE - target);
      this.copyWithinPages(from + done, to + done, length);
      done += length;
    }
  }

  private copyBackward(from: number, to: number, bytes: number): void {
    for (let left = bytes; left > 0; ) {
      const source = ((from + left - 1) & PAGE_MASK) + 1;
      const target = ((to + left - 1) & PAGE_MASK) + 1;
      const length = Math.min(left, source, target);
      left -= length;
      this.copyWithinPages(from + left, to + left, length);
    }
  }

  /** Copies bytes that lie in one page to bytes that lie in one page. */
  private copyWithinPages(from: number, to: number, bytes: number): void {
    const start = from & PAGE_MASK;
    this.pageFor(to).set(this.pageAt(from).subarray(start, start + bytes), to & PAGE_MASK);
  }

  private pageAt(address: number): Uint8Array {
    return this.pages.get(Math.floor(address / PAGE)) ?? zeros;
  }

  private pageFor(address: number): Uint8Array {
    const index = Math.floor(address / PAGE);
    let page = this.pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(PAGE);
      this.pages.set(index, page);
    }
    return page;
  }
}
