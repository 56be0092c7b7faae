import { type LineParser, lineReader } from "./line-format.js";
import { address, decimal } from "./numbers.js";
import type { Requests } from "./requests.js";

const HEAD = /^(?:\[pid\s+(\d+)\]\s+|(\d+)\s+)?(?:[\d:.]+\s+)?(.*)$/;
const WHOLE = /^(?:\S*->)?([\w:~ ]+?|operator (?:new|delete)(?:\[\])?\([^)]*\))\((.*)\)\s*= (.*)$/;
const BEGUN =
  /^(?:\S*->)?([\w:~ ]+?|operator (?:new|delete)(?:\[\])?\([^)]*\))\((.*?),?\s*<(?:unfinished|no return) \.\.\.>$/;
const RESUMED = /^<\.\.\. (.+?) resumed>\s*(?:[^=]*\))?\s*= (.*)$/;
const PAGE = 4096;

type Kind = "malloc" | "calloc" | "realloc" | "reallocarray" | "aligned" | "page" | "string" | "free" | "unseen";

const kinds: Readonly<Record<string, Kind>> = {
  malloc: "malloc",
  calloc: "calloc",
  realloc: "realloc",
  reallocarray: "reallocarray",
  memalign: "aligned",
  aligned_alloc: "aligned",
  valloc: "page",
  pvalloc: "page",
  strdup: "string",
  strndup: "string",
  free: "free",
  cfree: "free",
  posix_memalign: "unseen",
};

function kindOf(name: string): Kind | undefined {
  if (/^(?:_Zn[wa]|operator new)/.test(name)) return "malloc";
  if (/^(?:_Zd[la]|operator delete)/.test(name)) return "free";
  return Object.hasOwn(kinds, name) ? kinds[name] : undefined;
}

/** A call that has not returned; a reallocation has taken its block from the table. */
interface Call {
  readonly kind: Kind;
  readonly args: string;
  readonly slot: number;
}

class LtraceParser implements LineParser {
  private readonly requests: Requests;
  private readonly open = new Map<number, Call>();

  constructor(requests: Requests) {
    this.requests = requests;
  }

  line(text: string): void {
    const head = HEAD.exec(text);
    const body = head?.[3] ?? "";
    const thread = Number(head?.[1] ?? head?.[2] ?? 0);
    const whole = WHOLE.exec(body);
    const begun = whole ? null : BEGUN.exec(body);
    const resumed = whole || begun ? null : RESUMED.exec(body);
    const call = whole ?? begun;
    const kind = kindOf((call ?? resumed)?.[1] ?? "");
    if (kind === undefined) this.other(text, body);
    else {
      this.requests.thread(thread);
      if (whole) this.whole(kind, whole[2] ?? "", whole[3] ?? "", text);
      else if (begun) this.begin(thread, kind, begun[2] ?? "", text);
      else this.resume(thread, kind, resumed?.[2] ?? "", text);
    }
  }

  end(): void {
    for (const { kind, args, slot } of this.open.values()) {
      if (kind === "realloc") this.requests.attach(slot, address(args.split(",")[0]?.trim() ?? ""));
      this.requests.note(`a call of ${kind} does not return`);
    }
  }

