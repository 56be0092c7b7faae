/** What a reader of a foreign trace format is. `registry.ts` lists the readers. */
import type { Trace } from "../trace.js";

/** How often something was met, and the line (from 1) of the first time. */
export interface Finding {
  readonly count: number;
  readonly firstLine: number;
}

export type Findings = Readonly<Record<string, Finding>>;

/** What became of the lines of a file. */
export interface ReadReport {
  /** Name of the reader. */
  readonly format: string;
  readonly lines: number;
  readonly events: number;
  /** Requests that are not in the trace: `freeNull`, and with `lenient` all that cannot be right. */
  readonly dropped: Findings;
  /** Requests that became something else: `reallocateOfUnknown` (an allocation), `allocateOfLive` (the old block leaks). */
  readonly altered: Findings;
  /** Lines that say nothing about allocation: `write`. */
  readonly ignored: Findings;
  /** One line each: what a careful reader would ask about. */
  readonly notes: readonly string[];
}

export interface ReadResult {
  readonly trace: Trace;
  readonly report: ReadReport;
}

export interface ReadSource {
  /** As error messages call the file. */
  readonly file: string;
  /** Name of the trace. */
  readonly name: string;
  /** Drop and count what cannot be right, instead of an `InputError` that names the line. */
  readonly lenient: boolean;
}

/** A file being read. */
export interface Reading {
  /** The next bytes of the file; they may end anywhere. */
  push(bytes: Uint8Array): void;
  /** No more bytes come. */
  finish(): ReadResult;
}

export interface TraceReader {
  /** Registry name, kebab-case. */
  readonly name: string;
  readonly title: string;
  /** Where the format is laid down. */
  readonly source: string;
  /** Whether a file with these first bytes (at most 64 KiB, unzipped) is in this format. */
  recognises(head: Uint8Array): boolean;
  read(source: ReadSource): Reading;
}
