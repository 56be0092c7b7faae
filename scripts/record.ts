/** `fraglab record`: the allocations of a real program, as a trace. */
import { spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, statSync } from "node:fs";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { writeError } from "../harness/files.js";
import { InputError, unknownName } from "../memory/errors.js";
import { recorderLibrary } from "../workloads/recorder/library.js";
import { type Recording, readRecording, recordingsIn, savedMaps } from "../workloads/recorder/recordings.js";
import { summarise } from "../workloads/trace-summary.js";
import { cacheFolder } from "./cache.js";
import { reportLines } from "./source.js";
import { checkTraceTarget, writeTrace } from "./write-trace.js";

export interface RecordOptions {
  readonly out?: string;
  readonly threads?: boolean;
  readonly sites?: boolean;
  /** `true` for the plain flag. */
  readonly python?: boolean | "malloc" | "objects";
  /** Name of the program to take, where several ran. */
  readonly program?: string;
  readonly children?: boolean;
  readonly json?: boolean;
}

const PREFIX = "image";
/** Requests that are in no trace, in words. */
const leftOut: Readonly<Record<string, string>> = {
  freeNull: "free(NULL)",
  failedCall: "calls that failed",
  unknownFree: "frees of blocks that are not malloc's",
};

/** How a program ended, in words, or undefined where it ended well. */
interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Process that was started. */
  readonly pid: number | undefined;
}

const say = (line: string): void => {
  process.stderr.write(`fraglab: ${line}\n`);
};

/** Refuses what cannot be started, before anything is built. */
function checkCommand(command: string): void {
  const places = command.includes("/")
    ? [command]
    : (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, command));
  const files = places.filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (files.length === 0) throw new InputError(`${command}: no such program: check its name, or give its path`);
  if (!files.some(isExecutable)) throw new InputError(`${command}: may not be executed: chmod +x it first`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function environmentFor(folder: string, library: string, python: RecordOptions["python"]): NodeJS.ProcessEnv {
  const { LD_PRELOAD } = process.env;
  return {
    ...process.env,
    LD_PRELOAD: LD_PRELOAD ? `${library}:${LD_PRELOAD}` : library,
    FRAGLAB_RECORD: join(folder, PREFIX),
    ...(python === true || python === "malloc" ? { PYTHONMALLOC: "malloc" } : {}),
    ...(python === "objects" ? { FRAGLAB_RECORD_PYTHON: "1" } : {}),
  };
}

/** Runs the program to its end. A Ctrl-C reaches the program; what it asked up to there is kept. */
async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, json: boolean): Promise<Ending> {
  const stay = (): void => undefined;
  process.on("SIGINT", stay);
  try {
    return await new Promise<Ending>((done, failed) => {
      const child = spawn(command, args, { env, stdio: ["inherit", json ? 2 : "inherit", "inherit"] });
      const forward = (): boolean => child.kill("SIGTERM");
      process.once("SIGTERM", forward);
      child.once("error", (error) => failed(new InputError(`${command}: cannot be started: ${error.message}`)));
      child.once("close", (code, signal) => {
        process.removeListener("SIGTERM", forward);
        done({ code, signal, pid: child.pid });
      });
    });
  } finally {
    process.removeListener("SIGINT", stay);
  }
}

/**
 * What the command became, where its process went from image to image (a launcher that ends with exec); else the image with
 * most requests: of a script that starts a program, the program.
 */
function mainOf(
  recordings: readonly Recording[],
  started: number | undefined,
  { program, python }: RecordOptions,
): Recording | undefined {
  const known = recordings.filter((one) => one.records > 0);
  if (program !== undefined && known.length > 0 && !known.some((one) => basename(one.program) === program))
    throw unknownName("program of the run", program, [...new Set(known.map((one) => basename(one.program)))]);
  // With --python a launcher that is a script may ask for more than the interpreter.
  const pythons = python === undefined ? [] : known.filter((one) => /python/.test(basename(one.program)));
  const became = known.filter((one) => one.pid === started);
  if (program === undefined && pythons.length === 0 && became.length > 1) return became.at(-1);
  const wanted =
    program !== undefined
      ? known.filter((one) => basename(one.program) === program)
      : pythons.length > 0
        ? pythons
        : known;
  return wanted.reduce<Recording | undefined>(
    (best, one) => (one.records > (best?.records ?? 0) ? one : best),
    undefined,
  );
}

