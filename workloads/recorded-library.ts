/** The traces that come with the package, as `workloads/recorded/manifest.json` describes them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { dataFolder } from "./data-folder.js";
import type { TraceSummary } from "./trace-summary.js";

/** Facts about a trace that a summary must agree with. */
export type RecordedFacts = Pick<
  TraceSummary,
  | "events"
  | "allocations"
  | "reallocations"
  | "frees"
  | "peakLiveBytes"
  | "peakLiveBlocks"
  | "endLiveBytes"
  | "endLiveBlocks"
  | "totalBytes"
  | "threads"
  | "digest"
>;

/** One trace of a real program in `workloads/recorded/manifest.json`. */
export interface RecordedTrace extends RecordedFacts {
  readonly name: string;
  /** Program, version and settings. */
  readonly program: string;
  readonly command: string;
  readonly description: string;
  readonly licence: string;
  readonly recordedBy: Recipe;
}

/** How a trace can be recorded again. */
export interface Recipe {
  /** File with the program or its input, from the root of the package. */
  readonly script: string;
  /** Command line of `fraglab record` there. */
  readonly command: string;
  /**
   * What the command repeats: the `recording` itself; the `commands` of the recording, which another recorder took; or only
   * its `kind`, where the program that ran is not kept here and the script does the same sort of work.
   */
  readonly repeats: "recording" | "commands" | "kind";
}

/** What a recipe repeats, in words. */
export const repetitions: Readonly<Record<Recipe["repeats"], string>> = {
  recording: "recorded by",
  commands: "the same commands are recorded by",
  kind: "the program that ran is not kept; work of the same kind is recorded by",
};

/** The facts of a summary, in the order of the manifest. */
export function factsOf(summary: RecordedFacts): RecordedFacts {
  return {
    events: summary.events,
    allocations: summary.allocations,
    reallocations: summary.reallocations,
    frees: summary.frees,
    peakLiveBytes: summary.peakLiveBytes,
    peakLiveBlocks: summary.peakLiveBlocks,
    endLiveBytes: summary.endLiveBytes,
    endLiveBlocks: summary.endLiveBlocks,
    totalBytes: summary.totalBytes,
    threads: summary.threads,
    digest: summary.digest,
  };
}

/** Where the traces are, as `NAME.fgt`. */
export const recordedPath = dataFolder("recorded");

/** The traces that come with the package. */
export const recordedTraces: readonly RecordedTrace[] = JSON.parse(
  readFileSync(join(recordedPath, "manifest.json"), "utf8"),
).traces;
