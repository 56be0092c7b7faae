import { lineReader } from "./line-format.js";
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

/** Android's recordings of whole processes, for its memory_replay: `TID: malloc PTR SIZE`, with or without time stamps. */
export const memoryReplay = lineReader({
  name: "memory-replay",
  title: "Android memory_replay",
  source: "AOSP, system/memory/libmemory_trace and system/extras/memory_replay",
  sign: /^\d+: (?:(?:malloc|free|thread_done) 0x|(?:calloc|realloc|memalign) 0x[0-9a-f]+ (?:0x)?[0-9a-f]+ )/,
  parse: (requests) => ({ line: (text) => parseLine(requests, text) }),
});
