/**
 * Named sets of coefficients that turn counts into time. Counts are what is simulated; a time is a count under the name
 * of a set, and another set can take its place.
 */
import type { CostName } from "./costs.js";

/** Nanoseconds for each unit of some counters; the others cost nothing. */
export type Coefficients = Readonly<Partial<Record<CostName, number>>>;

const raw = {
  blocksVisited: 3,
  moves: 5,
  bytesMoved: 0.08,
  bytesCopied: 0.08,
  pagesReleased: 290,
  pageFaults: 1400,
  tableLoads: 1,
} as const satisfies Coefficients;

/**
 * `raw`: measured on a 2-core virtual machine (AMD EPYC). A slide pass with half of the blocks dead takes 11 ns for each
 * moved block up to 64 bytes, its two visits included, and 0.08 ns for each byte; madvise in bulk 290 ns a page; a first
 * touch or refault 1,400 ns; an independent access through a table in the third-level cache 0.5 to 2.6 ns.
 *
 * `anchorage`: the published pauses of Anchorage are 12.5 to 17.4 ms for passes of about 149,000 objects and 15.3 MB,
 * headers included: 85 to 115 ns an object with all its bookkeeping. The copy and the first touch of 3,735 pages of the
 * other space are taken to cost as in `raw`, 1.2 and 5.2 ms of 14.9; 57 ns for each object remain.
 *
 * `redis`: active defragmentation finds each object through the keyspace. In a run of Redis 4.0.2 on the workload
 * `mesh402je` it looked at 177,445 + 948,598 allocations, and at the hash entries that it moved, in 5 s, of which it may
 * take 25 to 75 %: with 2,600 ns a look, and the rest as in `raw`, the model of it looks at as many, within 3 %.
 *
 * `redis72`: on the servers of the Alaska artifact, memory under Redis 7.2 falls to 188.3, 171.1 and 162.2 MB in 10.5 s
 * (Xeon 6237L, E5-2695, EPYC 7443P); the model of it ends there with 900, 650 and 500 ns a look. 700 is between.
 */
export const coefficients = {
  raw,
  anchorage: {
    moves: 57,
    bytesMoved: 0.08,
    bytesCopied: 0.08,
    pagesReleased: 290,
    pageFaults: 1400,
    tableLoads: 1,
  },
  redis: { ...raw, blocksVisited: 2600 },
  redis72: { ...raw, blocksVisited: 700 },
} as const satisfies Readonly<Record<string, Coefficients>>;

export type CoefficientSet = keyof typeof coefficients;
