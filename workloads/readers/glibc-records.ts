import type { Reading, ReadResult, ReadSource, TraceReader } from "./reader.js";
import { Requests } from "./requests.js";

const RECORD = 32;
const LAST_TYPE = 6;
const PAGE = 4096;
/** User addresses and sizes end here on every 64-bit system in use. */
const MAX_ADDRESS_HIGH = 1 << 25;

const Type = { unused: 0, malloc: 1, calloc: 2, free: 3, realloc: 4, memalign: 5, valloc: 6 } as const;

class RecordReading implements Reading {
  private readonly requests: Requests;
  private rest: Buffer = Buffer.alloc(0);
  private offset = 0;

  constructor(source: ReadSource) {
    this.requests = new Requests(source, "byte");
  }

  push(bytes: Uint8Array): void {
    const data =
      this.rest.length > 0
        ? Buffer.concat([this.rest, bytes])
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const whole = data.length - (data.length % RECORD);
    for (let at = 0; at < whole; at += RECORD) {
      this.requests.position = this.offset + at;
      this.record(data, at);
    }
    this.offset += whole;
    this.rest = Buffer.from(data.subarray(whole));
  }

  finish(): ReadResult {
    if (this.rest.length > 0) {
      this.requests.note(`the last record is cut: ${this.rest.length} of ${RECORD} bytes; the file may be cut short`);
    }
    return this.requests.result(glibcRecords.name);
  }

  private record(data: Buffer, at: number): void {
    const { requests } = this;
    const type = data[at + 4] ?? 0;
    if (type > LAST_TYPE) {
      requests.reject(`record of type ${type}`, "a type from 0 to 6; another branch of glibc has other records");
      return;
    }
    if (type === Type.unused) {
      requests.ignored.add("unusedRecord", requests.position);
      return;
    }
    requests.thread(data.readInt32LE(at));
    const first = word(data, at + 8);
    const second = word(data, at + 16);
    const size = word(data, at + 24);
    if (type === Type.free) requests.free(first);
    else if (type === Type.realloc) requests.reallocate(first, second, size);
    else if (type === Type.valloc) requests.allocate(second, size, PAGE);
    else {
      // The record has no field for an alignment.
      if (type === Type.memalign) requests.assumed.add("usualAlignment", requests.position);
      requests.allocate(second, size);
    }
  }
}

function word(data: Buffer, at: number): number {
  return data.readUInt32LE(at + 4) * 4294967296 + data.readUInt32LE(at);
}

/** There is no magic number: the first records must all be possible, and one of them an allocation. */
function recognises(head: Uint8Array): boolean {
  const data = Buffer.from(head.buffer, head.byteOffset, head.length);
  let allocations = 0;
  for (let at = 0; at + RECORD <= data.length && at < 64 * RECORD; at += RECORD) {
    const type = data[at + 4] ?? 0;
    if (type > LAST_TYPE || data.readInt32LE(at) < 0) return false;
    for (const high of [12, 20, 28]) if (data.readUInt32LE(at + high) > MAX_ADDRESS_HIGH) return false;
    if (type === Type.unused && word(data, at + 8) + word(data, at + 16) + word(data, at + 24) !== 0) return false;
    if (type !== Type.unused && type !== Type.free && word(data, at + 16) > 0) allocations++;
  }
  return allocations > 0;
}

/** Binary records of the tracing branch of glibc: 32 bytes each, little endian; a type of 0 is an unused place. */
export const glibcRecords: TraceReader = {
  name: "glibc-records",
  title: "glibc malloc trace records (mtrace.out)",
  source: "glibc branch dj/malloc, malloc/mtrace.h; glibc-malloc-trace-utils",
  recognises,
  read: (source) => new RecordReading(source),
};
