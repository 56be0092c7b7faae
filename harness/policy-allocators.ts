/** The allocators of Johnstone & Wilson's study by policy alone: no headers, the wilderness preserved. */
import type { Arms } from "./experiment.js";

const POLICY = "header=none,wilderness=preserved,growth=0";

/** Selectors under the names of the published table (`published.ts`). */
export const policyAllocators: Arms = {
  ...Object.fromEntries(
    ["best", "first", "next"].flatMap((fit) => [
      [`${fit} fit, address`, `${fit}-fit:${POLICY}`],
      [`${fit} fit, LIFO`, `${fit}-fit:${POLICY},order=lifo`],
      [`${fit} fit, FIFO`, `${fit}-fit:${POLICY},order=fifo`],
    ]),
  ),
  "double buddy": "double-buddy",
  "binary buddy": "buddy",
};
