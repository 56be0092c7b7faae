/** `fraglab bench --stream FILE`: a compact trace file read from disk block by block, straight into allocators. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Description, describe } from "../harness/statistics/describe.js";
import { InputError } from "../memory/errors.js";
import { readTraceFileInfo } from "../workloads/trace-file.js";
import { createProgress } from "./progress.js";
import { streamOptions } from "./stream-options.js";
import { textTable } from "./text-table.js";

interface StreamOptions {
  readonly rounds: number;
  readonly stream: string;
  readonly json?: boolean;
}

interface StreamCase {
  /** What the blocks are for: decoded only, or replayed on an allocator. */
  readonly consumer: string;
  /** Whether the digest of the contents is verified on the way; checksums are always. */
  readonly digest: "verified" | "checksums";
  readonly selector: string;
}

interface Sample {
  readonly nsPerEvent: number;
  readonly cpuNsPerEvent: number;
  readonly residentBytes: number;
}

interface TimedStream extends StreamCase {
  /** Over rounds; processor time is that of all threads. */
  readonly nsPerEvent: Description;
  readonly cpuNsPerEvent: Description;
  /** The largest resident set of any round, the whole process. */
  readonly residentBytes: number;
}

function sample(file: string, { consumer, digest, selector }: StreamCase): Sample {
  const script = fileURLToPath(new URL("./bench-stream-case.js", import.meta.url));
  const child = spawnSync(process.execPath, [script, file, digest, selector], { encoding: "utf8" });
  if (child.status === 0) return JSON.parse(child.stdout) as Sample;
  throw new InputError(`bench of ${consumer} failed: ${child.stderr.trim().split("\n").at(-1) ?? ""}`);
}

function casesFor(names: readonly string[]): StreamCase[] {
  const digests = ["checksums", "verified"] as const;
  const decoding = digests.map((digest): StreamCase => ({ consumer: "decoding alone", digest, selector: "" }));
  for (const name of names) streamOptions(name);
  return [
    ...decoding,
    ...names.flatMap((name) => digests.map((digest): StreamCase => ({ consumer: name, digest, selector: name }))),
  ];
}

function tableOf(timed: readonly TimedStream[]): string {
  const rows = timed.map(({ consumer, digest, nsPerEvent, cpuNsPerEvent, residentBytes }) => [
    consumer,
    digest,
    nsPerEvent.median.toFixed(1),
    `${nsPerEvent.min.toFixed(1)}-${nsPerEvent.max.toFixed(1)}`,
    (1000 / nsPerEvent.median).toFixed(1),
    cpuNsPerEvent.median.toFixed(1),
    (residentBytes / 2 ** 20).toFixed(0),
  ]);
  return textTable(["into", "digest", "ns/event", "range", "Mevents/s", "cpu ns/event", "MiB resident"], rows);
}

/** Times the file into nothing and into each named allocator (pymalloc by default), a process each, rounds interleaved. */
export async function benchStream(names: readonly string[], options: StreamOptions): Promise<void> {
  const { stream: file, rounds } = options;
  const { name, events } = await readTraceFileInfo(file);
  const cases = casesFor(names.length > 0 ? names : ["pymalloc"]);
  const samples = cases.map((): Sample[] => []);
  const progress = createProgress("bench");
  for (let round = 0; round < rounds; round++) {
    for (const [i, one] of cases.entries()) {
      samples[i].push(sample(file, one));
      progress.update(round * cases.length + i + 1, rounds * cases.length, one.consumer);
    }
  }
  progress.end();
  const timed = cases.map(
    (one, i): TimedStream => ({
      ...one,
      nsPerEvent: describe(samples[i].map((s) => s.nsPerEvent)),
      cpuNsPerEvent: describe(samples[i].map((s) => s.cpuNsPerEvent)),
      residentBytes: Math.max(...samples[i].map((s) => s.residentBytes)),
    }),
  );
  const what = `${name}, ${events} events from disk, medians of ${rounds} processes, Node ${process.version}`;
  const text = `${what}\ndecoding alone: by one thread; allocators: fed by a second one, whose time is in cpu\n\n${tableOf(timed)}`;
  process.stdout.write(`${options.json ? JSON.stringify(timed, null, 2) : text}\n`);
}
