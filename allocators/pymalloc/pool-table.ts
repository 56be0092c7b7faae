import { grown } from "../../memory/columns.js";
import type { Geometry } from "./geometry.js";

/** The end of a list of pools. */
export const NO_POOL = -1;
/** The size class of a pool that has never been opened in the life of its arena (DUMMY_SIZE_IDX). */
export const NO_CLASS = 0xffff;

/** Words of a pool's record, by their index. Granules count from the pool's start, and 0, in the header, is no block. */
export const PoolWord = {
  /** First free block, in granules (freeblock). */
  freeHead: 0,
  /** Blocks handed out (ref.count). */
  count: 1,
  /** First granule that was never carved into a block (nextoffset). */
  carved: 2,
  /** Granules from the pool's start that had been handed out when it was last full and not so any more, or changed its class. */
  handedOut: 3,
  /** Next pool of the one list this one is in: `used[class]`, or the arena's emptied pools. */
  next: 4,
  /** Previous pool in `used[class]`, where this one is not the first. */
  prev: 5,
  /** Size class (szidx). */
  sizeClass: 6,
  /** Bytes from the pool's start that are known to be resident: a multiple of the page size. */
  touched: 7,
} as const;

/** Words of a record: pool p has the words from p << RECORD_BITS on. */
export const RECORD_BITS = 3;

const { freeHead: FREE_HEAD, count: COUNT, carved: CARVED, handedOut: HANDED_OUT, next: NEXT } = PoolWord;
const { prev: PREV, sizeClass: SIZE_CLASS } = PoolWord;

/**
 * The pool headers and the links in free blocks. Pools are numbered by address: pool number = offset from the
 * reservation >> poolBits. A record of eight words for each, not eight columns: random frees find it in one cache line,
 * which takes a tenth off the time of an event.
 */
export class PoolTable {
  private readonly geometry: Geometry;
  /** By class: first pool of the list of partly used pools (usedpools). */
  readonly used: Int32Array;
  /** `PoolWord`s of each pool. */
  records: Int32Array;
  /** At each granule that starts a free block: the next free block of the pool, in granules. */
  link: Uint16Array;

  constructor(geometry: Geometry) {
    this.geometry = geometry;
    this.used = new Int32Array(geometry.classes).fill(NO_POOL);
    this.records = new Int32Array(0);
    this.link = new Uint16Array(0);
  }

  /** The granule number at which a pool starts. */
  granuleOf(pool: number): number {
    return pool << (this.geometry.poolBits - this.geometry.alignBits);
  }

  /** One word of a pool's record; hot code reads `records` itself. */
  get(pool: number, word: number): number {
    return this.records[(pool << RECORD_BITS) + word];
  }

  /** Makes pools [first, end) as new as the arena they are in. Tables grow by doubling. */
  reset(first: number, end: number): void {
    if (end << RECORD_BITS > this.records.length) this.grow(Math.max(end, (this.records.length >> RECORD_BITS) * 2));
    this.records.fill(0, first << RECORD_BITS, end << RECORD_BITS);
    for (let pool = first; pool < end; pool++) this.records[(pool << RECORD_BITS) + SIZE_CLASS] = NO_CLASS;
  }

  /**
   * Takes the first block of a pool that is wholly free and puts the pool alone into the list of `sizeClass`, which
   * must be empty. A pool that had this class before goes on with its old free list; any other is laid out anew, with
   * one block carved ahead. Returns the block's granule in the pool.
   */
  open(pool: number, sizeClass: number): number {
    const { records, link } = this;
    const at = pool << RECORD_BITS;
    const links = this.granuleOf(pool);
    this.used[sizeClass] = pool;
    records[at + NEXT] = NO_POOL;
    records[at + COUNT] = 1;
    if (records[at + SIZE_CLASS] === sizeClass) {
      const block = records[at + FREE_HEAD];
      records[at + FREE_HEAD] = link[links + block];
      return block;
    }
    records[at + HANDED_OUT] = this.handedOutEnd(pool);
    records[at + SIZE_CLASS] = sizeClass;
    const block = this.geometry.headerGranules;
    const second = block + sizeClass + 1;
    records[at + FREE_HEAD] = second;
    link[links + second] = 0;
    records[at + CARVED] = second + sizeClass + 1;
    return block;
  }

  /** Puts a pool that was full at the front of the list of its class. All that was carved of it has been handed out. */
  list(pool: number): void {
    const records = this.records;
    const at = pool << RECORD_BITS;
    const carved = records[at + CARVED];
    if (carved > records[at + HANDED_OUT]) records[at + HANDED_OUT] = carved;
    const sizeClass = records[at + SIZE_CLASS];
    const first = this.used[sizeClass];
    records[at + NEXT] = first;
    if (first >= 0) records[(first << RECORD_BITS) + PREV] = pool;
    this.used[sizeClass] = pool;
  }

  /** Takes a pool out of the list of its class. */
  unlist(pool: number): void {
    const records = this.records;
    const at = pool << RECORD_BITS;
    const sizeClass = records[at + SIZE_CLASS];
    const next = records[at + NEXT];
    if (this.used[sizeClass] === pool) {
      this.used[sizeClass] = next;
      return;
    }
    const prev = records[at + PREV];
    records[(prev << RECORD_BITS) + NEXT] = next;
    if (next >= 0) records[(next << RECORD_BITS) + PREV] = prev;
  }

  /**
   * The end, in granules, of what has been handed out since the arena was mapped. The block carved last has not been,
   * unless the pool was full once, which `handedOut` then says.
   */
  handedOutEnd(pool: number): number {
    const sizeClass = this.get(pool, SIZE_CLASS);
    if (sizeClass === NO_CLASS) return 0;
    return Math.max(this.get(pool, HANDED_OUT), this.get(pool, CARVED) - (sizeClass + 1));
  }

  private grow(pools: number): void {
    this.records = grown(this.records, pools << RECORD_BITS);
    this.link = grown(this.link, this.granuleOf(pools));
  }
}
