import { fitSpec } from "./fit-spec.js";

/**
 * Best fit: the first block of the list among the smallest that are large enough. The walk whose hops are counted stops
 * at a block of exactly the size wanted and otherwise looks at all.
 */
export const bestFit = fitSpec(
  "best",
  "Best fit, address order, boundary tags",
  "Knuth, The Art of Computer Programming 1, section 2.5; Wilson et al. 1995, section 3.5",
  [
    { wilderness: "preserved", coalesce: "deferred", quickCount: 40, quickLargest: 512 },
    { order: "lifo", header: "both-tags", cut: "high" },
    { order: "fifo", header: "none", granule: 1, growth: 0, trim: 4096 },
  ],
);
