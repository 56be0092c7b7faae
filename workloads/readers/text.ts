import { InputError } from "../../memory/errors.js";
import { IdTable } from "../id-table.js";
import { Op } from "../trace.js";
import { isAlignment, isLabel, TraceBuilder } from "../trace-builder.js";
import { FindingCounter, StaleFindings } from "./findings.js";
import { LineScanner, NO_NUMBER } from "./line-scanner.js";
import type { Reading, ReadReport, ReadResult, ReadSource, TraceReader } from "./reader.js";
import { WholeLines } from "./whole-lines.js";

const code = (letter: string): number => letter.charCodeAt(0);
const A = code("a");
const D = code("d");
const F = code("f");
const N = code("n");
const P = code("p");
const R = code("r");
const S = code("s");
const T = code("t");
const U = code("u");
const W = code("w");
const X = code("x");
const HASH = code("#");
const AT = code("@");
const CR = code("\r");
const LF = code("\n");
const MAX_THREAD = 0xffffffff;
const MAX_HEADER_LINES = 4;
/** "f 0" and its line feed. */
const SHORTEST_LINE = 4;

/** Reads the text form into a trace. */
class TextReading implements Reading {
  private readonly source: ReadSource;
  private readonly keepsStale: boolean;
  private readonly lines: WholeLines;
  private readonly scanner = new LineScanner();
  private readonly builder: TraceBuilder;
  /** From the ids of the file to slots; where stale uses are kept, also to those of freed blocks. */
  private readonly ids = new IdTable();
  /** From the numbers that the file gives to sites to those of the builder. */
  private readonly sites = new Map<number, number>();
  private readonly dropped: FindingCounter;
  private readonly altered: FindingCounter;
  private readonly ignored: FindingCounter;
  private readonly stale = new StaleFindings();
  private readonly header: number[] = [];
  /** Lines with an operation, as the header of a .rep file counts them. */
  private operations = 0;

  constructor(source: ReadSource) {
    this.source = source;
    this.keepsStale = source.keepStale ?? false;
    this.dropped = new FindingCounter("dropped", source);
    this.altered = new FindingCounter("altered", source);
    this.ignored = new FindingCounter("ignored", source);
    this.builder = new TraceBuilder(source.name, (source.bytes ?? 0) / SHORTEST_LINE, this.keepsStale);
    this.lines = new WholeLines(source.file, (bytes, start, end) => this.parse(bytes, start, end));
  }

  push(bytes: Uint8Array): void {
    this.lines.push(bytes);
  }

  finish(): ReadResult {
    this.lines.finish();
    const trace = this.builder.build();
    const report: ReadReport = {
      format: text.name,
      lines: this.scanner.line,
      unit: "line",
      events: trace.length,
      dropped: this.dropped.findings(),
      altered: this.altered.findings(),
      assumed: {},
      ignored: this.ignored.findings(),
      notes: this.notes(),
    };
    return { trace, report };
  }

  private parse(bytes: Uint8Array, start: number, end: number): void {
    this.scanner.load(bytes, start, end);
    while (this.scanner.nextLine()) this.parseLine(this.scanner.peek());
  }

  private parseLine(letter: number): void {
    if (letter === CR || letter === LF) this.blank();
    else if (letter === HASH) this.scanner.skipLine();
    else if (letter < A) this.headerLine();
    else this.operation(letter);
  }

  private operation(letter: number): void {
    this.scanner.skip();
    this.operations++;
    if (letter === A) this.allocate();
    else if (letter === F) this.free();
    else if (letter === R) this.reallocate();
    else if (letter === X) this.access();
    else if (letter === P) this.pin();
    else if (letter === U) this.unpin();
    else if (letter === W) this.write();
    else this.annotation(letter);
  }

  private allocate(): void {
    const { scanner } = this;
    const id = scanner.number();
    const size = scanner.number();
    const alignment = scanner.atEnd() || scanner.peek() === AT ? 0 : scanner.number();
    const site = this.siteAtEnd();
    if (id < 0 || size < 0 || !scanner.endLine()) this.malformed("a ID SIZE [ALIGNMENT] [@SITE]", size);
    else if (site < 0) this.unknownSite();
    else if (!isAlignment(alignment)) {
      this.reject("malformed", `alignment ${alignment}`, "a power of two up to 524288");
    } else {
      const earlier = this.ids.find(id);
      if (earlier >= 0 && this.builder.isLive(earlier)) this.altered.add("allocateOfLive", scanner.line);
      this.ids.set(id, this.builder.allocate(size, alignment, site));
    }
  }

