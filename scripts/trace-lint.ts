/** `fraglab trace lint`: what is wrong or doubtful in a trace file. */
import { type ReadTraceOptions, readTrace } from "../workloads/read-trace.js";
import type { FindingGroup, PositionUnit } from "../workloads/readers/reader.js";
import { summarise } from "../workloads/trace-summary.js";

interface LintOptions extends ReadTraceOptions {
  readonly json?: boolean;
}

/** Places that are listed for each kind of finding. */
const MAX_PLACES = 20;

const meanings: Readonly<Record<string, string>> = {
  allocateOfLive: "an id is allocated while it is live: the old block is never freed",
  failedCall: "a call failed; it is left out",
  freeNull: "free(NULL); it is left out",
  innermostResult: "of several calls that wait for a result the innermost is taken to return",
  hugeAlignment: "an alignment beyond 512 KiB is lowered to it",
  malformed: "a request that cannot be read",
  negativeSize: "a negative size",
  pairedInClass: "the format does not say which of several equal blocks is freed: the youngest is taken",
  reallocateOfUnknown: "a reallocation of an unknown block becomes an allocation",
  reusedLiveAddress: "an address is returned that is still live: its block was freed unseen",
  roundedAlignment: "an alignment that is no power of two is rounded up",
  shownLengthOfString: "a string is cut in the log: its block has at least this size",
  threadOrder: "the order of the threads is laid down by their waiting only",
  unknownFree: "a free of a block that was never allocated, or was freed before",
  usualAlignment: "the alignment is not recorded: the usual one is taken",
};

/** What is in order, though it is not in the trace as it stood in the file. */
const harmless: ReadonlySet<string> = new Set(["freeNull", "failedCall"]);

interface Problem {
  readonly group: FindingGroup;
  readonly kind: string;
  count: number;
  /** The first places, at most 20. */
  readonly places: number[];
}

/** Every finding that is not in order, in the order of first places. */
function problemsOf(): { readonly problems: Map<string, Problem>; readonly observe: ReadTraceOptions["observe"] } {
  const problems = new Map<string, Problem>();
  return {
    problems,
    observe: (group, kind, position) => {
      if (group === "ignored" || harmless.has(kind)) return;
      let problem = problems.get(kind);
      if (problem === undefined) {
        problem = { group, kind, count: 0, places: [] };
        problems.set(kind, problem);
      }
      if (problem.count++ < MAX_PLACES) problem.places.push(position);
    },
  };
}

function problemLine(file: string, unit: PositionUnit, { group, kind, count, places }: Problem): string {
  const what = { dropped: "error", altered: "warning", assumed: "note", ignored: "note" }[group];
  const place = unit === "line" ? `${file}:${places[0]}` : `${file}: ${unit} ${places[0]}`;
  const more = places.slice(1).join(", ");
  const others = count === 1 ? "" : `; ${count} times, also at ${more}${count > places.length ? ", ..." : ""}`;
  return `${place}: ${what}: ${kind}: ${meanings[kind] ?? "see docs/traces.md"}${others}`;
}

/** Prints problems with their places; exit status 1 where there are errors or warnings. */
export async function traceLint(file: string, options: LintOptions): Promise<void> {
  const { problems, observe } = problemsOf();
  const { trace, report } = await readTrace(file, { ...options, lenient: true, observe });
  const { endLiveBlocks, endLiveBytes } = summarise(trace);
  const found = [...problems.values()];
  const clean = found.every(({ group }) => group === "assumed") && report.notes.length === 0;
  if (options.json) {
    const { format, unit, events, notes } = report;
    const answer = { file, format, unit, events, clean, problems: found, notes, endLiveBlocks, endLiveBytes };
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  } else {
    const lines = found.map((problem) => problemLine(file, report.unit, problem));
    const notes = report.notes.map((note) => `${file}: warning: ${note}`);
    const kinds = found.length + notes.length;
    const end = `${file}: ${trace.length} events, ${report.format}; ${clean ? "in order" : `${kinds} kinds of problems`}; ${endLiveBlocks} blocks of ${endLiveBytes} B live at the end`;
    process.stdout.write(`${[...lines, ...notes, end].join("\n")}\n`);
  }
  if (!clean) process.exitCode = 1;
}
