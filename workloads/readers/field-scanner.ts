const LF = 10;
const ZERO = 48;
/** More digits than these are left to the careful parser: what fewer say, a double holds exactly. */
const DECIMAL_DIGITS = 15;
const HEX_DIGITS = 13;

/** What the numbers are where there is none. */
const NONE = -1;

/** By byte: the value of a hexadecimal digit, or -1. */
const digitOf = new Int8Array(256).fill(NONE);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  digitOf[digit.charCodeAt(0)] = value;
  digitOf[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Scans the usual lines of a log as bytes, without making strings. A field that is not quite as expected fails, and the
 * line is left to a careful parser. What it scans ends with a line feed, so nothing looks for the end of the bytes.
 */
export class FieldScanner {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  private readonly digits = digitOf;

  /** Moves past this byte; false where another one stands. */
  skip(byte: number): boolean {
    if (this.bytes[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  /** Moves past these bytes; false where others stand. */
  skipAll(wanted: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
    this.at = at + wanted.length;
    return true;
  }

  /** Moves past the end of the line; false where something else is left on it. */
  endLine(): boolean {
    return this.skip(LF);
  }

  /** A whole number in decimal digits; negative where there is none or a long one. */
  decimal(): number {
    const { bytes } = this;
    const start = this.at;
    let at = start;
    let value = 0;
    for (let digit = bytes[at] - ZERO; digit >= 0 && digit <= 9; digit = bytes[++at] - ZERO) value = 10 * value + digit;
    this.at = at;
    return at > start && at - start <= DECIMAL_DIGITS ? value : NONE;
  }

  /** A number in hexadecimal digits; negative where there is none or a long one. */
  hexadecimal(): number {
    const { bytes, digits } = this;
    const start = this.at;
    let at = start;
    let low = 0;
    let high = 0;
    // In two halves, so that the usual address needs no multiplication of doubles.
    for (let digit = digits[bytes[at]]; digit >= 0; digit = digits[bytes[++at]]) {
      high = ((high << 4) | (low >>> 28)) >>> 0;
      low = ((low << 4) | digit) >>> 0;
    }
    this.at = at;
    return at > start && at - start <= HEX_DIGITS ? high * 4294967296 + low : NONE;
  }
}
