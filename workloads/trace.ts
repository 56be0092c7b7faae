/**
 * A trace: what a program asked of its allocator, as immutable columns (docs/model.md). Slots are dense and reused, the
 * slot freed last first, so a table with one entry for each slot is all a replay needs.
 */

/** What an event does. Values are part of the file format. */
export const Op = {
  /** A new block of `size` bytes in `slot`. */
  allocate: 0,
  /** The block in `slot` is given back. */
  free: 1,
  /** The block in `slot` gets a new `size`. */
  reallocate: 2,
  /** The program dereferences the block in `slot` `size` times. */
  access: 3,
  /** The block in `slot` must not move until the matching unpin. */
  pin: 4,
  unpin: 5,
  /** A mark; `slot` indexes `labels`. Nothing happens. */
  phase: 6,
  /**
   * A use of the block that was in `slot` and is freed: no demand, so only the replay cares. The high four bits of the `op`
   * byte hold the `Op` that the program asked for. Only in traces read with `keepStale`, whose slots are not reused, and in no file.
   */
  stale: 7,
} as const;

export type Op = (typeof Op)[keyof typeof Op];

/** Low four bits of an `op` byte hold the `Op`; the high four bits the alignment code of an allocation. */
export const OP_MASK = 15;

/** Alignment that an `op` byte asks for: code 0 is the allocator's own, code k is 2^(k+4) (32 B to 512 KiB). */
export function alignmentOf(op: number): number {
  const code = op >>> 4;
  return code === 0 ? 0 : 1 << (code + 4);
}

/** What a program asks of a block that is gone, of an `op` byte with `Op.stale`. */
export function staleOpOf(op: number): Op {
  return (op >>> 4) as Op;
}

/** From event `at[i]` on, events belong to thread `id[i]`. Empty for a single-threaded trace. */
export interface ThreadSwitches {
  readonly at: Uint32Array;
  readonly id: Uint32Array;
}

/**
 * Where in the program requests come from, on traces whose reader knows it; both empty on all others. A name is one line:
 * a function, or a call stack as `outermost;...;innermost`.
 */
export interface AllocationSites {
  /** For each event 0 where nothing is known, else 1 + an index into `names`. Only allocate and reallocate have sites. */
  readonly of: Uint32Array;
  readonly names: readonly string[];
}

export interface Trace {
  readonly name: string;
  /** Number of events; event indices start at 0 and count every operation, marks included. */
  readonly length: number;
  /** Number of slots: the largest number of blocks live at once, of a trace with stale uses all blocks. */
  readonly slots: number;
  /** 16 hex digits over the content (not the name, not the file form). */
  readonly digest: string;
  readonly op: Uint8Array;
  readonly slot: Uint32Array;
  /** Bytes for allocate and reallocate, a count for access, else 0. Doubles only where a size needs them. */
  readonly size: Float64Array | Uint32Array;
  readonly labels: readonly string[];
  readonly threads: ThreadSwitches;
  readonly sites: AllocationSites;
}
