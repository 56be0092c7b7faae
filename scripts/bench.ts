/** `fraglab bench`: replay throughput from compiled code, a process for each case and round, rounds interleaved. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { allocatorArm } from "../harness/arm.js";
import { type Description, describe } from "../harness/statistics/describe.js";
import { InputError } from "../memory/errors.js";
import { createProgress } from "./progress.js";
import { textTable } from "./text-table.js";

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
/** The size at which the variants of a case are compared. */
const USUAL_LIVE = 50_000;

interface BenchOptions {
  readonly rounds: number;
  readonly live: string;
  readonly json?: boolean;
}

interface Case {
  readonly allocator: string;
  readonly live: number;
  readonly company: "alone" | "after-all";
  readonly kind: "plain" | "session";
}

interface Timed extends Case {
  /** Nanoseconds per event, medians within a process, over rounds. */
  readonly nsPerEvent: Description;
}

function time({ allocator, live, company, kind }: Case): number {
  const script = fileURLToPath(new URL("./bench-case.js", import.meta.url));
  const child = spawnSync(process.execPath, [script, allocator, String(live), String(EVENTS), company, kind], {
    encoding: "utf8",
  });
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

function tableOf(timed: readonly Timed[]): string {
  const label = ({ company, kind }: Timed): string =>
    kind === "session" ? "with all metrics" : company === "after-all" ? "after all others in one process" : "";
  const rows = timed.map((t) => {
    const { median, min, max } = t.nsPerEvent;
    return [
      t.allocator,
      String(t.live),
      label(t),
      median.toFixed(1),
      `${min.toFixed(1)}-${max.toFixed(1)}`,
      (1000 / median).toFixed(1),
    ];
  });
  return textTable(["allocator", "live blocks", "case", "ns/event", "range", "Mevents/s"], rows);
}

/** Times the named allocators and prints medians. Machine facts never enter a result file. */
export async function bench(names: readonly string[], options: BenchOptions): Promise<void> {
  const chosen = names.length > 0 ? names : defaultNames;
  for (const name of chosen) allocatorArm(name);
  const lives = options.live.split(",").map(Number);
  if (lives.some((live) => !Number.isInteger(live) || live < 1 || live > EVENTS / 4)) {
    throw new InputError(`--live ${options.live}: expected whole numbers from 1 to ${EVENTS / 4}, such as 1000,50000`);
  }
  const cases = casesFor(chosen, lives);
  const samples = cases.map((): number[] => []);
  const progress = createProgress("bench");
  for (let round = 0; round < options.rounds; round++) {
    for (const [i, one] of cases.entries()) {
      samples[i].push(time(one));
      progress.update(
        round * cases.length + i + 1,
        options.rounds * cases.length,
        `${one.allocator}, ${one.live} live`,
      );
    }
  }
  progress.end();
  const timed = cases.map((one, i): Timed => ({ ...one, nsPerEvent: describe(samples[i]) }));
  if (options.json) process.stdout.write(`${JSON.stringify(timed, null, 2)}\n`);
  else
    process.stdout.write(
      `random churn, ${EVENTS} events, medians of ${options.rounds} processes, Node ${process.version}\n\n${tableOf(timed)}\n`,
    );
}
