import type { Reading, ReadResult, ReadSource, TraceReader } from "./reader.js";
import { Requests } from "./requests.js";
import { WholeLines } from "./whole-lines.js";

/** Lines of a head that detection looks at. */
const HEAD_LINES = 2000;
const LF = 10;
/** What `usual` returns for a line that it leaves. */
export const NOT_USUAL = -1;

/** Makes requests of lines. */
export interface LineParser {
  /** One line, without its end, as Latin-1: each character is a byte. */
  line(text: string): void;
  /**
   * The line that begins at a byte, if it is one of the usual ones: then the requests are those that `line` would make, and
   * the place behind its line feed is returned; else nothing is done and a negative number is returned.
   */
  usual?(bytes: Uint8Array, at: number): number;
  /** Behind the last line. */
  end?(): void;
}

/** A format of lines that have a meaning of their own. */
export interface LineFormat extends Pick<TraceReader, "name" | "title" | "source" | "several"> {
  /** What a line that tells the format looks like; one among the first is enough. */
  readonly sign: RegExp;
  parse(requests: Requests): LineParser;
}

class LineReading implements Reading {
  private readonly format: LineFormat;
  private readonly requests: Requests;
  private readonly parser: LineParser;
  private readonly lines: WholeLines;

  constructor(format: LineFormat, source: ReadSource) {
    this.format = format;
    this.requests = new Requests(source);
    this.parser = format.parse(this.requests);
    this.lines = new WholeLines(source.file, (bytes, start, end) => this.parse(bytes, start, end));
  }

  push(bytes: Uint8Array): void {
    this.lines.push(bytes);
  }

  finish(): ReadResult {
    this.lines.finish();
    this.parser.end?.();
    return this.requests.result(this.format.name);
  }

  private parse(bytes: Uint8Array, start: number, end: number): void {
    const { parser, requests } = this;
    // Made where a line needs it.
    let text = "";
    for (let at = start; at < end; ) {
      requests.position++;
      const after = parser.usual === undefined ? NOT_USUAL : parser.usual(bytes, at);
      if (after >= 0) {
        at = after;
        continue;
      }
      if (text === "") text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
      const next = text.indexOf("\n", at - start);
      const last = text[next - 1] === "\r" ? next - 1 : next;
      parser.line(text.slice(at - start, Math.max(at - start, last)));
      at = start + next + 1;
    }
  }
}

/** The lines at the start of a file, without their ends; the last one may be cut. */
export function headLines(head: Uint8Array): string[] {
  const text = Buffer.from(head.buffer, head.byteOffset, head.length).toString("latin1");
  return text.split("\n", HEAD_LINES).map((line) => (line.endsWith("\r") ? line.slice(0, -1) : line));
}

/** A reader of a format of lines. */
export function lineReader(format: LineFormat): TraceReader {
  const { name, title, source, several = false, sign } = format;
  return {
    name,
    title,
    source,
    several,
    recognises: (head) => head.includes(LF) && headLines(head).some((line) => sign.test(line)),
    read: (from) => new LineReading(format, from),
  };
}

/** Text that a Latin-1 line holds as UTF-8. */
export function utf8(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}
