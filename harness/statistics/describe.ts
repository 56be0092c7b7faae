/** Robust descriptions of measured samples. */
import { median, medianAbsoluteDeviation } from "simple-statistics";

export interface Description {
  readonly n: number;
  readonly median: number;
  /** Median absolute deviation. */
  readonly mad: number;
  readonly min: number;
  readonly max: number;
}

/** Describes at least one sample. */
export function describe(samples: readonly number[]): Description {
  return {
    n: samples.length,
    median: median([...samples]),
    mad: medianAbsoluteDeviation([...samples]),
    min: Math.min(...samples),
    max: Math.max(...samples),
  };
}
