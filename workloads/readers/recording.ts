import type { Reading, ReadResult, ReadSource, TraceReader } from "./reader.js";
import { Requests } from "./requests.js";

/** Layout of workloads/recorder/recorder.c: a header page, then records. */
export const RECORDING_HEADER_BYTES = 4096;
const MAGIC = Buffer.from("\x89FGR\r\n\x1a\n", "latin1");
const VERSION = 1;
const PROGRAM_AT = 56;
const PROGRAM_BYTES = 1024;
const WORD = 4294967296;
/** The size fills 44 bits of its word, the thread the others. */
const HIGH_SIZE_BITS = 12;
const SIZE_STEP = 17592186044416;

const Kind = { unwritten: 0, allocate: 1, release: 2, resizeBegin: 3, resizeEnd: 4, failed: 5, wideSize: 6 } as const;

/** Flags of a header. */
const ENDED = 1;
const NO_ROOM = 2;

/** What the header of a recording says about a process image. */
export interface RecordingHeader {
  readonly pid: number;
  /** Counts the images of one process id, from 1. */
  readonly serial: number;
  /** Records that were claimed. */
  readonly records: number;
  readonly recordBytes: number;
  /** Records of the parent before the fork that began this image; pid and serial are 0 where it began otherwise. */
  readonly forkedAt: number;
  readonly parentPid: number;
  readonly parentSerial: number;
  /** Whether the process came to its end by itself. */
  readonly ended: boolean;
  /** Whether recording stopped early, because there was no room for the file. */
  readonly full: boolean;
  /** Path of the program. */
  readonly program: string;
}

