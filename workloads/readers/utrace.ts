import { lineReader } from "./line-format.js";
import { address, decimal } from "./numbers.js";
import type { Requests } from "./requests.js";

/** From the right: ktrace's own columns stand before the call. */
const LINE = /(?:(0x[0-9a-f]+|0) = )?(malloc|realloc|free)\(([^()]*)\)$/;
const PROCESS = /^(?:\S*utrace:)?\s*(\d+)\s/;

function parseLine(requests: Requests, text: string): void {
  const match = LINE.exec(text.trimEnd());
  if (match === null) {
    if (text.trim() !== "") requests.ignored.add("otherLine", requests.position);
    return;
  }
  const [, result = "", call, list = ""] = match;
  const args = list.split(",").map((arg) => arg.trim());
  const at = call === "free" ? 0 : address(result);
  const old = call === "malloc" ? 0 : address(args[0] ?? "");
  const size = call === "free" ? 0 : decimal(args[call === "malloc" ? 0 : 1]);
  if (Number.isNaN(at + old + size)) {
    requests.reject(text, '"0xADDRESS = malloc(SIZE)", "0xADDRESS = realloc(0xADDRESS, SIZE)" or "free(0xADDRESS)"');
    return;
  }
  const process = PROCESS.exec(text)?.[1];
  if (process !== undefined && !requests.accepts(Number(process))) return;
  if (call === "malloc") requests.allocate(at, size);
  else if (call === "realloc") requests.reallocate(old, at, size);
  else requests.free(old);
}

/** utrace records of FreeBSD's jemalloc (`MALLOC_CONF=utrace:true` under ktrace) as kdump prints them. */
export const utrace = lineReader({
  name: "jemalloc-utrace",
  several: true,
  title: "jemalloc utrace, printed by kdump",
  source: "FreeBSD kdump(1), subr.c (ktruser_malloc); jemalloc opt.utrace",
  sign: /^(?:<jemalloc>:utrace:|\s*\d+\s+\S+\s+USER\s).*(?:malloc|realloc|free|malloc_init)\(/,
  parse: (requests) => ({ line: (text) => parseLine(requests, text) }),
});
