/** `fraglab bench --recorder`: what recording costs a program that allocates 5 million times a second. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Description, describe } from "../harness/statistics/describe.js";
import { InputError } from "../memory/errors.js";
import { loadProgram, recorderLibrary } from "../workloads/recorder/library.js";
import { cacheFolder } from "./cache.js";
import { createProgress } from "./progress.js";
import { textTable } from "./text-table.js";

interface RecorderBenchOptions {
  readonly rounds: number;
  readonly json?: boolean;
}

/** Pairs of an allocation and a free, over all threads. */
const PAIRS = 5_000_000;
/** Processor time for each pair without the recorder: 5 million pairs a second in each thread. */
const PACE_NS = 200;
/** A guess from which the work between pairs is set, in rounds of arithmetic. */
const TRIAL_WORK = 100;

interface RecorderCase {
  readonly threads: number;
  readonly recorder: "without" | "recorder" | "with sites";
}

const cases: readonly RecorderCase[] = [1, 2].flatMap((threads) =>
  (["without", "recorder", "with sites"] as const).map((recorder): RecorderCase => ({ threads, recorder })),
);

/** What the program says of itself, in nanoseconds for each pair. */
interface Sample {
  readonly cpu: number;
  readonly system: number;
  readonly wall: number;
}

interface TimedRecorder extends RecorderCase {
  readonly pairs: number;
  /** Nanoseconds for each pair, over rounds; processor time is user and system time of all threads. */
  readonly cpu: Description;
  readonly system: Description;
  readonly wall: Description;
  /** By the run without the recorder in the same round. */
  readonly cpuRatio: Description;
  readonly wallRatio: Description;
}

function run(program: string, pairs: number, work: number, threads: number, env: NodeJS.ProcessEnv): Sample {
  const args = [pairs, work, threads].map(String);
  const child = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, ...env } });
  if (child.status !== 0) throw new InputError(`${program} ended with ${child.signal ?? `status ${child.status}`}`);
  const { user, system, wall } = JSON.parse(child.stdout) as { user: number; system: number; wall: number };
  return { cpu: (user + system) / pairs, system: system / pairs, wall: wall / pairs };
}

/** The work that makes a pair take `PACE_NS`, from runs with none and with some. */
function workAtPace(program: string): number {
  const least = (work: number): number => Math.min(...[1, 2, 3].map(() => run(program, PAIRS / 5, work, 1, {}).cpu));
  const bare = least(0);
  return Math.max(0, Math.round((TRIAL_WORK * (PACE_NS - bare)) / (least(TRIAL_WORK) - bare)));
}

/** One run of a case; its recording is deleted. */
function sample(program: string, work: number, { threads, recorder }: RecorderCase): Sample {
  if (recorder === "without") return run(program, PAIRS, work, threads, {});
  const folder = mkdtempSync(join(cacheFolder(), "bench-recorder-"));
  try {
    const library = recorderLibrary(cacheFolder(), recorder === "with sites");
    return run(program, PAIRS, work, threads, { LD_PRELOAD: library, FRAGLAB_RECORD: join(folder, "image") });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function timedOf(samples: readonly (readonly Sample[])[]): TimedRecorder[] {
  return cases.map((one, i): TimedRecorder => {
    const without = samples[cases.findIndex(({ threads }) => threads === one.threads)];
    const of = (key: keyof Sample): Description => describe(samples[i].map((s) => s[key]));
    const ratio = (key: keyof Sample): Description =>
      describe(samples[i].map((s, round) => s[key] / without[round][key]));
    return {
      ...one,
      pairs: PAIRS,
      cpu: of("cpu"),
      system: of("system"),
      wall: of("wall"),
      cpuRatio: ratio("cpu"),
      wallRatio: ratio("wall"),
    };
  });
}

function tableOf(timed: readonly TimedRecorder[]): string {
  const ratio = ({ median, min, max }: Description): string[] => [
    median.toFixed(2),
    `${min.toFixed(2)}-${max.toFixed(2)}`,
  ];
  return textTable(
    ["threads", "", "cpu ns/pair", "of it system", "wall ns/pair", "cpu ratio", "range", "wall ratio", "range"],
    timed.map(({ threads, recorder, cpu, system, wall, cpuRatio, wallRatio }) => [
      String(threads),
      recorder,
      ...[cpu, system, wall].map(({ median }) => median.toFixed(1)),
      ...ratio(cpuRatio),
      ...ratio(wallRatio),
    ]),
  );
}

/**
 * Times `workloads/recorder/load.c` with and without the recorder, one thread and two, rounds interleaved: each ratio is
 * between runs of one round, so that what slows the machine slows both. Throws an `InputError` where there is no compiler.
 */
export function benchRecorder(names: readonly string[], { rounds, json = false }: RecorderBenchOptions): void {
  if (names.length > 0) throw new InputError(`--recorder times no allocator: leave out ${names.join(" ")}`);
  recorderLibrary(cacheFolder(), false);
  const program = loadProgram(cacheFolder());
  const work = workAtPace(program);
  const samples = cases.map((): Sample[] => []);
  const progress = createProgress("bench");
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of cases.entries()) {
      samples[i].push(sample(program, work, one));
      progress.update(round * cases.length + i + 1, rounds * cases.length, one.recorder);
    }
  }
  progress.end();
  const timed = timedOf(samples);
  const title = `${PAIRS} pairs of malloc and free, one each ${PACE_NS} ns of a thread's processor time; medians of ${rounds} runs, ratios within a round`;
  process.stdout.write(json ? `${JSON.stringify(timed, null, 2)}\n` : `${title}\n\n${tableOf(timed)}\n`);
}
