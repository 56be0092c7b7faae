import type { Finding, Findings } from "./reader.js";

/** Counts findings by kind. */
export class FindingCounter {
  private readonly byKind = new Map<string, Finding>();

  add(kind: string, line: number): void {
    const known = this.byKind.get(kind);
    this.byKind.set(kind, { count: (known?.count ?? 0) + 1, firstLine: known?.firstLine ?? line });
  }

  /** In the order of their first lines. */
  findings(): Findings {
    return Object.fromEntries(this.byKind);
  }
}
