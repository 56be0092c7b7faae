import { InputError } from "../../memory/errors.js";

const LF = 10;
const NEWLINE = Uint8Array.of(LF);
/** No sane line is longer; binary data have no lines at all. */
const MAX_LINE = 65536;

/** Cuts a stream of bytes so that a parser sees whole lines only: each run it gets ends with a line feed. */
export class WholeLines {
  private readonly file: string;
  private readonly parse: (bytes: Uint8Array, start: number, end: number) => void;
  private rest: Uint8Array = new Uint8Array(0);

  constructor(file: string, parse: (bytes: Uint8Array, start: number, end: number) => void) {
    this.file = file;
    this.parse = parse;
  }

  push(bytes: Uint8Array): void {
    const first = this.rest.length > 0 ? bytes.indexOf(LF) + 1 : 0;
    const last = bytes.lastIndexOf(LF) + 1;
    if (last === 0) this.keep(Buffer.concat([this.rest, bytes]));
    else {
      if (first > 0) this.parse(Buffer.concat([this.rest, bytes.subarray(0, first)]), 0, this.rest.length + first);
      if (last > first) this.parse(bytes, first, last);
      this.keep(Buffer.from(bytes.subarray(last)));
    }
  }

  /** The last line may lack its line feed. */
  finish(): void {
    if (this.rest.length > 0) this.parse(Buffer.concat([this.rest, NEWLINE]), 0, this.rest.length + 1);
  }

  private keep(rest: Uint8Array): void {
    this.rest = rest;
    if (rest.length <= MAX_LINE) return;
    throw new InputError(
      `${this.file}: a line of over ${MAX_LINE} bytes: expected a text trace; is it in another format?`,
    );
  }
}
