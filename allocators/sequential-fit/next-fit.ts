import { fitSpec } from "./fit-spec.js";

/** Next fit: the first block that is large enough on a round of the list that starts where the last search ended. */
export const nextFit = fitSpec(
  "next",
  "Next fit, address order, boundary tags",
  "Knuth, The Art of Computer Programming 1, section 2.5, exercise 6; Wilson et al. 1995, section 3.5",
  [
    { order: "fifo", cut: "high", growth: 4096, trim: 4096 },
    { wilderness: "preserved", coalesce: "deferred", header: "both-tags" },
    { order: "lifo", coalesce: "none", header: "none", granule: 8 },
  ],
);
