import { fitSpec } from "./fit-spec.js";

/**
 * First fit: the first block of the list that is large enough. Found in O(log heap), with the hops of the textbook's
 * linear list in `Cost.listHops`: the free blocks looked at, up to and including the one chosen, or all where none fits.
 */
export const firstFit = fitSpec(
  "first",
  "First fit, address order, boundary tags",
  "Knuth, The Art of Computer Programming 1, section 2.5, algorithms A and C; Korn and Vo 1985 (wilderness)",
  [
    { wilderness: "preserved" },
    { minSplit: 128 },
    { growth: 4096, trim: 4096 },
    { wilderness: "preserved", growth: 4096, trim: 8192, minSplit: 64 },
    { trim: 0 },
    { order: "lifo", coalesce: "deferred", header: "both-tags", cut: "high" },
    { order: "fifo", coalesce: "none", wilderness: "preserved" },
    { header: "none", granule: 1, wilderness: "preserved", growth: 0 },
  ],
);
