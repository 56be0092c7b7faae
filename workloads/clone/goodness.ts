import { liveBytesOf } from "../live-bytes.js";
import type { Trace } from "../trace.js";
import { type Cumulated, portraitOf } from "../trace-portrait.js";

/** How near a clone comes to its original. Distances are 0 where they agree and at most 1. */
export interface Goodness {
  /** Largest difference of the cumulated shares (Kolmogorov and Smirnov), of sizes by blocks and by bytes. */
  readonly sizesByBlocks: number;
  readonly sizesByBytes: number;
  /** The same of lifetimes, in bytes allocated. */
  readonly lifetimesByBlocks: number;
  readonly lifetimesByBytes: number;
  /** Mean difference of the live bytes over the course, over the mean of the original's live bytes; may exceed 1. */
  readonly course: number;
  /** Peak of live bytes over that of the original. */
  readonly peak: number;
  /** Events over those of the original. */
  readonly events: number;
}

/** The value of a cumulated distribution at each of the sorted points. */
function sampled(value: readonly number[], share: readonly number[], points: readonly number[]): number[] {
  let i = 0;
  return points.map((point) => {
    while (i < value.length && value[i] <= point) i++;
    return i === 0 ? 0 : share[i - 1];
  });
}

function distance(a: Cumulated, b: Cumulated, by: "blocks" | "bytes"): number {
  const points = [...new Set([...a.value, ...b.value])].sort((x, y) => x - y);
  const left = sampled(a.value, a[by], points);
  const right = sampled(b.value, b[by], points);
  return left.reduce((most, share, i) => Math.max(most, Math.abs(share - right[i])), 0);
}

/** Moments at which the courses are compared. */
const MOMENTS = 1024;

const moments = (length: number): number[] =>
  Array.from({ length: MOMENTS }, (_, k) => Math.round((length * (k + 1)) / MOMENTS));

/** Compares two traces; moments are compared by their share of the events. */
export function goodnessOf(original: Trace, clone: Trace): Goodness {
  const [a, b] = [portraitOf(original), portraitOf(clone)];
  const [x, y] = [original, clone].map((trace) => liveBytesOf(trace, moments(trace.length)));
  const mean = x.at.reduce((sum, live) => sum + live, 0) / MOMENTS;
  const apart = x.at.reduce((sum, live, i) => sum + Math.abs(live - y.at[i]), 0) / MOMENTS;
  return {
    sizesByBlocks: distance(a.sizes, b.sizes, "blocks"),
    sizesByBytes: distance(a.sizes, b.sizes, "bytes"),
    lifetimesByBlocks: distance(a.lifetimes, b.lifetimes, "blocks"),
    lifetimesByBytes: distance(a.lifetimes, b.lifetimes, "bytes"),
    course: mean === 0 ? 0 : apart / mean,
    peak: x.peak === 0 ? 1 : y.peak / x.peak,
    events: clone.length / original.length,
  };
}
