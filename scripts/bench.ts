/** `fraglab bench`: replay throughput from compiled code, a process for each case and round, rounds interleaved. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { allocators } from "../allocators/registry.js";
import { allocatorArm } from "../harness/arm.js";
import { type Description, describe } from "../harness/statistics/describe.js";
import { InputError } from "../memory/errors.js";
import { readTrace } from "../workloads/read-trace.js";
import { createProgress } from "./progress.js";
import { textTable } from "./text-table.js";
import { textbookFits } from "./textbook-list.js";

/** What the charts compare, plus the handle table that never compacts and the other sequential fits. */
const defaultNames = [
  "pymalloc",
  "buddy",
  "buddy:policy=lifo",
  "handle-table:compact=none",
  "handle-table",
  "first-fit",
  "best-fit",
  "next-fit",
  "worst-fit",
];
const EVENTS = 2_000_000;
/** A textbook's list is timed over fewer events, and so is the fit beside it. */
const TEXTBOOK_EVENTS = 400_000;
const MOST_LIVE = 4_000_000;
/** The size at which the variants of a case are compared. */
const USUAL_LIVE = 50_000;

/** "all" stands for the whole registry. */
function namesOf(name: string): readonly string[] {
  return name === "all" ? Object.keys(allocators) : [name];
}

interface BenchOptions {
  readonly rounds: number;
  readonly live: string;
  readonly trace?: string;
  readonly json?: boolean;
  readonly textbook?: boolean;
}

interface Case {
  readonly allocator: string;
  /** Live blocks of the random churn; absent where a trace file is timed. */
  readonly live?: number;
  readonly company: "alone" | "after-all";
  readonly kind: "plain" | "session" | "textbook";
}

interface Timed extends Case {
  /** Nanoseconds per event, medians within a process, over rounds. */
  readonly nsPerEvent: Description;
  /** Time by that of the first allocator in the same round, over rounds: only where a trace file is timed. */
  readonly ratio?: Description;
}

/** Two thirds of them at least come when all blocks are live. */
const eventsFor = (live: number, usual: number): number => Math.max(usual, 3 * live);

function time({ allocator, live, company, kind }: Case, usual: number, file = ""): number {
  const script = fileURLToPath(new URL("./bench-case.js", import.meta.url));
  const source =
    live === undefined ? ["trace", file] : ["workload", `churn:live=${live},events=${eventsFor(live, usual)}`];
  const child = spawnSync(process.execPath, [script, allocator, ...source, company, kind], { encoding: "utf8" });
  if (child.status !== 0)
    throw new InputError(`bench of ${allocator} failed: ${child.stderr.trim().split("\n").at(-1) ?? ""}`);
  return (JSON.parse(child.stdout) as { nsPerEvent: number }).nsPerEvent;
}

function casesFor(names: readonly string[], lives: readonly number[]): Case[] {
  return names.flatMap((allocator): Case[] => {
    const usual: Case[] = [
      { allocator, live: USUAL_LIVE, company: "after-all", kind: "plain" },
      { allocator, live: USUAL_LIVE, company: "alone", kind: "session" },
    ];
    return [
      ...lives.map((live): Case => ({ allocator, live, company: "alone", kind: "plain" })),
      ...(lives.includes(USUAL_LIVE) ? usual : []),
    ];
  });
}

/** A fit and its textbook's list, on the same events. */
function textbookCases(names: readonly string[], lives: readonly number[]): Case[] {
  const kinds = ["plain", "textbook"] as const;
  return names.flatMap((allocator) =>
    lives.flatMap((live) => kinds.map((kind): Case => ({ allocator, live, company: "alone", kind }))),
  );
}

const rangeOf = ({ min, max }: Description, digits: number): string => `${min.toFixed(digits)}-${max.toFixed(digits)}`;

