import { type LineParser, lineReader } from "./line-format.js";
import { address, decimal } from "./numbers.js";
import type { Requests } from "./requests.js";

const PREFIX = /^--(?:[\d:.]+ )?(\d+)-- (.*)$/;
/** The last call on a line: the one that a nested call ends with. */
const CALL = /(\w+)\(([^()]*)\)( = .*)?$/;
const RESULT = /^ = (.*)$/;

const allocating = /^(?:malloc|calloc|memalign|aligned_alloc|valloc|pvalloc|__builtin(?:_vec)?_new|_Zn[wa]\w+)$/;
const freeing = /^(?:free|cfree|__builtin(?:_vec)?_delete|_Zd[la]\w+)$/;

/** What a call asks for. */
interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

class ValgrindParser implements LineParser {
  private readonly requests: Requests;
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
    else this.call(process, body);
  }

  end(): void {
    for (const calls of this.waiting.values()) {
      for (const { name } of calls) if (name !== "realloc") this.requests.note(`the result of a ${name} is missing`);
    }
  }

  private call(process: number, body: string): void {
    const { requests } = this;
    const match = CALL.exec(body);
    const name = match?.[1] ?? "";
    const known = allocating.test(name) || freeing.test(name) || name === "realloc";
    if (match === null || !known) {
      if (/^(?:malloc|calloc|realloc|free|memalign)\(/.test(body))
        requests.reject(body, 'a call such as "malloc(24) = 0x4A41040"');
      else requests.ignored.add("otherLine", requests.position);
      return;
    }
    if (!requests.accepts(process)) return;
    const call = { name, args: (match[2] ?? "").split(",").map((arg) => arg.trim()) };
    // realloc(p,0) goes on as free(p), and says " = 0" on the next line.
    if (freeing.test(name)) this.free(call, body);
    else if (match[3] === undefined) this.wait(process, call);
    else this.returned(call, match[3].slice(3), body);
  }

  private wait(process: number, call: Call): void {
    const calls = this.waiting.get(process) ?? [];
    calls.push(call);
    this.waiting.set(process, calls);
  }

  private lateResult(process: number, result: string): void {
    const call = this.waiting.get(process)?.pop();
    if (call !== undefined) this.returned(call, result, `${call.name}(${call.args.join(",")}) = ${result}`);
  }

  private free(call: Call, body: string): void {
    const at = address(call.args[0] ?? "");
    if (Number.isNaN(at)) this.requests.reject(body, 'an address such as "free(0x4A41040)"');
    else this.requests.free(at);
  }

  private returned(call: Call, result: string, body: string): void {
    const at = address(result);
    const { name, args } = call;
    if (name === "realloc") {
      const old = address(args[0] ?? "");
      const size = decimal(args[1]);
      if (Number.isNaN(at + old + size)) this.requests.reject(body, '"realloc(0xADDRESS,SIZE) = 0xADDRESS"');
      else this.requests.reallocate(old, at, size);
      return;
    }
    const { size, alignment } = demand(name, args);
    if (Number.isNaN(at + size + alignment))
      this.requests.reject(body, `"${name}(SIZE) = 0xADDRESS" with whole numbers`);
    else this.requests.allocate(at, size, alignment);
  }
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
  title: "valgrind --trace-malloc=yes",
  source: "valgrind 3.19, coregrind/m_replacemalloc/vg_replace_malloc.c (MALLOC_TRACE)",
  sign: /^--(?:[\d:.]+ )?\d+-- (?:\w+\([^()]*\))?(?:malloc|calloc|realloc|free|memalign|_Zn[wa]\w+)\([^()]*\)/,
  parse: (requests) => new ValgrindParser(requests),
});
