import { fitSpec } from "./fit-spec.js";

/** Worst fit: the first block of the list among the largest, if it is large enough. The walk looks at all blocks. */
export const worstFit = fitSpec(
  "worst",
  "Worst fit, address order, boundary tags",
  "Knuth, The Art of Computer Programming 1, section 2.5; Wilson et al. 1995, section 3.4",
  [
    { wilderness: "preserved", cut: "high", growth: 4096, trim: 8192 },
    { order: "lifo", coalesce: "deferred", quickCount: 100 },
    { coalesce: "none", header: "both-tags", trim: 4096 },
  ],
);
