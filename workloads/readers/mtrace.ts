import { type LineParser, lineReader, utf8 } from "./line-format.js";
import { address, hexadecimal } from "./numbers.js";
import type { Requests } from "./requests.js";

/** Read from the right, because the place of the caller may hold blanks. */
const LINE = /^(?:@ (.*?) ?)?([-+<>!])\s*(0x[0-9a-f]+|\(nil\))(?:\s+(0x[0-9a-f]+|0))?\s*$/;

class MtraceParser implements LineParser {
  private readonly requests: Requests;
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