function tableOf(timed: readonly Timed[]): string {
  const label = ({ company, kind }: Timed): string =>
    kind === "textbook"
      ? "textbook's list"
      : kind === "session"
        ? "with all metrics"
        : company === "after-all"
          ? "after all others in one process"
          : "";
  const paired = timed.some((t) => t.ratio !== undefined);
  const rows = timed.map((t) => {
    const { median } = t.nsPerEvent;
    return [
      t.allocator,
      ...(t.live === undefined ? [] : [String(t.live)]),
      label(t),
      median.toFixed(1),
      rangeOf(t.nsPerEvent, 1),
      (1000 / median).toFixed(1),
      ...(t.ratio === undefined ? [] : [t.ratio.median.toFixed(2), rangeOf(t.ratio, 2)]),
    ];
  });
  const head = ["allocator", ...(paired ? [] : ["live blocks"]), "case", "ns/event", "range", "Mevents/s"];
  return textTable([...head, ...(paired ? [`/ ${timed[0].allocator}`, "range"] : [])], rows);
}

/** Each case against the first allocator's case of the same kind, round by round: what slows the machine slows both. */
function ratioOf(cases: readonly Case[], samples: readonly number[][], index: number): Description {
  const first = cases.findIndex(({ kind }) => kind === cases[index].kind);
  return describe(samples[index].map((ns, round) => ns / samples[first][round]));
}

/** Times the named allocators and prints medians. Machine facts never enter a result file. */
export async function bench(names: readonly string[], options: BenchOptions): Promise<void> {
  const textbook = options.textbook === true;
  const chosen = names.length > 0 ? [...new Set(names.flatMap(namesOf))] : textbook ? textbookFits : defaultNames;
  for (const name of chosen) {
    allocatorArm(name);
    if (textbook && !textbookFits.includes(name)) {
      throw new InputError(`${name}: --textbook has a list for ${textbookFits.join(", ")}, without options`);
    }
  }
  if (textbook && options.trace !== undefined) throw new InputError("--textbook times random churn, not --trace");
  const usual = textbook ? TEXTBOOK_EVENTS : EVENTS;
  const lives = options.live.split(",").map(Number);
  if (lives.some((live) => !Number.isInteger(live) || live < 1 || live > MOST_LIVE)) {
    throw new InputError(`--live ${options.live}: expected whole numbers from 1 to ${MOST_LIVE}, such as 1000,50000`);
  }
  const { trace: file } = options;
  // Read here too, so that a file that cannot be read is refused at once and in one line.
  const trace = file === undefined ? undefined : (await readTrace(file)).trace;
  const kinds = ["plain", "session"] as const;
  const onTrace = kinds.flatMap((kind) => chosen.map((allocator): Case => ({ allocator, company: "alone", kind })));
  const cases = trace !== undefined ? onTrace : textbook ? textbookCases(chosen, lives) : casesFor(chosen, lives);
  const samples = cases.map((): number[] => []);
  const progress = createProgress("bench");
  for (let round = 0; round < options.rounds; round++) {
    for (const [i, one] of cases.entries()) {
      samples[i].push(time(one, usual, file));
      progress.update(
        round * cases.length + i + 1,
        options.rounds * cases.length,
        one.live === undefined ? one.allocator : `${one.allocator}, ${one.live} live`,
      );
    }
  }
  progress.end();
  const timed = cases.map((one, i): Timed => {
    const ratio = trace === undefined ? {} : { ratio: ratioOf(cases, samples, i) };
    return { ...one, nsPerEvent: describe(samples[i]), ...ratio };
  });
  const what =
    trace === undefined
      ? `random churn, ${usual} events or 3 for each live block`
      : `${trace.name}, ${trace.length} events`;
  if (options.json) process.stdout.write(`${JSON.stringify(timed, null, 2)}\n`);
  else
    process.stdout.write(
      `${what}, medians of ${options.rounds} processes, Node ${process.version}\n\n${tableOf(timed)}\n`,
    );
}
