/** File formats that charts are drawn in. */
export const formats = ["svg", "png", "pdf"] as const;
export type Format = (typeof formats)[number];
