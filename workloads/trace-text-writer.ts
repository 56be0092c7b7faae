import type { FileHandle } from "node:fs/promises";
import { createGzip, type Gzip } from "node:zlib";
import { writeAtomically } from "./atomic-file.js";
import { staleFault } from "./file-errors.js";
import { alignmentOf, OP_MASK, Op, type Trace } from "./trace.js";

const CHUNK = 262144;
/** More bytes than a line without text has: a letter, three numbers of 16 digits, a site, blanks and a line feed. */
const LINE = 96;
const SPACE = 32;
const AT = 64;
const LF = 10;
const ZERO = 48;

const letters: Readonly<Record<Exclude<Op, typeof Op.stale>, number>> = {
  [Op.allocate]: "a".charCodeAt(0),
  [Op.free]: "f".charCodeAt(0),
  [Op.reallocate]: "r".charCodeAt(0),
  [Op.access]: "x".charCodeAt(0),
  [Op.pin]: "p".charCodeAt(0),
  [Op.unpin]: "u".charCodeAt(0),
  [Op.phase]: "s".charCodeAt(0),
};
const THREAD = "t".charCodeAt(0);

/** Lines of text as bytes, built in place. */
class LineBuffer {
  private readonly bytes = Buffer.allocUnsafe(CHUNK);
  private length = 0;

  get full(): boolean {
    return this.length > CHUNK - LINE;
  }

  /** What was written, as a buffer of its own; starts afresh. */
  take(): Buffer {
    const taken = Buffer.from(this.bytes.subarray(0, this.length));
    this.length = 0;
    return taken;
  }

  letter(letter: number): void {
    this.bytes[this.length++] = letter;
  }

  /** A blank and a whole number below 2^53. */
  number(value: number): void {
    this.bytes[this.length++] = SPACE;
    this.digits(value);
  }

  site(site: number): void {
    this.bytes[this.length++] = SPACE;
    this.bytes[this.length++] = AT;
    this.digits(site);
  }

  endLine(): void {
    this.bytes[this.length++] = LF;
  }

  private digits(value: number): void {
    let digits = 1;
    for (let bound = 10; value >= bound; bound *= 10) digits++;
    let rest = value;
    for (let at = this.length + digits - 1; at >= this.length; at--) {
      const next = Math.floor(rest / 10);
      this.bytes[at] = ZERO + (rest - 10 * next);
      rest = next;
    }
    this.length += digits;
  }
}

/** The lines of a trace in fraglab's text form, in pieces of some 256 KiB. Ids are slots; sites are named first. */
export function* traceLines(trace: Trace): Generator<Buffer, void> {
  const buffer = new LineBuffer();
  const { at, id } = trace.threads;
  const { of: sites, names } = trace.sites;
  let switches = 0;
  for (let site = 1; site <= names.length; site++) yield Buffer.from(`n ${site} ${names[site - 1]}\n`, "utf8");
  for (let event = 0; event < trace.length; event++) {
    if (buffer.full) yield buffer.take();
    if (at[switches] === event) {
      buffer.letter(THREAD);
      buffer.number(id[switches++]);
      buffer.endLine();
    }
    const code = (trace.op[event] & OP_MASK) as Op;
    if (code === Op.phase) {
      yield buffer.take();
      yield Buffer.from(`s ${trace.labels[trace.slot[event]]}\n`, "utf8");
      continue;
    }
    if (code === Op.stale) throw staleFault(trace, event);
    buffer.letter(letters[code]);
    buffer.number(trace.slot[event]);
    if (code === Op.allocate || code === Op.reallocate || code === Op.access) buffer.number(trace.size[event]);
    const alignment = alignmentOf(trace.op[event]);
    if (alignment > 0) buffer.number(alignment);
    if (sites[event] > 0) buffer.site(sites[event]);
    buffer.endLine();
  }
  yield buffer.take();
}

/**
 * Writes a trace as text that `readTrace` reads back to the same digest, gzipped where `path` ends in `.gz`. The file
 * appears at once or not at all. Throws an `InputError` where the place cannot be written.
 */
export async function writeTextTrace(path: string, trace: Trace): Promise<void> {
  await writeAtomically(path, async (file) => {
    if (path.endsWith(".gz")) await writeZipped(file, trace);
    else for (const lines of traceLines(trace)) await file.writeFile(lines);
  });
}

async function writeZipped(file: FileHandle, trace: Trace): Promise<void> {
  const gzip = createGzip({ level: 9 });
  const feeding = feed(gzip, trace);
  for await (const packed of gzip as AsyncIterable<Buffer>) await file.writeFile(packed);
  await feeding;
}

async function feed(gzip: Gzip, trace: Trace): Promise<void> {
  for (const lines of traceLines(trace)) {
    if (!gzip.write(lines)) await new Promise((resolve) => gzip.once("drain", resolve));
  }
  gzip.end();
}
