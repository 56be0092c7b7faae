import { type LineParser, lineReader } from "./line-format.js";
import { address } from "./numbers.js";
import type { Requests } from "./requests.js";

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};

const pointer = (value: unknown): number => (typeof value === "string" ? address(value) : Number.NaN);

const size = (value: unknown): number => (typeof value === "number" ? value : Number.NaN);

class UmpireParser implements LineParser {
  private readonly requests: Requests;
  /** The first half of a reallocation: what is asked of which block. */
  private pending: { readonly old: number; readonly size: number } | undefined;

  constructor(requests: Requests) {
    this.requests = requests;
  }

  line(text: string): void {
    if (text.trim() === "" || text.startsWith("#")) return;
    let event: Fields;
    try {
      event = fieldsOf(JSON.parse(text));
    } catch {
      this.requests.reject(text, "one JSON object, whole on its line");
      return;
    }
    if (event["kind"] === "replay") this.event2019(event, text);
    else if (typeof event["category"] === "string") this.event2022(event, text);
    else this.requests.ignored.add("otherLine", this.requests.position);
  }

  end(): void {
    if (this.pending !== undefined) this.requests.note("the last reallocation is cut: its block stays as it was");
  }

  /** An allocation comes twice, as intent and with its result. */
  private event2019(event: Fields, text: string): void {
    const name = event["event"];
    if (name !== "allocate" && name !== "deallocate") {
      this.requests.ignored.add("otherEvent", this.requests.position);
      return;
    }
    const uid = event["uid"];
    const payload = fieldsOf(event["payload"]);
    const result = fieldsOf(event["result"]);
    if (name === "allocate" && result["memory_ptr"] === undefined) return;
    if (typeof uid === "number" && !this.requests.accepts(uid)) return;
    if (name === "allocate") this.allocate(pointer(result["memory_ptr"]), size(payload["size"]), text);
    else this.free(pointer(payload["memory_ptr"]), text);
  }

  private event2022(event: Fields, text: string): void {
    const name = event["category"] === "operation" ? event["name"] : undefined;
    const numbers = fieldsOf(event["numeric_args"]);
    const strings = fieldsOf(event["string_args"]);
    if (name === "reallocate") this.reallocate(numbers, strings, text);
    else if (name !== "allocate" && name !== "deallocate")
      this.requests.ignored.add("otherEvent", this.requests.position);
    // Between the halves of a reallocation these are its own.
    else if (this.pending !== undefined) this.requests.ignored.add("partOfReallocate", this.requests.position);
    else if (name === "allocate") this.allocate(pointer(strings["pointer"]), size(numbers["size"]), text);
    else this.free(pointer(strings["pointer"]), text);
  }

  private reallocate(numbers: Fields, strings: Fields, text: string): void {
    const { pending, requests } = this;
    if (strings["new_ptr"] === undefined) {
      const half = { old: pointer(strings["current_ptr"]), size: size(numbers["size"]) };
      if (Number.isNaN(half.old + half.size)) requests.reject(text, "numeric_args.size and string_args.current_ptr");
      else this.pending = half;
      return;
    }
    const at = pointer(strings["new_ptr"]);
    this.pending = undefined;
    if (pending === undefined || Number.isNaN(at))
      requests.reject(text, "a reallocate with size and current_ptr before it");
    else requests.reallocate(pending.old, at, pending.size);
  }

  private allocate(at: number, bytes: number, text: string): void {
    if (Number.isNaN(at + bytes)) this.requests.reject(text, "a size and a pointer");
    else this.requests.allocate(at, bytes);
  }

  private free(at: number, text: string): void {
    if (Number.isNaN(at)) this.requests.reject(text, "a pointer");
    else this.requests.free(at);
  }
}

/**
 * Replay logs of Umpire, one JSON object on each line, of 2019 (`kind: replay`) and of 2022 (`category: operation`). Memory
 * that is moved or registered from outside is not followed.
 */
export const umpire = lineReader({
  name: "umpire",
  several: true,
  title: "Umpire replay, of 2019 or 2022",
  source: "LLNL Umpire, tools/replay",
  sign: /^\{\s*"(?:kind"\s*:\s*"replay"|category"\s*:\s*"(?:operation|metadata)")/,
  parse: (requests) => new UmpireParser(requests),
});
