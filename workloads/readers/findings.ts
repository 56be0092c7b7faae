import type { Finding, FindingGroup, Findings, PositionUnit, ReadSource } from "./reader.js";

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

/** What is said of uses of freed blocks that are in the trace: they are no departure from the file. */
export class StaleFindings {
  private count = 0;
  private first = 0;

  add(position: number): void {
    if (this.count++ === 0) this.first = position;
  }

  /** One line, or none. */
  notes(unit: PositionUnit): string[] {
    const place = unit === "line" ? "in line" : `at ${unit}`;
    return this.count === 0 ? [] : [`kept uses of freed blocks: ${this.count}, first ${place} ${this.first}`];
  }
}
