import { FieldScanner } from "./field-scanner.js";
import { type LineParser, lineReader, NOT_USUAL } from "./line-format.js";
import { address, decimal } from "./numbers.js";
import type { Requests } from "./requests.js";

const PREFIX = /^--(?:[\d:.]+ )?(\d+)-- (.*)$/;
/** A call, with its result where that follows at once. */
const CALL = /(\w+)\(([^()]*)\)(?: = (0[xX][0-9a-fA-F]+|0)$)?/g;
const RESULT = /^ = (.*)$/;

const allocating = /^(?:malloc|calloc|memalign|aligned_alloc|valloc|pvalloc|__builtin(?:_vec)?_new|_Zn[wa]\w+)$/;
const freeing = /^(?:free|cfree|__builtin(?:_vec)?_delete|_Zd[la]\w+)$/;
const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");
const DASHES = bytesOf("--");
const BODY = bytesOf("-- ");
const RETURNS = bytesOf(") = 0x");
const REALLOC = bytesOf("realloc(0x");
const CALLOC = bytesOf("calloc(");
const usuallyAllocating = ["malloc(", "_Znwm(", "_Znam("].map(bytesOf);
const usuallyFreeing = ["free(0x", "_ZdlPv(0x", "_ZdlPvm(0x", "_ZdaPv(0x"].map(bytesOf);
const COMMA = 0x2c;
const CLOSE = 0x29;

/** A block that is not being reallocated. */
const NO_SLOT = -2;

/** What a call asks for. A reallocation that waits for its result has taken its block from the table. */
interface Call {
  readonly name: string;
  readonly args: readonly string[];
  readonly slot: number;
}

const textOf = ({ name, args }: Call): string => `${name}(${args.join(",")})`;

class ValgrindParser implements LineParser {
  private readonly requests: Requests;
  private readonly fields = new FieldScanner();
  /** By process: calls whose result stands on a later line, the innermost last. */
  private readonly waiting = new Map<number, Call[]>();

  constructor(requests: Requests) {
    this.requests = requests;
  }

  line(text: string): void {
    const prefixed = PREFIX.exec(text);
    if (prefixed === null) {
      if (text !== "") this.requests.ignored.add("otherLine", this.requests.position);
      return;
    }
    const process = Number(prefixed[1]);
    const body = prefixed[2] ?? "";
    const result = RESULT.exec(body);
    if (result) this.lateResult(process, result[1] ?? "");
    else this.calls(process, body);
  }

  /** One call that is whole on its line: malloc, calloc, realloc, free and the operators without alignment. */
  usual(bytes: Uint8Array, start: number): number {
    const { fields } = this;
    fields.bytes = bytes;
    fields.at = start;
    if (!fields.skipAll(DASHES)) return NOT_USUAL;
    const process = fields.decimal();
    if (process < 0 || !fields.skipAll(BODY)) return NOT_USUAL;
    if (startsOne(fields, usuallyAllocating)) return this.usualAllocation(process, fields.decimal());
    if (startsOne(fields, usuallyFreeing)) return this.usualFree(process, fields.hexadecimal());
    if (fields.skipAll(REALLOC)) return this.usualReallocation(process, fields.hexadecimal());
    if (!fields.skipAll(CALLOC)) return NOT_USUAL;
    const count = fields.decimal();
    const size = fields.skip(COMMA) ? fields.decimal() : NOT_USUAL;
    return count < 0 || size < 0 ? NOT_USUAL : this.usualAllocation(process, count * size);
  }

  private usualAllocation(process: number, size: number): number {
    const { fields, requests } = this;
    const at = fields.skipAll(RETURNS) ? fields.hexadecimal() : NOT_USUAL;
    if (size < 0 || at < 0 || !fields.endLine()) return NOT_USUAL;
    if (requests.accepts(process)) requests.allocate(at, size);
    return fields.at;
  }

  private usualFree(process: number, at: number): number {
    const { fields, requests } = this;
    if (at < 0 || !fields.skip(CLOSE) || !fields.endLine()) return NOT_USUAL;
    if (requests.accepts(process)) requests.free(at);
    return fields.at;
  }

  private usualReallocation(process: number, old: number): number {
    const { fields, requests } = this;
    const size = fields.skip(COMMA) ? fields.decimal() : NOT_USUAL;
    const at = fields.skipAll(RETURNS) ? fields.hexadecimal() : NOT_USUAL;
    if (old < 0 || size <= 0 || at < 0 || !fields.endLine()) return NOT_USUAL;
    if (requests.accepts(process)) requests.reallocate(old, at, size);
    return fields.at;
  }

  end(): void {
    for (const call of [...this.waiting.values()].flat()) {
      if (call.slot !== NO_SLOT) this.requests.attach(call.slot, address(call.args[0] ?? ""));
      this.requests.note(`the result of ${textOf(call)} is missing`);
    }
  }

