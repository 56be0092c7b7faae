import { lineReader } from "./line-format.js";
import { decimal } from "./numbers.js";
import type { Requests } from "./requests.js";

const LINE = /^(malloc|calloc|realloc|free|aligned_alloc|memalign|posix_memalign)\((.*)\)(?: = (\S+))?$/;

/** The number of a block plus 1, so that 0 is NULL; NaN for anything else. */
function block(text: string | undefined): number {
  const number = /^addr<(\d+)>$/.exec(text ?? "")?.[1];
  if (number !== undefined) return Number(number) + 1;
  return /^(?:NULL|0x0|0|nil|\(nil\))$/.test(text ?? "") ? 0 : Number.NaN;
}

function parseLine(requests: Requests, text: string): void {
  if (text.trim() === "" || text.startsWith("#")) return;
  const [, call = "", list = "", result] = LINE.exec(text.trim()) ?? [];
  const args = list.split(",").map((arg) => arg.trim());
  const takesBlock = call === "realloc" || call === "free";
  const at = call === "free" ? 0 : block(result);
  const old = takesBlock ? block(args[0]) : 0;
  const numbers = (takesBlock ? args.slice(1) : args).map(decimal);
  const wanted = call === "free" ? 0 : /^(?:malloc|realloc)$/.test(call) ? 1 : 2;
  const sum = numbers.reduce((a, b) => a + b, at + old);
  if (call === "" || numbers.length !== wanted || Number.isNaN(sum)) {
    requests.reject(text, '"malloc(8) = addr<1>", "realloc(addr<1>, 16) = addr<2>" or "free(addr<2>)"');
    return;
  }
  const [first = 0, second = 0] = numbers;
  if (call === "malloc") requests.allocate(at, first);
  else if (call === "calloc") requests.allocate(at, first * second);
  else if (call === "realloc") requests.reallocate(old, at, first);
  else if (call === "free") requests.free(old);
  else requests.allocate(at, second, first);
}

/** CHERI's compact memory traces, whose blocks have numbers in place of addresses. */
export const cheri = lineReader({
  name: "cheri",
  title: "CHERI compact memory trace",
  source: "CHERI allocation traces (capablevms), compact text form",
  sign: /^(?:\w+\(.*\) = addr<\d+>|free\(addr<\d+>\))$/,
  parse: (requests) => ({ line: (text) => parseLine(requests, text) }),
});
