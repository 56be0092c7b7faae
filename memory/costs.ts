/**
 * Costs that an allocator runs up, as allocator-independent integers (docs/metrics.md). They become time only through a
 * named set of coefficients; wall time of the simulator is never one of them.
 */

/** Index of each counter in a `Costs` record. */
export const Cost = {
  /** Free blocks that the declared textbook list would have looked at. */
  listHops: 0,
  splits: 1,
  coalesces: 2,
  /** Blocks visited by compaction passes. */
  blocksVisited: 3,
  moves: 4,
  /** Bytes moved by compaction, headers included. */
  bytesMoved: 5,
  /** Compaction passes. */
  passes: 6,
  tableWrites: 7,
  /** Loads of a handle-table entry: dereferences by the program. */
  tableLoads: 8,
  pins: 9,
  /** Bytes copied because a reallocation did not stay in place. */
  bytesCopied: 10,
  /** Frees or uses of a handle that no longer names a live object. */
  staleHandles: 11,
  /** First touches and refaults, in pages. */
  pageFaults: 12,
  /** Pages given back while their addresses stay mapped. */
  pagesReleased: 13,
  /** Calls of `discard`. */
  releaseCalls: 14,
  /** Calls of `map`, `commit`, `unmap`, `discard` and `alias`. */
  osCalls: 15,
  /** Frees of a pinned object, put off until its last unpin. */
  deferredFrees: 16,
  /** Page faults on pages that had been given back before: the part of `pageFaults` that a release caused. */
  refaults: 17,
  /** The program's own pointers to an object, rewritten because it moved and has no handle. */
  referencesPatched: 18,
} as const;

export type CostName = keyof typeof Cost;

/** Names in the order of their index. */
export const costNames = Object.keys(Cost) as readonly CostName[];

/** One counter for each name; doubles, exact to 2^53. */
export type Costs = Float64Array;

export function createCosts(): Costs {
  return new Float64Array(costNames.length);
}

/** As a plain object, for output. */
export function costsByName(costs: Costs): Record<CostName, number> {
  return Object.fromEntries(costNames.map((name, i) => [name, costs[i] ?? 0])) as Record<CostName, number>;
}
