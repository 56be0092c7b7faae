/** The one module that reads clocks. Nothing it says ever enters a result file. */

/** Milliseconds since some fixed moment, with a fraction. */
export function milliseconds(): number {
  return performance.now();
}

/** The present moment as ISO 8601 text, for provenance. */
export function timestamp(): string {
  return new Date(Date.now()).toISOString();
}
