const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const MINUS = 45;
const ZERO = 48;
const NINE = 57;

/** What `number` returns where there is no number below 2^53: less than every number. */
export const NO_NUMBER = Number.NEGATIVE_INFINITY;

/**
 * Scans lines as bytes, without making strings. What it scans ends with a line feed, so nothing looks for the end of
 * the bytes.
 */
export class LineScanner {
  /** Number of the current line, from 1. */
  line = 0;
  private bytes: Uint8Array = new Uint8Array(0);
  private at = 0;
  private end = 0;
  private lineStart = 0;

  /** Goes on with the next run of whole lines. */
  load(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    if (this.line === 0 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf)
      this.at += 3;
  }

  /** Moves to the next line; false when there is none in the run. */
  nextLine(): boolean {
    if (this.at >= this.end) return false;
    this.line++;
    this.lineStart = this.at;
    return true;
  }

  /** The next byte that is no blank. */
  peek(): number {
    let byte = this.bytes[this.at];
    while (byte === SPACE || byte === TAB) byte = this.bytes[++this.at];
    return byte;
  }

  skip(): void {
    this.at++;
  }

  /** Whether only blanks are left on the line. */
  atEnd(): boolean {
    const byte = this.peek();
    return byte === LF || byte === CR;
  }

  /** Moves past the end of the line; false where something else is left on it. */
  endLine(): boolean {
    let byte = this.peek();
    if (byte === CR) byte = this.bytes[++this.at];
    if (byte !== LF) return false;
    this.at++;
    return true;
  }

  /** Moves past the end of the line, whatever is left on it. */
  skipLine(): void {
    this.at = this.bytes.indexOf(LF, this.at) + 1;
  }

  /** The next number, behind at least one blank. */
  number(): number {
    const first = this.peek();
    const before = this.bytes[this.at - 1];
    if (before !== SPACE && before !== TAB) return NO_NUMBER;
    if (first !== MINUS) return this.digits();
    this.at++;
    const value = this.digits();
    return value === NO_NUMBER ? NO_NUMBER : -value;
  }

  /** The number that begins here, without a sign. */
  digits(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at];
    if (byte < ZERO || byte > NINE) return NO_NUMBER;
    let value = 0;
    while (byte >= ZERO && byte <= NINE) {
      value = 10 * value + (byte - ZERO);
      byte = bytes[++at];
    }
    this.at = at;
    const ends = byte === LF || byte === SPACE || byte === CR || byte === TAB;
    return ends && value <= Number.MAX_SAFE_INTEGER ? value : NO_NUMBER;
  }

  /** The rest of the line as text; moves past its end. */
  restOfLine(): string {
    const start = this.at;
    this.skipLine();
    return Buffer.from(this.bytes.subarray(start, this.at)).toString("utf8");
  }

  /** Goes back to the start of the line. */
  rewind(): void {
    this.at = this.lineStart;
  }

  /** The line, or its beginning, as a quoted string for a message. */
  excerpt(): string {
    const end = Math.min(this.bytes.indexOf(LF, this.lineStart), this.lineStart + 60);
    return JSON.stringify(Buffer.from(this.bytes.subarray(this.lineStart, end)).toString("utf8").trim());
  }
}
