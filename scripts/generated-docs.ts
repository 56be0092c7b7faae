/** Parts of the documentation that follow from the registries, between `<!-- begin NAME -->` and `<!-- end NAME -->`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allocators } from "../allocators/registry.js";
import { metrics } from "../harness/metrics/registry.js";
import { packageRoot } from "../harness/version.js";
import { InputError } from "../memory/errors.js";
import { readers } from "../workloads/readers/registry.js";
import { programs, workloads } from "../workloads/registry.js";
import { experimentNames, loadExperiment } from "./load-experiments.js";
import { goldenTable, liveTable } from "./pymalloc-golden-table.js";
import { markdownTable } from "./text-table.js";

/** Files that hold generated parts. */
export const documents: readonly string[] = ["README.md", "docs/metrics.md", "docs/traces.md", "docs/pymalloc.md"];

function optionNames(options: object): string {
  const names = Object.keys(options);
  return names.length === 0 ? "-" : names.map((name) => `\`${name}\``).join(" ");
}

/** The finding of an experiment, from its committed results. */
function committedFinding(experiment: string): string {
  const summary = readFileSync(join(packageRoot, "results", experiment, "summary.json"), "utf8");
  return (JSON.parse(summary) as { finding: string }).finding;
}

const parts: Readonly<Record<string, () => string | Promise<string>>> = {
  allocators: () =>
    markdownTable(
      ["allocator", "what it is", "options", "source"],
      Object.values(allocators).map((spec) => [`\`${spec.name}\``, spec.title, optionNames(spec.options), spec.source]),
    ),
  workloads: () =>
    markdownTable(
      ["workload", "what it is", "options", "source"],
      Object.values(workloads).map((spec) => [`\`${spec.name}\``, spec.title, optionNames(spec.options), spec.source]),
    ),
  formats: () =>
    markdownTable(
      ["format", "what it is", "source"],
      readers.map(({ name, title, source }) => [`\`${name}\``, title, source]),
    ),
  programs: () =>
    markdownTable(
      ["program", "what it is", "options", "source"],
      Object.values(programs).map((spec) => [`\`${spec.name}\``, spec.title, optionNames(spec.options), spec.source]),
    ),
  experiments: async () => {
    const all = await Promise.all(experimentNames().map(loadExperiment));
    return markdownTable(
      ["experiment", "question"],
      all.map(({ name, question }) => [`\`${name}\``, question]),
    );
  },
  finding: () => `**Finding.** ${committedFinding("fragmentation-over-time")}`,
  goldens: goldenTable,
  captures: liveTable,
  metrics: () =>
    markdownTable(
      ["metric", "what it is", "unit", "clock", "formula", "source"],
      metrics.map((m) => [`\`${m.name}\``, m.title, m.unit, m.clock, m.formula, m.source]),
    ),
};

/** A document with its generated parts up to date. Throws an `InputError` for a part of an unknown name. */
export async function regenerate(document: string): Promise<string> {
  const pieces: string[] = [];
  let rest = document;
  for (;;) {
    const match = /<!-- begin ([a-z]+) -->\n([\s\S]*?)<!-- end \1 -->/.exec(rest);
    if (match === null) return [...pieces, rest].join("");
    const part = parts[match[1]];
    if (part === undefined)
      throw new InputError(`unknown generated part "${match[1]}": known: ${Object.keys(parts).join(", ")}`);
    pieces.push(rest.slice(0, match.index), `<!-- begin ${match[1]} -->\n${await part()}\n<!-- end ${match[1]} -->`);
    rest = rest.slice(match.index + match[0].length);
  }
}
