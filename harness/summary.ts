/** The short form of an experiment's results: the finding, and each allocator against the baseline. */
import { exp, ln } from "../memory/exact-math.js";
import type { Experiment, Profile, Tables } from "./experiment.js";
import { ratioInterval } from "./statistics/ratio.js";
import { version } from "./version.js";

/** An allocator against the baseline over workloads: geometric mean of peak footprints. */
export interface Comparison {
  readonly allocator: string;
  readonly baseline: string;
  /** Workloads compared; seeds of one workload are averaged first, so each workload counts once. */
  readonly n: number;
  readonly ratio: number | null;
  /** 95 % t interval on paired logarithms; `null` for fewer than two pairs. */
  readonly low: number | null;
  readonly high: number | null;
}

export interface Summary {
  readonly experiment: string;
  readonly title: string;
  readonly question: string;
  readonly finding: string;
  readonly profile: Profile;
  readonly version: string;
  readonly cells: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Metric that the comparisons are of. */
  readonly metric: string;
  readonly comparisons: readonly Comparison[];
}

type Text = ArrayLike<string>;

/** Geometric mean over seeds of a metric, by allocator and workload. */
function byWorkload(tables: Tables, metric: string): Map<string, Map<string, number>> {
  const column = (name: string): ArrayLike<string | number> => tables.cells.columns.get(name) ?? [];
  const [allocator, workload, outcome] = ["allocator", "workload", "outcome"].map((name) => column(name) as Text);
  const value = column(metric) as ArrayLike<number>;
  const logs = new Map<string, Map<string, number[]>>();
  for (let row = 0; row < tables.cells.rows; row++) {
    if (outcome[row] !== "completed" || !(value[row] > 0)) continue;
    const of = logs.get(allocator[row]) ?? new Map<string, number[]>();
    logs.set(allocator[row], of);
    of.set(workload[row], [...(of.get(workload[row]) ?? []), ln(value[row])]);
  }
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  return new Map(
    [...logs].map(([name, of]) => [name, new Map([...of].map(([where, values]) => [where, exp(mean(values))]))]),
  );
}

/** Each allocator but the baseline against it, over the workloads (or those named) that both completed. */
export function compare(tables: Tables, baseline: string, metric: string, workloads?: readonly string[]): Comparison[] {
  const means = byWorkload(tables, metric);
  const base = means.get(baseline) ?? new Map<string, number>();
  const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
  return [...means]
    .filter(([allocator]) => allocator !== baseline)
    .map(([allocator, of]) => {
      const shared = [...of.keys()].filter((workload) => base.has(workload) && (workloads?.includes(workload) ?? true));
      const pick = (from: Map<string, number>): number[] => shared.map((workload) => from.get(workload) ?? Number.NaN);
      const { n, ratio, low, high } = ratioInterval(pick(of), pick(base));
      return { allocator, baseline, n, ratio: finite(ratio), low: finite(low), high: finite(high) };
    });
}

/** The summary of a finished experiment. */
export function summarise(experiment: Experiment, profile: Profile, tables: Tables): Summary {
  const outcomes: Record<string, number> = {};
  const outcome = (tables.cells.columns.get("outcome") ?? []) as Text;
  for (let row = 0; row < tables.cells.rows; row++) outcomes[outcome[row]] = (outcomes[outcome[row]] ?? 0) + 1;
  return {
    experiment: experiment.name,
    title: experiment.title,
    question: experiment.question,
    finding: experiment.finding(tables),
    profile,
    version,
    cells: tables.cells.rows,
    outcomes,
    metric: "peakFootprint",
    comparisons: experiment.baseline === undefined ? [] : compare(tables, experiment.baseline, "peakFootprint"),
  };
}
