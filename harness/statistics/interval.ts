/** Means with Student's t interval. */
import { mean as meanOf, sampleStandardDeviation } from "simple-statistics";
import { studentQuantile } from "./student.js";

export interface Interval {
  readonly n: number;
  /** `NaN` for no sample. */
  readonly mean: number;
  /** Bounds; `NaN` for fewer than two samples. */
  readonly low: number;
  readonly high: number;
}

/** The mean of samples that are taken as normal, with a confidence interval. */
export function interval(samples: readonly number[], confidence = 0.95): Interval {
  const n = samples.length;
  const mean = n === 0 ? Number.NaN : meanOf([...samples]);
  if (n < 2) return { n, mean, low: Number.NaN, high: Number.NaN };
  const half = (studentQuantile((1 + confidence) / 2, n - 1) * sampleStandardDeviation([...samples])) / Math.sqrt(n);
  return { n, mean, low: mean - half, high: mean + half };
}
