/** What an experiment is: a value that names its factors, its metrics and its charts. */
import type { Cell } from "./arm.js";
import type { SessionSettings } from "./session.js";
import type { Table } from "./table.js";

/** `quick` is what `npm start` runs and what results/ holds; `paper` is the long version. */
export type Profile = "quick" | "paper";
export const profiles: readonly Profile[] = ["quick", "paper"];

/** Labels as they appear in tables and charts, each with a selector `name:option=value,...`. */
export type Arms = Readonly<Record<string, string>>;

export interface Factors {
  readonly allocators: Arms;
  readonly workloads: Arms;
  /** Seeds 1 to n for workloads that depend on one; a recorded trace is run once. */
  readonly seeds: number;
}

/** What an experiment yields, in long format, rows in the order of the plan. */
export interface Tables {
  /** One row for each cell: factors, outcome, all metrics, all costs. */
  readonly cells: Table;
  /** Course of live and footprint: workload, allocator, seed, event, allocated, live, footprint. */
  readonly series: Table;
  /** Looks at the heap: workload, allocator, seed, event, label, kinds, free shape, age of the handle table. */
  readonly looks: Table;
  /** Heap maps: workload, allocator, seed, width, height, events, bytes, cells. */
  readonly maps: Table;
  /** Layouts of small heaps: workload, allocator, label, start, bytes, kind, block. */
  readonly layouts: Table;
}

/** A chart of an experiment: pure, from tables to a Vega-Lite specification in a named theme. */
export interface ExperimentChart {
  /** File name without ending. */
  readonly name: string;
  /** One sentence that says what to see. */
  readonly caption: string;
  draw(tables: Tables, theme: string): object;
}

export interface Experiment {
  /** Registry name: the file name. */
  readonly name: string;
  readonly title: string;
  readonly question: string;
  readonly factors: Readonly<Record<Profile, Factors>>;
  /** Metrics shown in the printed summary; table.csv has all. */
  readonly metrics: readonly string[];
  /** Label of the allocator that ratios are taken to; absent where means over the workloads say nothing. */
  readonly baseline?: string;
  /** A reason not to run a cell, or undefined to run it. */
  skip?(cell: Cell): string | undefined;
  /** Session settings of a cell, such as a heap map for one workload. */
  settings?(cell: Cell): SessionSettings;
  /** One or two sentences with numbers, computed from the tables. */
  finding(tables: Tables): string;
  readonly charts: readonly ExperimentChart[];
}

/** Checks nothing at run time: gives the value its type. */
export function defineExperiment(experiment: Experiment): Experiment {
  return experiment;
}
