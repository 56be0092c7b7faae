/** Numbers as foreign traces write them. */

/** Hexadecimal digits of an address that a double holds exactly. */
const EXACT_DIGITS = 13;
/** Digits that say where a block is when there are more: 48 bits. */
const PLACE_DIGITS = 12;

/**
 * An address in hexadecimal digits, with or without 0x. Beyond 2^52 only the low 48 bits count: what stands above them is a
 * pointer tag (Arm's top-byte-ignore and memory tagging) or the sign extension of a canonical address. NaN for anything
 * else than 1 to 16 digits; `nil`, `(nil)` and `NULL` are 0.
 */
export function address(text: string): number {
  if (/^(?:nil|\(nil\)|NULL|\(null\))$/.test(text)) return 0;
  const digits = /^(?:0[xX])?([0-9a-fA-F]{1,16})$/.exec(text)?.[1];
  if (digits === undefined) return Number.NaN;
  return Number.parseInt(digits.length > EXACT_DIGITS ? digits.slice(-PLACE_DIGITS) : digits, 16);
}

/** A whole number in decimal digits; NaN for anything else. It may be beyond what a double holds exactly. */
export function decimal(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

/** A whole number in hexadecimal digits, with or without 0x; NaN for anything else. */
export function hexadecimal(text: string | undefined): number {
  return text !== undefined && /^(?:0x)?[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
}
