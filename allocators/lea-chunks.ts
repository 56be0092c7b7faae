/**
 * The chunks of Doug Lea's malloc, which glibc's has kept: cut from a program break in granules of 16 bytes, each with
 * its size in the 8 bytes in front of the program's, and with its state in its own first and last words.
 */
import type { Address, AddressSpace } from "../memory/address-space.js";
import { grown } from "../memory/columns.js";
import { type HeapMap, Kind } from "../memory/heap-map.js";
import type { Ref } from "./allocator.js";
import { ProgramBreak } from "./program-break.js";

/** Alignment of every chunk (MALLOC_ALIGNMENT), in bytes. */
export const GRANULE = 16;
/** Granules of a chunk in front of the program's bytes (CHUNK_HDR_SZ); of these 8 bytes are the previous chunk's. */
export const HEADER = 1;
/** Smallest chunk (MINSIZE, MIN_CHUNK_SIZE), in granules. */
export const MIN_CHUNK = 2;
/** Requests of more bytes find no addresses. */
export const LARGEST_REQUEST = 0x7ffff0000;

const PER_GRANULE = 1 / GRANULE;
const SMALLEST = MIN_CHUNK;
const FRONT = HEADER;

/** Granules of the chunk for a request (checked_request2size, pad_request): 8 bytes of header, at least 32 bytes. */
export function granulesFor(size: number): number {
  const granules = size < 0x7ffffff0 ? (size + 23) >>> 4 : Math.floor((size + 23) * PER_GRANULE);
  return granules < SMALLEST ? SMALLEST : granules;
}

/** The chunk at position `p` of `n` granules covers bytes [16p + 8, 16(p + n) + 8) from the origin of `brk`. */
export class LeaChunks {
  readonly brk: ProgramBreak;
  /**
   * At the first granule of a chunk its size, negative where it is free; at the last granule of a free chunk the same
   * again, of one in use 0.
   */
  head: Int32Array;
  /** Of a free chunk at `p`: fd at p, bk at p + 1, and what the owner's bins need behind them, as in C. */
  link: Int32Array;
  private readonly origin: Address;

  /** No chunks. The first will be at position `start`; the columns below are the owner's, for the heads of its bins. */
  constructor(space: AddressSpace, start: number) {
    this.brk = new ProgramBreak(space, start);
    this.head = new Int32Array(8192);
    this.link = new Int32Array(8192);
    this.origin = this.brk.origin;
  }

  /** Makes room for positions up to the break. */
  reachBreak(): void {
    let capacity = this.head.length;
    if (this.brk.end < capacity) return;
    while (capacity <= this.brk.end) capacity *= 2;
    this.head = grown(this.head, capacity);
    this.link = grown(this.link, capacity);
  }

  /** Marks a chunk in use: handed out, or in a cache, whose chunks count as used for their neighbours. */
  use(at: number, size: number): void {
    this.head[at + size - 1] = 0;
    this.head[at] = size;
  }

  /** Marks a chunk free; it is in no bin yet. */
  mark(at: number, size: number): void {
    this.head[at] = -size;
    this.head[at + size - 1] = -size;
  }

  /** The chunk at `at` goes to the program, which writes `size` bytes of it. */
  handOut(at: number, size: number): Ref {
    const { brk } = this;
    if (at + this.head[at] > brk.resident) brk.touch(at, 8, 8 + size);
    return (this.origin + (at + FRONT) * GRANULE) as Ref;
  }

  /** The top starts at `at` from now on: its size field is written there. */
  writeTop(at: number): void {
    const { brk } = this;
    if (at > brk.high) brk.high = at;
    if (at >= brk.resident) brk.touch(at, 8, 8);
  }

  /** A free chunk comes to be: its size, links and footer are written. */
  writeFree(at: number, size: number): void {
    const { brk } = this;
    if (at + size < brk.resident) return;
    brk.touch(at, 8, 24);
    brk.touch(at + size, 0, 8);
  }

  /** Whether a block is a chunk here, not a mapping of its own. */
  holds(ref: Ref): boolean {
    return this.brk.holds(ref);
  }

  positionOf(ref: Ref): number {
    return ((ref - this.origin) * PER_GRANULE - FRONT) | 0;
  }

  capacityOf(ref: Ref): number {
    return this.head[this.positionOf(ref)] * GRANULE - 8;
  }

  /**
   * Granules to cut off a chunk in front, so that the program's bytes lie at a multiple of `step` granules: 0, or as
   * many as make a chunk of their own.
   */
  leadOf(at: number, step: number): number {
    const over = (this.origin * PER_GRANULE + at + FRONT) % step;
    if (over === 0) return 0;
    const lead = step - over;
    return lead < SMALLEST ? lead + step : lead;
  }

  /** The address of a chunk's size field. */
  addressAt(position: number): Address {
    return this.origin + position * GRANULE + 8;
  }

  /** What lies below the top, where the break has moved. `kindOf` tells what a chunk is that is marked in use. */
  walk(map: HeapMap, top: number, kindOf: (at: number) => Kind): void {
    const { head } = this;
    map.add(this.addressAt(this.brk.start) - 8, 8, Kind.padding);
    for (let at = this.brk.start; at < top; at += Math.abs(head[at])) {
      const address = this.addressAt(at);
      const bytes = Math.abs(head[at]) * GRANULE;
      const kind = head[at] < 0 ? Kind.free : kindOf(at);
      if (kind !== Kind.live) map.add(address, bytes, kind);
      else {
        map.add(address, 8, Kind.header);
        map.add(address + 8, bytes - 8, Kind.live, address + 8);
      }
    }
  }
}
