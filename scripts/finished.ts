import type { Experiment, Tables } from "../harness/experiment.js";
import type { Summary } from "../harness/summary.js";
import type { Drawn } from "./drawing.js";

/** One experiment, finished and written. */
export interface Finished {
  readonly experiment: Experiment;
  readonly tables: Tables;
  readonly summary: Summary;
  readonly drawn: readonly Drawn[];
  readonly files: readonly string[];
}
