/**
 * The three kinds of wrong things (docs/model.md): a caller's mistake is an `InputError`, running out of memory is the
 * value `none`, and a broken invariant is a `HeapError`.
 */

/** A mistake in a name, an option or an input file. The message is one line: what, where, and how to mend it. */
export class InputError extends Error {
  override readonly name = "InputError";
}

/** What `checked` and the audit found broken. */
export type HeapFault =
  | "overlap"
  | "misaligned"
  | "too-small"
  | "double-free"
  | "stale-reference"
  | "corrupted-contents"
  | "moved-outside-compact"
  | "moved-while-pinned"
  | "unmapped"
  | "not-resident"
  | "walk-gap"
  | "walk-overlap"
  | "walk-mismatch"
  | "structure";

/** A broken invariant of an allocator: never expected, never caught, carries enough to find it. */
export class HeapError extends Error {
  override readonly name = "HeapError";
  readonly fault: HeapFault;
  /** The reference concerned, or -1. */
  readonly ref: number;

  constructor(fault: HeapFault, message: string, ref = -1) {
    super(`${fault}: ${message}`);
    this.fault = fault;
    this.ref = ref;
  }
}

/** Edit distance with transpositions, for "did you mean". */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let d = Math.min(
        (rows[i - 1]?.[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (rows[i - 1]?.[j - 1] ?? 0) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d = Math.min(d, (rows[i - 2]?.[j - 2] ?? 0) + 1);
      row.push(d);
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
}

/** The known name nearest to a misspelt one, or undefined where nothing is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const d = candidate.startsWith(name) && name.length > 1 ? 1 : distance(name, candidate);
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  return best;
}

/** The error for a name that is not in a list: names the near miss, else the whole list. */
export function unknownName(what: string, name: string, known: readonly string[]): InputError {
  const near = nearest(name, known);
  const hint = near === undefined ? `known: ${known.join(", ")}` : `did you mean "${near}"?`;
  return new InputError(`unknown ${what} "${name}": ${hint}`);
}