  private other(text: string, body: string): void {
    if (text.trim() === "") return;
    if (/^(?:\S*->)?(?:malloc|calloc|realloc|free)\(/.test(body))
      this.requests.reject(text, 'a call such as "prog->malloc(24) = 0x4052a0"');
    else this.requests.ignored.add("otherLine", this.requests.position);
  }

  private whole(kind: Kind, args: string, result: string, text: string): void {
    if (kind === "free") this.free(args, text);
    else this.returned({ kind, args, slot: -2 }, result, text);
  }

  /** A free acts when it is issued, because its address may be given away before it returns. */
  private begin(thread: number, kind: Kind, args: string, text: string): void {
    if (kind === "free") this.free(args, text);
    const old = kind === "realloc" || kind === "reallocarray" ? address(args.split(",")[0]?.trim() ?? "") : 0;
    this.open.set(thread, { kind, args, slot: old > 0 ? this.requests.detach(old) : -2 });
  }

  private resume(thread: number, kind: Kind, result: string, text: string): void {
    const call = this.open.get(thread);
    this.open.delete(thread);
    if (call === undefined || call.kind !== kind)
      this.requests.reject(text, `an unfinished call of ${kind} on an earlier line of thread ${thread}`);
    else if (kind !== "free") this.returned(call, result, text);
  }

  private free(args: string, text: string): void {
    const at = address(args.split(",")[0]?.trim() ?? "");
    if (Number.isNaN(at)) this.requests.reject(text, '"free(0xADDRESS)"');
    else this.requests.free(at);
  }

  private returned(call: Call, result: string, text: string): void {
    const { requests } = this;
    const { kind, args } = call;
    const at = address(result.trim());
    const words = args.split(",").map((word) => word.trim());
    const [first, second] = [decimal(words[0]), decimal(words[1])];
    if (kind === "unseen") requests.ignored.add("resultNotPrinted", requests.position);
    else if (kind === "realloc" || kind === "reallocarray") {
      const size = kind === "realloc" ? second : second * decimal(words[2]);
      this.reallocated(call, address(words[0] ?? ""), at, size, text);
    } else if (kind === "string") this.allocate(at, this.stringSize(args), 0, text);
    else if (kind === "aligned") this.allocate(at, second, first, text);
    else if (kind === "calloc") this.allocate(at, first * second, 0, text);
    else this.allocate(at, first, kind === "page" ? PAGE : 0, text);
  }

  private allocate(at: number, size: number, alignment: number, text: string): void {
    if (Number.isNaN(at + size + alignment))
      this.requests.reject(text, "whole numbers as arguments and an address as result");
    else this.requests.allocate(at, size, alignment);
  }

  private reallocated(call: Call, old: number, at: number, size: number, text: string): void {
    const { requests } = this;
    if (Number.isNaN(old + at + size)) {
      if (call.slot >= 0) requests.attach(call.slot, old);
      requests.reject(text, '"realloc(0xADDRESS, SIZE) = 0xADDRESS"');
    } else if (call.slot < 0) requests.reallocate(old, at, size);
    else if (at !== 0 && Number.isSafeInteger(size)) requests.resize(call.slot, at, size);
    else if (size === 0) requests.release(call.slot, old);
    else {
      requests.attach(call.slot, old);
      requests.drop("failedCall");
    }
  }

  /** What a copied string needs. ltrace prints its first characters only, and three dots behind them where there are more. */
  private stringSize(args: string): number {
    const match = /^"((?:[^"\\]|\\.)*)"(\.\.\.)?(?:, (\d+))?/.exec(args);
    if (match === null) return Number.NaN;
    const shown = (match[1] ?? "").replaceAll(/\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)/g, "?").length;
    const limit = match[3] === undefined ? Number.POSITIVE_INFINITY : Number(match[3]);
    if (match[2] !== undefined && limit > shown)
      this.requests.assumed.add("shownLengthOfString", this.requests.position);
    return Math.min(shown, limit) + 1;
  }
}

/**
 * The log of `ltrace -e malloc+calloc+realloc+free+...`, with `-f` or without. A free acts when it is issued, other calls when
 * they return. posix_memalign does not print its result, so that its blocks are unknown.
 */
export const ltrace = lineReader({
  name: "ltrace",
  title: "ltrace -e malloc+calloc+realloc+free",
  source: "ltrace 0.7.3, output.c (output_left, output_right)",
  sign: /^(?:\[pid\s+\d+\]\s+|\d+\s+)?(?:[\d:.]+\s+)?\S*->(?:malloc|calloc|realloc|free|strdup|memalign|posix_memalign|aligned_alloc|_Zn\w+|operator new.*)\(.*(?:= |<unfinished \.\.\.>)/,
  parse: (requests) => new LtraceParser(requests),
});
