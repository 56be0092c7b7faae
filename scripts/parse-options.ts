/** Parsers of command-line values, with messages that say what was expected. */
import { InvalidArgumentError } from "commander";

/** A whole number of at least `min`. */
export function wholeNumber(min: number): (text: string) => number {
  return (text) => {
    const n = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(n) && n >= min) return n;
    throw new InvalidArgumentError(`expected a whole number >= ${min}.`);
  };
}

/** Bytes, with an optional K, M or G. */
export function byteCount(text: string): number {
  const match = /^(\d+)([KMG])?$/i.exec(text);
  const factor = { K: 1024, M: 1048576, G: 1073741824 }[(match?.[2] ?? "").toUpperCase()] ?? 1;
  const n = Number(match?.[1]) * factor;
  if (match && Number.isSafeInteger(n) && n >= 4096) return n;
  throw new InvalidArgumentError("expected bytes >= 4096, such as 65536, 64M or 2G.");
}

/** A comma-separated list of known words. */
export function listOf<Word extends string>(known: readonly Word[]): (text: string) => Word[] {
  return (text) => {
    const words = [...new Set(text.split(",").filter((word) => word !== ""))];
    if (words.length === 0) throw new InvalidArgumentError(`expected some of ${known.join(", ")}.`);
    for (const word of words) {
      if (!known.includes(word as Word))
        throw new InvalidArgumentError(`expected some of ${known.join(", ")}, got "${word}".`);
    }
    return words as Word[];
  };
}
