import type { SessionResult } from "../session.js";

/** A number of one run, with its definition. */
export interface Metric {
  readonly name: string;
  readonly title: string;
  readonly unit: "bytes" | "ratio over live" | "share" | "count" | "event" | "ms" | "x";
  /** What time is measured in, for a metric over time. */
  readonly clock: "-" | "events" | "bytes allocated" | "virtual";
  readonly formula: string;
  readonly source: string;
  /** The value for a run; `NaN` where it is not defined. */
  of(result: SessionResult): number;
}