/** The header of a recording; undefined where these bytes are none that this version reads. */
export function recordingHeader(bytes: Uint8Array): RecordingHeader | undefined {
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (data.length < RECORDING_HEADER_BYTES || !data.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const recordBytes = data.readUInt32LE(12);
  if (data.readUInt32LE(8) !== VERSION || (recordBytes !== 16 && recordBytes !== 32)) return undefined;
  const flags = data.readUInt32LE(48);
  const name = data.subarray(PROGRAM_AT, PROGRAM_AT + PROGRAM_BYTES);
  return {
    pid: data.readUInt32LE(16),
    serial: data.readUInt32LE(20),
    records: data.readUInt32LE(28) * WORD + data.readUInt32LE(24),
    recordBytes,
    forkedAt: data.readUInt32LE(36) * WORD + data.readUInt32LE(32),
    parentPid: data.readUInt32LE(40),
    parentSerial: data.readUInt32LE(44),
    ended: (flags & ENDED) !== 0,
    full: (flags & NO_ROOM) !== 0,
    program: name.toString("utf8", 0, name.indexOf(0)),
  };
}

interface Resize {
  readonly slot: number;
  readonly address: number;
}

/** What to make of the records beside the requests. */
export interface RecordOptions {
  /** Whether events carry their threads. */
  readonly threads: boolean;
  /** The name of a call site. */
  readonly siteName: (address: number) => string;
}

/** Makes requests of records. */
export class RecordDecoder {
  private readonly requests: Requests;
  private readonly options: RecordOptions;
  private readonly resizes = new Map<number, Resize>();
  private readonly wide = new Map<number, number>();
  private readonly sites = new Map<number, number>();

  constructor(requests: Requests, options: RecordOptions) {
    this.requests = requests;
    this.options = options;
  }

  /** Whole records; `offset` is the place of the first in its file. */
  decode(data: Buffer, recordBytes: number, offset: number): void {
    const { requests } = this;
    for (let at = 0; at < data.length; at += recordBytes) {
      requests.position = offset + at;
      const kind = data[at + 6] ?? 0;
      const high = data.readUInt32LE(at + 12);
      const thread = high >>> HIGH_SIZE_BITS;
      const address = data.readUInt16LE(at + 4) * WORD + data.readUInt32LE(at);
      const size = (high & 0xfff) * WORD + data.readUInt32LE(at + 8);
      const site = recordBytes === 32 ? data.readUInt32LE(at + 20) * WORD + data.readUInt32LE(at + 16) : 0;
      if (this.options.threads && kind !== Kind.unwritten) requests.thread(thread);
      if (kind === Kind.release) requests.free(address);
      else if (kind === Kind.allocate) this.allocate(thread, address, size, data[at + 7] ?? 0, site);
      else this.other(kind, thread, address, size, site);
    }
  }

  /** Reallocations that never returned leave their blocks as they were. */
  end(): void {
    for (const { slot, address } of this.resizes.values()) this.requests.attach(slot, address);
    this.resizes.clear();
  }

  private allocate(thread: number, address: number, size: number, alignmentLog: number, site: number): void {
    const alignment = alignmentLog <= 4 ? 0 : 1 << Math.min(alignmentLog, 30);
    this.requests.allocate(address, this.whole(thread, size), alignment, this.siteOf(site));
  }

  private other(kind: number, thread: number, address: number, size: number, site: number): void {
    const { requests, resizes } = this;
    if (kind === Kind.unwritten) requests.ignored.add("unwritten", requests.position);
    else if (kind === Kind.failed) requests.drop("failedCall");
    else if (kind === Kind.wideSize) this.wide.set(thread, address);
    else if (kind === Kind.resizeBegin) resizes.set(thread, { slot: requests.detach(address), address });
    else if (kind === Kind.resizeEnd) this.resized(thread, address, this.whole(thread, size), site);
    else requests.reject(`record of kind ${kind}`, "a kind from 0 to 6: record it again");
  }

  private resized(thread: number, address: number, size: number, site: number): void {
    const { requests } = this;
    const begun = this.resizes.get(thread);
    this.resizes.delete(thread);
    if (begun === undefined) requests.reject("end of a reallocation", "its beginning before it, by the same thread");
    else if (address !== 0) requests.resize(begun.slot, address, size, this.siteOf(site));
    else if (size === 0) requests.release(begun.slot, begun.address);
    else {
      requests.attach(begun.slot, begun.address);
      requests.drop("failedCall");
    }
  }

  private whole(thread: number, size: number): number {
    const high = this.wide.get(thread);
    if (high === undefined) return size;
    this.wide.delete(thread);
    return high * SIZE_STEP + size;
  }

  private siteOf(address: number): number {
    if (address === 0) return 0;
    let site = this.sites.get(address);
    if (site === undefined) {
      site = this.requests.site(this.options.siteName(address));
      this.sites.set(address, site);
    }
    return site;
  }
}

/** A recording file as the recorder left it. */
class RecordingReading implements Reading {
  private readonly requests: Requests;
  private readonly decoder: RecordDecoder;
  private rest: Buffer = Buffer.alloc(0);
  private header: RecordingHeader | undefined;
  private done = 0;

  constructor(source: ReadSource) {
    this.requests = new Requests(source, "byte");
    const siteName = (address: number): string => `0x${address.toString(16)}`;
    this.decoder = new RecordDecoder(this.requests, { threads: true, siteName });
  }

  push(bytes: Uint8Array): void {
    const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    let data = this.rest.length > 0 ? Buffer.concat([this.rest, whole]) : whole;
    if (this.header === undefined && data.length >= RECORDING_HEADER_BYTES) {
      this.header = recordingHeader(data);
      if (this.header === undefined) this.requests.reject("the header", "magic number, version 1 and a record length");
      data = data.subarray(RECORDING_HEADER_BYTES);
    }
    this.rest = Buffer.from(this.header === undefined ? data : this.records(data, this.header));
  }

  finish(): ReadResult {
    this.decoder.end();
    const { header } = this;
    if (header === undefined) this.requests.reject("a cut header", `${RECORDING_HEADER_BYTES} bytes`);
    else {
      if (this.done < header.records)
        this.requests.note(`${this.done} of ${header.records} records: the file is cut short`);
      if (header.full) this.requests.note("recording stopped early: there was no room for the file");
      if (header.parentPid !== 0) this.requests.note("the process began by fork: blocks from before are unknown");
    }
    return this.requests.result(recording.name);
  }

  /** What is left over. */
  private records(data: Buffer, { recordBytes, records }: RecordingHeader): Buffer {
    const count = Math.min(Math.floor(data.length / recordBytes), records - this.done);
    const end = count * recordBytes;
    this.decoder.decode(data.subarray(0, end), recordBytes, RECORDING_HEADER_BYTES + this.done * recordBytes);
    this.done += count;
    return this.done === records ? data.subarray(data.length) : data.subarray(end);
  }
}

/** What the recorder writes for one process image, before `fraglab record` makes a trace of it. */
export const recording: TraceReader = {
  name: "recording",
  title: "raw recording of fraglab record",
  source: "workloads/recorder/recorder.c",
  recognises: (head) => recordingHeader(head) !== undefined,
  read: (source) => new RecordingReading(source),
};
