/**
 * A picture of a heap as columns: consecutive pieces of mapped memory, each with one kind. `Allocator.walk` fills it,
 * and the audit, the metrics and the charts all read it.
 */
import { grown } from "./columns.js";

/**
 * What a byte of mapped memory is used for (docs/model.md). `live` is the whole capacity of a live block: the split
 * into bytes asked for and `padding` behind them is made where the demand is known, in the metrics. An allocator adds
 * `padding` itself only for bytes outside a block's capacity (alignment gaps, leading slack).
 */
export const Kind = {
  live: 0,
  padding: 1,
  /** In-band bookkeeping: block, pool and chunk headers. */
  header: 2,
  /** Ends of pools or pages that no block fits in. */
  tail: 3,
  /** Can be handed out, and lies below something that was handed out before. */
  free: 4,
  /** Above everything that was handed out in its region (heap, chunk, pool) since it was mapped: never used. */
  fresh: 5,
  /** Out-of-band bookkeeping, mapped under `Use.meta`. */
  meta: 6,
  /** Handle table, mapped under `Use.table`. */
  table: 7,
} as const;

export type Kind = (typeof Kind)[keyof typeof Kind];
export type KindName = keyof typeof Kind;

/** Names in the order of their value. */
export const kindNames = Object.keys(Kind) as readonly KindName[];

/** Pieces of mapped memory. Pieces of one region come in address order; regions may come in any order. */
export class HeapMap {
  /** Number of pieces. */
  length = 0;
  /** Address of the first byte of each piece. */
  start: Float64Array;
  /** Bytes in each piece. */
  bytes: Float64Array;
  /** `Kind` of each piece. */
  kind: Uint8Array;
  /** The `Ref` of the block for `live` pieces, else -1. */
  owner: Float64Array;

  constructor(capacity = 1024) {
    this.start = new Float64Array(capacity);
    this.bytes = new Float64Array(capacity);
    this.kind = new Uint8Array(capacity);
    this.owner = new Float64Array(capacity);
  }

  clear(): void {
    this.length = 0;
  }

  /** Adds a piece; a piece of 0 bytes is ignored, except a live one (a live block must be seen). */
  add(start: number, bytes: number, kind: Kind, owner = -1): void {
    if (bytes === 0 && kind !== Kind.live) return;
    const i = this.length;
    if (i === this.start.length) this.grow();
    this.start[i] = start;
    this.bytes[i] = bytes;
    this.kind[i] = kind;
    this.owner[i] = owner;
    this.length = i + 1;
  }

  /** Total bytes of each kind, indexed by `Kind`. */
  totals(): Float64Array {
    const totals = new Float64Array(kindNames.length);
    for (let i = 0; i < this.length; i++) totals[this.kind[i]] += this.bytes[i];
    return totals;
  }

  private grow(): void {
    const capacity = Math.max(16, this.start.length * 2);
    this.start = grown(this.start, capacity);
    this.bytes = grown(this.bytes, capacity);
    this.owner = grown(this.owner, capacity);
    this.kind = grown(this.kind, capacity);
  }
}
