import type { Finding, FindingGroup, Findings, ReadSource } from "./reader.js";

/** Counts findings of one group by kind. */
export class FindingCounter {
  private readonly group: FindingGroup;
  private readonly observe: ReadSource["observe"];
  private readonly byKind = new Map<string, { count: number; readonly firstLine: number }>();

  constructor(group: FindingGroup, source: ReadSource) {
    this.group = group;
    this.observe = source.observe;
  }

  add(kind: string, line: number): void {
    const known = this.byKind.get(kind);
    if (known === undefined) this.byKind.set(kind, { count: 1, firstLine: line });
    else known.count++;
    this.observe?.(this.group, kind, line);
  }

  /** In the order of their first lines. */
  findings(): Findings {
    const entries = [...this.byKind].map(([kind, finding]): [string, Finding] => [kind, { ...finding }]);
    return Object.fromEntries(entries);
  }
}