  /**
   * The calls of a line. All but the last began something that goes on: realloc(NULL,n) goes on as malloc(n), realloc(p,0) as
   * free(p), and any other was interrupted by another thread.
   */
  private calls(process: number, body: string): void {
    const { requests } = this;
    const found = [...body.matchAll(CALL)].filter(
      ([, name = ""]) => allocating.test(name) || freeing.test(name) || name === "realloc",
    );
    const whole = found.length > 0 && (found[0]?.index === 0 || !/^\w+\(/.test(body));
    if (!whole) {
      if (/^(?:malloc|calloc|realloc|free|memalign)\(/.test(body))
        requests.reject(body, 'a call such as "malloc(24) = 0x4A41040"');
      else requests.ignored.add("otherLine", requests.position);
      return;
    }
    if (!requests.accepts(process)) return;
    for (const [index, [, name = "", args = "", result]] of found.entries()) {
      const call: Call = { name, args: args.split(",").map((arg) => arg.trim()), slot: NO_SLOT };
      if (freeing.test(name)) this.free(call, body);
      else if (result !== undefined) this.returned(call, result);
      else if (name !== "realloc" || found[index + 1]?.[1] !== "malloc" || address(call.args[0] ?? "") !== 0)
        this.wait(process, call);
    }
  }

  private wait(process: number, call: Call): void {
    const old = call.name === "realloc" && decimal(call.args[1]) !== 0 ? address(call.args[0] ?? "") : 0;
    const calls = this.waiting.get(process) ?? [];
    calls.push(old > 0 ? { ...call, slot: this.requests.detach(old) } : call);
    this.waiting.set(process, calls);
  }

  private lateResult(process: number, result: string): void {
    const calls = this.waiting.get(process) ?? [];
    if (calls.length > 1) this.requests.assumed.add("innermostResult", this.requests.position);
    const call = calls.pop();
    if (call !== undefined) this.returned(call, result);
  }

  private free(call: Call, body: string): void {
    const at = address(call.args[0] ?? "");
    if (Number.isNaN(at)) this.requests.reject(body, 'an address such as "free(0x4A41040)"');
    else this.requests.free(at);
  }

  private returned(call: Call, result: string): void {
    const at = address(result);
    const { name, args } = call;
    const body = `${textOf(call)} = ${result}`;
    if (name === "realloc") this.reallocated(call, at, body);
    else {
      const { size, alignment } = demand(name, args);
      if (Number.isNaN(at + size + alignment))
        this.requests.reject(body, `"${name}(SIZE) = 0xADDRESS" with whole numbers`);
      else this.requests.allocate(at, size, alignment);
    }
  }

  private reallocated({ args, slot }: Call, at: number, body: string): void {
    const { requests } = this;
    const old = address(args[0] ?? "");
    const size = decimal(args[1]);
    if (!Number.isSafeInteger(at + old) || Number.isNaN(size)) {
      if (slot !== NO_SLOT) requests.attach(slot, old);
      requests.reject(body, '"realloc(0xADDRESS,SIZE) = 0xADDRESS"');
    } else if (slot === NO_SLOT) {
      // realloc(p,0) = 0 on a line of its own: its free stands before it.
      if (size > 0 || at > 0) requests.reallocate(old, at, size);
    } else if (at > 0 && Number.isSafeInteger(size)) requests.resize(slot, at, size);
    else {
      requests.attach(slot, old);
      requests.drop("failedCall");
    }
  }
}

/** Whether one of these beginnings stands here; moves past it. */
function startsOne(fields: FieldScanner, beginnings: readonly Uint8Array[]): boolean {
  for (const beginning of beginnings) if (fields.skipAll(beginning)) return true;
  return false;
}

/** Size and alignment of an allocating call; NaN for what is no number. */
function demand(name: string, args: readonly string[]): { size: number; alignment: number } {
  const labelled = (label: string): string | undefined =>
    args.find((arg) => arg.startsWith(`${label} `))?.slice(label.length + 1);
  const [alignment, size] = [labelled("al"), labelled("size")];
  if (alignment !== undefined || size !== undefined) return { size: decimal(size), alignment: decimal(alignment) };
  if (name === "calloc") return { size: decimal(args[0]) * decimal(args[1]), alignment: 0 };
  return { size: decimal(args[0]), alignment: 0 };
}

/**
 * The log of any program under `valgrind --trace-malloc=yes`: lines `--PID-- malloc(24) = 0x4A41040`. Where a result stands
 * on a line of its own it belongs to the innermost call that waits. Lines of other kinds are ignored.
 */
export const valgrind = lineReader({
  name: "valgrind",
  several: true,
  title: "valgrind --trace-malloc=yes",
  source: "valgrind 3.19, coregrind/m_replacemalloc/vg_replace_malloc.c (MALLOC_TRACE)",
  sign: /^--(?:[\d:.]+ )?\d+-- (?:\w+\([^()]*\))?(?:malloc|calloc|realloc|free|memalign|_Zn[wa]\w+)\([^()]*\)/,
  parse: (requests) => new ValgrindParser(requests),
});
