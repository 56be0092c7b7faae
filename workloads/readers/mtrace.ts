import { ByteNames } from "./byte-names.js";
import { FieldScanner } from "./field-scanner.js";
import { type LineParser, lineReader, NOT_USUAL, utf8 } from "./line-format.js";
import { address, hexadecimal } from "./numbers.js";
import type { Requests } from "./requests.js";

/** Read from the right, because the place of the caller may hold blanks. */
const LINE = /^(?:@ (.*?) ?)?([-+<>!])\s*(0x[0-9a-f]+|\(nil\))(?:\s+(0x[0-9a-f]+|0))?\s*$/;

const SPACE = 0x20;
const LF = 0x0a;
const CR = 0x0d;
const AT = 0x40;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const X = 0x78;
const A = 0x61;

class MtraceParser implements LineParser {
  private readonly requests: Requests;
  private readonly fields = new FieldScanner();
  private readonly sites = new ByteNames();
  private readonly siteOf = (name: Uint8Array): number => this.site(Buffer.from(name).toString("latin1"));
  /** Old blocks of reallocations whose second line is to come, and their addresses. */
  private readonly begun: { readonly slot: number; readonly address: number }[] = [];

  constructor(requests: Requests) {
    this.requests = requests;
  }

  line(text: string): void {
    const { requests } = this;
    if (text === "" || text.startsWith("=")) return;
    const [, where = "", sign, pointer = "", length] = LINE.exec(text) ?? [];
    const at = address(pointer);
    const size = hexadecimal(length);
    const sized = sign === "+" || sign === ">" || sign === "!";
    if (sign === undefined || Number.isNaN(at) || (sized && Number.isNaN(size)))
      requests.reject(text, '"@ WHERE + 0xADDRESS 0xSIZE", or "-", "<", ">" or "!" in place of "+"');
    else if (sign === "+") requests.allocate(at, size, 0, this.site(where));
    else if (sign === "-") requests.free(at);
    else if (sign === "<") this.begun.push({ slot: requests.detach(at), address: at });
    else if (sign === ">") this.reallocated(at, size, this.site(where));
    else requests.drop("failedCall");
  }

  /** `@ WHERE + 0xADDRESS 0xSIZE` and `@ WHERE - 0xADDRESS`, told from the right. */
  usual(bytes: Uint8Array, start: number): number {
    if (bytes[start] !== AT || bytes[start + 1] !== SPACE) return NOT_USUAL;
    let end = start + 2;
    for (; bytes[end] !== LF; end++) if (bytes[end] === CR) return NOT_USUAL;
    const last = numberBefore(bytes, start, end);
    const first = bytes[last - 2] === PLUS ? NOT_USUAL : numberBefore(bytes, start, last - 1);
    const frees = bytes[last - 2] === MINUS;
    const address = frees ? last : first;
    const sign = address - 2;
    // Between "@ " and a blank stands a place that has no blanks at its ends, or none at all.
    const place = sign - 1 - (start + 2);
    if (last < 0 || address < 0 || bytes[sign + 1] !== SPACE || bytes[sign - 1] !== SPACE || place < 1)
      return NOT_USUAL;
    if (bytes[last - 1] !== SPACE || (!frees && bytes[sign] !== PLUS)) return NOT_USUAL;
    if (bytes[start + 2] === SPACE || bytes[sign - 2] === SPACE) return NOT_USUAL;
    const at = this.hexadecimal(bytes, address);
    const size = frees ? 0 : this.hexadecimal(bytes, last);
    if (at < 0 || size < 0) return NOT_USUAL;
    if (frees) this.requests.free(at);
    else this.requests.allocate(at, size, 0, this.sites.find(bytes, start + 2, sign - 1, this.siteOf));
    return end + 1;
  }

  /** The number that "0x" begins here; negative where it is a long one. */
  private hexadecimal(bytes: Uint8Array, start: number): number {
    this.fields.bytes = bytes;
    this.fields.at = start + 2;
    return this.fields.hexadecimal();
  }

  end(): void {
    for (const { slot, address } of this.begun) this.requests.attach(slot, address);
    if (this.begun.length > 0) this.requests.note("the last reallocation is cut: its block stays as it was");
  }

  private reallocated(at: number, size: number, site: number): void {
    const begun = this.begun.shift();
    if (at === 0) this.requests.drop("failedCall");
    else if (!Number.isSafeInteger(size)) this.requests.reject(`size ${size}`, "a size below 9007199254740992");
    else this.requests.resize(begun?.slot ?? -1, at, size, site);
  }

  private site(where: string): number {
    return where === "" ? 0 : this.requests.site(utf8(where));
  }
}

/** Where the number in small hexadecimal digits behind "0x" begins that ends before `end`; negative where there is none. */
function numberBefore(bytes: Uint8Array, start: number, end: number): number {
  let at = end - 1;
  while (at > start && ((bytes[at] >= ZERO && bytes[at] <= ZERO + 9) || (bytes[at] >= A && bytes[at] < A + 6))) at--;
  return at > start && at < end - 1 && bytes[at] === X && bytes[at - 1] === ZERO ? at - 1 : NOT_USUAL;
}

/**
 * What mtrace(3) of the GNU C library writes. A reallocation is a line `<` and a line `>`; between them the old block is
 * live but has no address, so that another thread may be given it. The caller of an allocation is its site.
 */
export const mtrace = lineReader({
  name: "mtrace",
  title: "mtrace(3) of the GNU C library",
  source: "glibc 2.36, malloc/mtrace-impl.c (tr_mallochook, tr_reallochook)",
  sign: /^(?:= Start$|@ .* ?[-+<>] ?0x[0-9a-f]+(?: |$)|[-+<>] ?0x[0-9a-f]+(?: 0x[0-9a-f]+)?$)/,
  parse: (requests) => new MtraceParser(requests),
});