  private free(): void {
    const id = this.scanner.number();
    const complete = this.scanner.endLine();
    if (id === -1 && complete) this.dropped.add("freeNull", this.scanner.line);
    else if (id < 0 || !complete) this.malformed("f ID");
    else {
      const slot = this.ids.find(id);
      if (!this.keepsStale) this.ids.delete(id);
      if (slot < 0) this.unknown("free", "unknownFree", id);
      else if (this.builder.isLive(slot)) this.builder.free(slot);
      else this.keep(Op.free, slot);
    }
  }

  private reallocate(): void {
    const id = this.scanner.number();
    const size = this.scanner.number();
    const site = this.siteAtEnd();
    const complete = id >= 0 && size >= 0 && this.scanner.endLine();
    const slot = this.ids.find(id);
    if (!complete) this.malformed("r ID SIZE [@SITE]", size);
    else if (site < 0) this.unknownSite();
    else if (slot >= 0 && this.builder.isLive(slot)) this.builder.reallocate(slot, size, site);
    else if (slot >= 0) this.keep(Op.reallocate, slot, size);
    else {
      this.altered.add("reallocateOfUnknown", this.scanner.line);
      this.ids.set(id, this.builder.allocate(size, 0, site));
    }
  }

  /** The site that ends a line: 0 where there is none, negative where it is not named. Other things are left on the line. */
  private siteAtEnd(): number {
    if (this.scanner.peek() !== AT) return 0;
    this.scanner.skip();
    const number = this.scanner.digits();
    return number < 0 ? 0 : (this.sites.get(number) ?? -1);
  }

  private access(): void {
    const id = this.scanner.number();
    const count = this.scanner.atEnd() ? 1 : this.scanner.number();
    const complete = id >= 0 && count >= 0 && this.scanner.endLine();
    const slot = this.ids.find(id);
    if (!complete) this.malformed("x ID [COUNT]", count);
    else if (slot < 0) this.unknown("access", "unknownAccess", id);
    else if (this.builder.isLive(slot)) this.builder.access(slot, count);
    else this.keep(Op.access, slot, count);
  }

  private pin(): void {
    const id = this.scanner.number();
    const complete = id >= 0 && this.scanner.endLine();
    const slot = this.ids.find(id);
    if (!complete) this.malformed("p ID");
    else if (slot < 0) this.unknown("pin", "unknownPin", id);
    else if (this.builder.isLive(slot)) this.builder.pin(slot);
    else this.keep(Op.pin, slot);
  }

  private unpin(): void {
    const id = this.scanner.number();
    const complete = id >= 0 && this.scanner.endLine();
    const slot = this.ids.find(id);
    if (!complete) this.malformed("u ID");
    else if (slot < 0) this.unknown("unpin", "unknownUnpin", id);
    else if (!this.builder.isLive(slot)) this.keep(Op.unpin, slot);
    else if (this.builder.pinsOf(slot) > 0) this.builder.unpin(slot);
    else this.reject("unknownUnpin", `unpin of id ${id}, which is not pinned`, `"p ${id}" on an earlier line`);
  }

  /** The program uses a freed block. */
  private keep(op: Op, slot: number, size = 0): void {
    this.stale.add(this.scanner.line);
    this.builder.stale(op, slot, size);
  }

  private write(): void {
    const id = this.scanner.number();
    const size = this.scanner.atEnd() ? 0 : this.scanner.number();
    if (id < 0 || size < 0 || !this.scanner.endLine()) this.malformed("w ID SIZE", size);
    else this.ignored.add("write", this.scanner.line);
  }

  /** Lines that are no operation of a program: threads, marks and names of sites. */
  private annotation(letter: number): void {
    this.operations--;
    if (letter === T) this.thread();
    else if (letter === S || letter === D) this.phase();
    else if (letter === N) this.site();
    else this.unknownLine();
  }

  private thread(): void {
    const id = this.scanner.number();
    if (id < 0 || id > MAX_THREAD || !this.scanner.endLine()) this.malformed("t THREAD");
    else this.builder.thread(id);
  }

