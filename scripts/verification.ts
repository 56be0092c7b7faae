/** What `fraglab verify` is made of: targets that nobody here chose, each a few checks of a number against theory. */

/** One number that was expected, and the one that was got. */
export interface Check {
  /** `TARGET case`, unique within a run. */
  readonly target: string;
  readonly expected: number;
  readonly got: number;
  /** The largest absolute difference that passes, 0 for exact numbers; or which side of a bound passes. */
  readonly tolerance: number | "at most" | "at least";
  readonly pass: boolean;
  /** Paper and section, or how the expected number follows. */
  readonly source: string;
  /** Where the first difference is, where something was compared item by item and differs. */
  readonly difference?: string;
}

/** Why a target could not be checked on this machine. */
export interface Skipped {
  readonly skipped: string;
}

/** What the command line says to targets. */
export interface TargetSettings {
  /** The CPython to drive. */
  readonly python?: string;
}

/** A named group of checks that the command line can ask for. */
export interface Target {
  readonly name: string;
  /** What is checked, in one sentence. */
  readonly title: string;
  /** Whether it takes less than a second or two, so that the tests run it each time. */
  readonly quick: boolean;
  /** Settings that it heeds. */
  readonly settings?: readonly (keyof TargetSettings)[];
  run(settings?: TargetSettings): readonly Check[] | Skipped | Promise<readonly Check[] | Skipped>;
}

/** Passes where both are the same number. */
export function exactly(target: string, expected: number, got: number, source: string): Check {
  return { target, expected, got, tolerance: 0, pass: got === expected, source };
}

/** Passes where they differ by no more than `tolerance`. */
export function within(target: string, expected: number, tolerance: number, got: number, source: string): Check {
  return { target, expected, got, tolerance, pass: Math.abs(got - expected) <= tolerance, source };
}

/** Passes where `got` does not exceed `expected`. */
export function atMost(target: string, expected: number, got: number, source: string): Check {
  return { target, expected, got, tolerance: "at most", pass: got <= expected, source };
}

/** Passes where `got` reaches `expected`. */
export function atLeast(target: string, expected: number, got: number, source: string): Check {
  return { target, expected, got, tolerance: "at least", pass: got >= expected, source };
}
