/**
 * The form in which captures of running interpreters are kept in `golden/live.json.br`; their requests are beside, as
 * `live-NAME.ops.br` (golden-trace.ts). `scripts/make-pymalloc-live.ts` writes them, the live oracle test reads them.
 */

/** An interpreter's own statistics after `afterOps` requests. */
export interface LiveCheckpoint {
  label: string;
  afterOps: number;
  placementHash: number;
  statistics: LiveStatistics;
}

/** The numbers of `sys._debugmallocstats()`; rows of `classes` are [class, size, pools, blocks in use, available blocks]. */
export interface LiveStatistics {
  arenasAllocatedTotal: number;
  arenasReclaimed: number;
  arenasHighwater: number;
  arenasCurrent: number;
  unusedPools: number;
  bytesInAllocatedBlocks: number;
  bytesInAvailableBlocks: number;
  bytesPoolHeaders: number;
  bytesQuantization: number;
  bytesArenaAlignment: number;
  classes: number[][];
}

export interface LiveCapture {
  /** Version of the interpreter. */
  python: string;
  pool: number;
  arena: number;
  /** Where arena k started, from a multiple of the pool size. */
  offsets: number[];
  /** Arenas made and returned: what, requests written down before, ordinal. */
  events: ["map" | "unmap", number, number][];
  checkpoints: LiveCheckpoint[];
  finalHash: number;
}

/** By name of the capture. */
export type LiveFile = Record<string, LiveCapture>;

/**
 * Hash of placements: (hash xor word) x 16777619 modulo 2^32 over arena, pool in the arena and block in the pool of each
 * block that is handed out, or over 0xffffffff for a block of the C library.
 */
export class PlacementHash {
  private hash = 2166136261;

  add(word: number): void {
    this.hash = Math.imul(this.hash ^ word, 16777619);
  }

  get value(): number {
    return this.hash >>> 0;
  }
}