  private phase(): void {
    const rest = this.scanner.restOfLine();
    const label = rest.trim();
    if (rest.length === rest.trimStart().length || !isLabel(label)) this.malformed("s LABEL");
    else this.builder.phase(label);
  }

  private site(): void {
    const number = this.scanner.number();
    const rest = this.scanner.restOfLine();
    const name = rest.trim();
    if (number < 0 || rest.length === rest.trimStart().length || !isLabel(name)) this.malformed("n SITE LABEL");
    else this.sites.set(number, this.builder.site(name));
  }

  private blank(): void {
    if (!this.scanner.endLine())
      this.reject("malformed", this.scanner.excerpt(), "a line feed behind the carriage return");
  }

  private headerLine(): void {
    const value = this.scanner.digits();
    if (value < 0 || !this.scanner.endLine()) this.unknownLine();
    else if (this.operations > 0 || this.header.length === MAX_HEADER_LINES) {
      this.reject("malformed", this.scanner.excerpt(), "a line with a single number only among the first four lines");
    } else this.header.push(value);
  }

  private unknown(request: string, kind: string, id: number): void {
    this.reject(
      kind,
      `${request} of id ${id}, which is not live`,
      "the id of a block that is allocated and not yet freed",
    );
  }

  private unknownSite(): void {
    this.reject("unknownSite", `${this.scanner.excerpt()}: site without a name`, `"n SITE LABEL" on an earlier line`);
  }

  private unknownLine(): void {
    this.reject("malformed", this.scanner.excerpt(), "an operation (a, r, f, x, p, u, t, s, d, w, n) or a comment (#)");
  }

  private malformed(form: string, size = 0): void {
    const negative = size < 0 && size !== NO_NUMBER;
    const got = negative ? `negative size ${size}` : this.scanner.excerpt();
    const expected = form.endsWith("LABEL") ? "one line of text" : "whole numbers from 0 to 9007199254740991";
    this.reject(negative ? "negativeSize" : "malformed", got, `"${form}" with ${expected}`);
  }

  /** The line cannot be right: an error, or with `lenient` one more dropped line. */
  private reject(kind: string, got: string, expected: string): void {
    const { file, lenient } = this.source;
    if (!lenient) {
      const mend = "mend the line, or read with --lenient to drop such lines";
      throw new InputError(`${file}:${this.scanner.line}: ${got}: expected ${expected}; ${mend}`);
    }
    this.dropped.add(kind, this.scanner.line);
    this.scanner.rewind();
    this.scanner.skipLine();
  }

  /** The header of a .rep file counts the operations: of two lines in the second, of four in the third. */
  private notes(): string[] {
    const stale = this.stale.notes("line");
    const claimed = this.header.length === 2 ? this.header[1] : this.header.length === 4 ? this.header[2] : undefined;
    if (claimed === undefined || claimed === this.operations) return stale;
    return [
      ...stale,
      `the header announces ${claimed} operations, the file has ${this.operations}: ${this.operations < claimed ? "it may be cut short" : "the header is out of date"}`,
    ];
  }
}

function recognises(head: Uint8Array): boolean {
  const lines = Buffer.from(head).toString("latin1").split("\n", 64);
  const first = lines.map((line) => line.trim()).find((line) => line !== "" && !line.startsWith("#"));
  if (first === undefined) return lines.some((line) => line.trim() !== "");
  return /^(?:\xef\xbb\xbf)?(?:\d+$|[arfxpuwtsdn]\s)/.test(first);
}

/**
 * fraglab's own text form, the malloc-lab `.rep` files with any of their headers, and CS107 `.script` files: one
 * grammar. Lines `a ID SIZE [ALIGNMENT]`, `r ID SIZE`, `f ID`; `t THREAD`; `x ID [COUNT]` for accesses, `p ID` and `u ID` for pin and
 * unpin; `s LABEL` and `d LABEL` for marks; `w ID SIZE` writes into a block and is ignored; `#` begins a comment. `n SITE LABEL` gives a
 * number to an allocation site, and `@SITE` at the end of a later `a` or `r` line names it. Leading lines with a single number are a `.rep` header. An id may be any number; `a` on a live id leaves the old block live for ever.
 */
export const text: TraceReader = {
  name: "text",
  title: "fraglab text, malloc-lab .rep, CS107 .script",
  source: "CS:APP malloc lab, mdriver.c (read_trace); CS107 heap allocator assignment",
  recognises,
  read: (source) => new TextReading(source),
};
