/** The files that a recorded program leaves: one for each process image, made into traces. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { basename, join } from "node:path";
import { InputError } from "../../memory/errors.js";
import type { ReadResult } from "../readers/reader.js";
import { RECORDING_HEADER_BYTES, RecordDecoder, type RecordingHeader, recordingHeader } from "../readers/recording.js";
import { Requests } from "../readers/requests.js";

const CHUNK = 1 << 20;

/** One process image of a recorded run. */
export interface Recording extends RecordingHeader {
  readonly path: string;
}

/** The recordings of a run, in the order of their processes. */
export function recordingsIn(folder: string, prefix: string): Recording[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith(`${prefix}.`) && /\.\d+\.\d+$/.test(file))
    .flatMap((file) => {
      const path = join(folder, file);
      const header = withFile(path, (fd) => recordingHeader(bytesAt(fd, 0, RECORDING_HEADER_BYTES)));
      return header === undefined ? [] : [{ ...header, path }];
    })
    .sort((a, b) => a.pid - b.pid || a.serial - b.serial);
}

/** What a trace of a recording is to hold. */
export interface RecordingOptions {
  readonly name: string;
  readonly threads: boolean;
  /** Lines of /proc/PID/maps, from which call sites get their names. */
  readonly maps: string;
}

/**
 * The trace of one process image. What a process inherited by fork is in it: the requests of its parent up to the fork
 * come first, then a mark `fork`.
 */
export function readRecording(one: Recording, all: readonly Recording[], options: RecordingOptions): ReadResult {
  const requests = new Requests({ file: one.path, name: options.name, lenient: false }, "byte");
  const siteName = siteNames(options.maps);
  const decoder = new RecordDecoder(requests, { threads: options.threads, siteName });
  const chain: { readonly recording: Recording; readonly records: number }[] = [];
  for (let at: Recording | undefined = one, records = one.records; at !== undefined; ) {
    chain.unshift({ recording: at, records: Math.min(records, at.records) });
    const child: Recording = at;
    records = child.forkedAt;
    at = all.find((other) => other.pid === child.parentPid && other.serial === child.parentSerial);
    if (at === undefined && child.parentPid !== 0) requests.note("the recording of its parent is missing");
  }
  for (const [depth, { recording, records }] of chain.entries()) {
    if (depth > 0) {
      decoder.end();
      requests.phase("fork");
    }
    decodeFile(recording, records, decoder);
  }
  decoder.end();
  if (one.full) requests.note("recording stopped early: there was no room for its file");
  return requests.result("recording");
}

function decodeFile({ path, recordBytes }: Recording, records: number, decoder: RecordDecoder): void {
  withFile(path, (fd) => {
    const end = RECORDING_HEADER_BYTES + records * recordBytes;
    for (let at = RECORDING_HEADER_BYTES; at < end; at += CHUNK) {
      const bytes = bytesAt(fd, at, Math.min(CHUNK, end - at));
      decoder.decode(bytes.subarray(0, bytes.length - (bytes.length % recordBytes)), recordBytes, at);
    }
  });
}

/** `module+0xOFFSET`, where the offset counts from the start of the module's file, so that it is the same in every run. */
function siteNames(maps: string): (address: number) => string {
  const ranges = maps.split("\n").flatMap((line) => {
    const match = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+\s+(\/.*)$/.exec(line);
    if (match === null) return [];
    const [start, end, offset] = match.slice(1, 4).map((digits) => Number.parseInt(digits, 16)) as [
      number,
      number,
      number,
    ];
    return [{ start, end, offset, module: basename(match[4] ?? "") }];
  });
  return (address) => {
    const range = ranges.findLast(({ start, end }) => address >= start && address < end);
    if (range === undefined) return `0x${address.toString(16)}`;
    return `${range.module}+0x${(address - range.start + range.offset).toString(16)}`;
  };
}

/** The memory maps that the recorder saved beside the recordings; empty where it saved none. */
export function savedMaps(folder: string, prefix: string): string {
  try {
    return readFileSync(join(folder, `${prefix}.maps`), "utf8");
  } catch {
    return "";
  }
}

function withFile<Result>(path: string, use: (fd: number) => Result): Result {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    throw new InputError(`${path}: cannot be read: record the program again`);
  }
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** As many bytes as there are. */
function bytesAt(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const got = readSync(fd, bytes, filled, length - filled, at + filled);
    if (got === 0) break;
    filled += got;
  }
  return bytes.subarray(0, filled);
}
