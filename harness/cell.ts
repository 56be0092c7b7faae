/** What is sent to a worker for one cell, and what comes back. Plain data in both directions. */
import { type CostName, costNames } from "../memory/costs.js";
import type { OptionValue } from "../memory/options.js";
import type { Trace } from "../workloads/trace.js";
import type { Occupancy } from "./metrics/occupancy.js";
import { measure, metrics } from "./metrics/registry.js";
import type { Series } from "./metrics/series.js";
import type { Snapshot } from "./metrics/snapshot.js";
import type { LabelledLayout, SessionResult, SessionSettings } from "./session.js";

export interface CellRequest {
  /** Registry name of the allocator. */
  readonly allocator: string;
  readonly options: Readonly<Record<string, OptionValue>>;
  /** Columns in shared memory, so that nothing is copied. */
  readonly trace: Trace;
  readonly settings: SessionSettings;
}

/** One cell's result, as it is cached. */
export interface CellResult {
  readonly state: "completed" | "exhausted";
  readonly events: number;
  /** By name; `null` where a metric is not defined. */
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly costs: Readonly<Record<CostName, number>>;
  readonly series: Series;
  readonly snapshots: readonly Snapshot[];
  readonly occupancy?: Occupancy;
  readonly layouts?: readonly LabelledLayout[];
}

/** A worker's answer. Pools lose the properties of a thrown error, so a failure is a value too. */
export type CellAnswer =
  | { readonly ok: true; readonly result: CellResult }
  | { readonly ok: false; readonly kind: string; readonly message: string };

/** The cacheable result of a run. */
export function cellResultOf(result: SessionResult): CellResult {
  const measured = Object.entries(measure(result)).map(([name, value]) => [
    name,
    Number.isFinite(value) ? value : null,
  ]);
  return {
    state: result.state,
    events: result.events,
    metrics: Object.fromEntries(measured),
    costs: result.costs,
    series: result.series,
    snapshots: result.snapshots,
    ...(result.occupancy ? { occupancy: result.occupancy } : {}),
    ...(result.layouts ? { layouts: result.layouts } : {}),
  };
}

/** Whether data read from a cache is a whole cell result of this version. */
export function isCellResult(data: unknown): data is CellResult {
  if (typeof data !== "object" || data === null) return false;
  const result = data as Partial<CellResult>;
  return (
    (result.state === "completed" || result.state === "exhausted") &&
    typeof result.events === "number" &&
    metrics.every((metric) => result.metrics !== undefined && metric.name in result.metrics) &&
    costNames.every((name) => typeof result.costs?.[name] === "number") &&
    Array.isArray(result.series?.event) &&
    Array.isArray(result.snapshots)
  );
}
