import { FieldScanner } from "./field-scanner.js";
import { type LineParser, lineReader, NOT_USUAL } from "./line-format.js";
import { address, decimal } from "./numbers.js";
import type { Requests } from "./requests.js";

const LINE = /^(\d+): (\w+) (\S+)(?: (\S+))?(?: (\S+))?(?: (\d+))?(?: (\d+))?$/;
/** Numbers and addresses behind the pointer of each call. */
const arity: Readonly<Record<string, number>> = {
  malloc: 1,
  calloc: 2,
  realloc: 2,
  memalign: 2,
  free: 0,
  thread_done: 0,
};

function parseLine(requests: Requests, text: string): void {
  if (text.trim() === "" || text.startsWith("#")) return;
  const match = LINE.exec(text.trimEnd());
  const call = match?.[2] ?? "";
  const count = arity[call];
  const given = (match?.slice(4) ?? []).filter((word) => word !== undefined);
  const at = address(match?.[3] ?? "");
  // Two time stamps may follow.
  const complete = count !== undefined && (given.length === count || given.length === count + 2);
  const first = call === "realloc" ? address(given[0] ?? "") : decimal(given[0]);
  const second = decimal(given[1]);
  const sound = !Number.isNaN(at) && (!count || !Number.isNaN(first)) && (count !== 2 || !Number.isNaN(second));
  if (!complete || !sound) {
    requests.reject(
      text,
      '"TID: malloc PTR SIZE", "calloc PTR N SIZE", "realloc NEW OLD SIZE", "memalign PTR ALIGN SIZE" or "free PTR"',
    );
    return;
  }
  if (call === "thread_done") {
    requests.ignored.add("threadDone", requests.position);
    return;
  }
  requests.thread(Number(match?.[1]));
  if (call === "malloc") requests.allocate(at, first);
  else if (call === "calloc") requests.allocate(at, first * second);
  else if (call === "realloc") requests.reallocate(first, at, second);
  else if (call === "memalign") requests.allocate(at, second, first);
  else requests.free(at);
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");
const MALLOC = bytesOf(": malloc 0x");
const FREE = bytesOf(": free 0x");
const SPACE = 0x20;

class ReplayParser implements LineParser {
  private readonly requests: Requests;
  private readonly fields = new FieldScanner();

  constructor(requests: Requests) {
    this.requests = requests;
  }

  line(text: string): void {
    parseLine(this.requests, text);
  }

  /** `TID: malloc PTR SIZE` and `TID: free PTR`, with or without time stamps. */
  usual(bytes: Uint8Array, start: number): number {
    const { fields, requests } = this;
    fields.bytes = bytes;
    fields.at = start;
    const thread = fields.decimal();
    const frees = fields.skipAll(FREE);
    if (thread < 0 || !(frees || fields.skipAll(MALLOC))) return NOT_USUAL;
    const at = fields.hexadecimal();
    const size = frees ? 0 : fields.skip(SPACE) ? fields.decimal() : NOT_USUAL;
    if (at < 0 || size < 0) return NOT_USUAL;
    if (fields.skip(SPACE) && !(fields.decimal() >= 0 && fields.skip(SPACE) && fields.decimal() >= 0)) return NOT_USUAL;
    if (!fields.endLine()) return NOT_USUAL;
    requests.thread(thread);
    if (frees) requests.free(at);
    else requests.allocate(at, size);
    return fields.at;
  }
}

/** Android's recordings of whole processes, for its memory_replay: `TID: malloc PTR SIZE`, with or without time stamps. */
export const memoryReplay = lineReader({
  name: "memory-replay",
  title: "Android memory_replay",
  source: "AOSP, system/memory/libmemory_trace and system/extras/memory_replay",
  sign: /^\d+: (?:(?:malloc|free|thread_done) 0x|(?:calloc|realloc|memalign) 0x[0-9a-f]+ (?:0x)?[0-9a-f]+ )/,
  parse: (requests) => new ReplayParser(requests),
});
