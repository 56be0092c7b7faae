/** What a reader of a foreign trace format is. `registry.ts` lists the readers. */
import type { Trace } from "../trace.js";

/** How often something was met, and the line (from 1) of the first time; where `unit` says so the byte or event. */
export interface Finding {
  readonly count: number;
  readonly firstLine: number;
}

export type Findings = Readonly<Record<string, Finding>>;

/** What became of the lines of a file. */
export interface ReadReport {
  /** Name of the reader. */
  readonly format: string;
  /** Lines of the file; 0 for a binary one. */
  readonly lines: number;
  /** What `firstLine` of a finding counts. */
  readonly unit: PositionUnit;
  readonly events: number;
  /** Requests that are not in the trace: `freeNull`, `failedCall`, `unknownFree`, and with `lenient` all that cannot be right. */
  readonly dropped: Findings;
  /**
   * Requests that were repaired, so became something else: `reallocateOfUnknown` (an allocation), `allocateOfLive` (the
   * old block leaks), `reusedLiveAddress` (the old block is freed first).
   */
  readonly altered: Findings;
  /** What the file does not say and the reader took for granted: `pairedInClass`, `pageAlignment`. */
  readonly assumed: Findings;
  /** What says nothing about allocation, or belongs to another process or device: `write`, `otherLine`, `otherPart`. */
  readonly ignored: Findings;
  /** One line each: what a careful reader would ask about. */
  readonly notes: readonly string[];
}

export interface ReadResult {
  readonly trace: Trace;
  readonly report: ReadReport;
}

/** Lines count from 1, bytes and events of a snapshot from 0. */
export type PositionUnit = "line" | "byte" | "event";

/** The four groups of findings of a report. */
export type FindingGroup = "dropped" | "altered" | "assumed" | "ignored";

export interface ReadSource {
  /** As error messages call the file. */
  readonly file: string;
  /** Name of the trace. */
  readonly name: string;
  /** Drop and count what cannot be right, instead of an `InputError` that names the line. */
  readonly lenient: boolean;
  /** Of a file that holds several heaps the one to read: a process id, or a device of a PyTorch snapshot. By default the first. */
  readonly part?: number | undefined;
  /** About how many bytes come, for which room is kept ready; 0 where it is not known. */
  readonly bytes?: number | undefined;
  /**
   * Keep what the program asks of blocks that it has freed, as `Op.stale`. Then there is a slot, and memory, for every block
   * of the file.
   */
  readonly keepStale?: boolean | undefined;
  /** Told of every single finding, with its position. */
  readonly observe?: ((group: FindingGroup, kind: string, position: number) => void) | undefined;
}

/** A file being read. */
export interface Reading {
  /** The next bytes of the file; they may end anywhere, and are there during the call only. */
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
  /** Whether a file may hold several heaps, of which `part` names one. */
  readonly several?: boolean;
  /** Whether a file with these first bytes (at most 64 KiB, unpacked) is in this format. */
  recognises(head: Uint8Array): boolean;
  read(source: ReadSource): Reading;
}
