/** Allocators in which only placement counts: fits without headers, in granules of 16 bytes, that keep the wilderness. */

/** Bytes of a word of the papers. */
export const WORD = 16;

const POLICY = "header=none,wilderness=preserved,growth=0";

/** Selectors by the names that the papers use. */
export const policyFits = {
  "first fit": `first-fit:${POLICY}`,
  "best fit": `best-fit:${POLICY}`,
  "next fit": `next-fit:${POLICY}`,
  "worst fit": `worst-fit:${POLICY}`,
} as const;

export type PolicyFit = keyof typeof policyFits;