/** What the run asked beside the traces that are written, in one line. */
function reportOthers(left: readonly Recording[]): void {
  if (left.length === 0) return;
  const largest = [...left].sort((a, b) => b.records - a.records).slice(0, 3);
  const list = largest.map((one) => `${one.records} of ${nameOf(one)}`).join(", ");
  const more = left.length > largest.length ? `, ${left.length - largest.length} more` : "";
  say(`other programs of the run made requests too: ${list}${more}; choose one with --program, or all with --children`);
}

const nameOf = (recording: Recording): string => `${basename(recording.program) || "?"} (process ${recording.pid})`;

/** OUT of another process: its name, process id and image before the endings. */
function outOf(out: string, { program, pid, serial }: Recording): string {
  const endings = /(?:\.(?:fgt|trace|txt)(?:\.gz)?)$/.exec(out)?.[0] ?? "";
  return `${out.slice(0, out.length - endings.length)}-${basename(program)}-${pid}-${serial}${endings}`;
}

function scratchFor(out: string): string {
  try {
    return mkdtempSync(join(dirname(resolve(out)), ".fraglab-record-"));
  } catch (error) {
    throw writeError(out, error);
  }
}

/** Runs a program beneath the recorder and writes what it asked as a trace. */
export async function record(command: string, args: readonly string[], options: RecordOptions): Promise<void> {
  const out = options.out ?? `${basename(command)}.fgt`;
  checkTraceTarget(out);
  checkCommand(command);
  const library = recorderLibrary(cacheFolder(), options.sites ?? false);
  const folder = scratchFor(out);
  try {
    const ending = await run(command, args, environmentFor(folder, library, options.python), options.json ?? false);
    const recordings = recordingsIn(folder, PREFIX);
    const main = mainOf(recordings, ending.pid, options);
    if (main === undefined) throw nothingRecorded(command, options, recordings.length);
    reportEnding(command, ending);
    const maps = savedMaps(folder, PREFIX);
    const chosen = options.children ? [main, ...recordings.filter((one) => one !== main && one.records > 0)] : [main];
    const written = [];
    for (const one of chosen) {
      const path = one === main ? out : outOf(out, one);
      written.push(await writeOne(path, one, recordings, { threads: options.threads ?? false, maps }));
    }
    reportOthers(recordings.filter((one) => one.records > 0 && !chosen.includes(one)));
    if (main.program && /python/.test(basename(main.program)) && options.python === undefined)
      say("this is Python, whose small objects do not reach malloc: record with --python to see every request");
    const answer = { command: [command, ...args], status: ending.code, signal: ending.signal, traces: written };
    if (options.json) process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function nothingRecorded(command: string, { python }: RecordOptions, images: number): InputError {
  const expected =
    images === 0
      ? "a dynamically linked program for this machine that is not set-uid"
      : python === "objects"
        ? "a CPython 3.5 or newer that exports PyMem_SetAllocator"
        : "at least one request to malloc; an allocator that is linked into the program itself cannot be seen";
  return new InputError(`${command}: nothing was recorded: expected ${expected}`);
}

function reportEnding(command: string, { code, signal }: Ending): void {
  if (signal !== null) say(`${command} was ended by ${signal}; what it asked up to there is recorded`);
  else if (code !== 0) say(`${command} ended with status ${code}`);
}

interface Written {
  readonly file: string;
  readonly program: string;
  readonly process: number;
  readonly events: number;
  readonly digest: string;
}

async function writeOne(
  path: string,
  one: Recording,
  all: readonly Recording[],
  options: { readonly threads: boolean; readonly maps: string },
): Promise<Written> {
  const name = basename(path).replace(/(?:\.(?:fgt|trace|txt))?(?:\.gz)?$/, "");
  const { trace, report } = readRecording(one, all, { name, ...options });
  await writeTrace(path, trace);
  const dropped = Object.entries(report.dropped).map(([kind, { count }]) => `${count} ${leftOut[kind] ?? kind}`);
  for (const line of reportLines({ ...report, dropped: {} })) say(`${path}: ${line}`);
  const { allocations, reallocations, frees, peakLiveBytes, threads } = summarise(trace);
  say(
    `${nameOf(one)}: ${allocations} allocations, ${reallocations} reallocations, ${frees} frees, peak ${peakLiveBytes} B live${threads > 1 ? `, ${threads} threads` : ""}${dropped.length > 0 ? `; left out: ${dropped.join(", ")}` : ""}`,
  );
  return { file: path, program: one.program, process: one.pid, events: trace.length, digest: trace.digest };
}
