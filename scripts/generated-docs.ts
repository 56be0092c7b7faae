/** Parts of the documentation that follow from the registries, between `<!-- begin NAME -->` and `<!-- end NAME -->`. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { allocators } from "../allocators/registry.js";
import { metrics } from "../harness/metrics/registry.js";
import { packageRoot } from "../harness/version.js";
import { InputError } from "../memory/errors.js";
import type { OptionTable, OptionValue } from "../memory/options.js";
import { readers } from "../workloads/readers/registry.js";
import { recordedTraces } from "../workloads/recorded-library.js";
import { modifiers, programs, workloads } from "../workloads/registry.js";
import { experimentNames, loadExperiment } from "./load-experiments.js";
import { rangeText } from "./option-text.js";
import { goldenTable, liveTable } from "./pymalloc-golden-table.js";
import { formatBytes, markdownTable } from "./text-table.js";

/** Files that hold generated parts. */
export const documents: readonly string[] = [
  "README.md",
  "docs/metrics.md",
  "docs/traces.md",
  "docs/pymalloc.md",
  "docs/options.md",
];

interface Described {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  readonly options: object;
}

const names = (kind: string, specs: Readonly<Record<string, Described>>): string =>
  markdownTable(
    [kind, "what it is", "source"],
    Object.values(specs).map(({ name, title, source }) => [`\`${name}\``, title, source]),
  );

/** A section with every option of each entry that has some. */
const optionSections = (specs: Readonly<Record<string, Described>>): string =>
  Object.values(specs)
    .map(({ name, title, options }) => {
      const rows = Object.entries(options as OptionTable<Record<string, OptionValue>>).map(([option, spec]) => [
        `\`${option}\``,
        `\`${spec.default}\``,
        rangeText(spec),
        spec.help,
      ]);
      const table =
        rows.length === 0 ? "No options." : markdownTable(["option", "default", "values", "what it does"], rows);
      return `### ${name}\n${title}.\n\n${table}\n`;
    })
    .join("\n");

/** The finding of an experiment, from its committed results. */
function committedFinding(experiment: string): string {
  const summary = readFileSync(join(packageRoot, "results", experiment, "summary.json"), "utf8");
  return (JSON.parse(summary) as { finding: string }).finding;
}

const parts: Readonly<Record<string, () => string | Promise<string>>> = {
  allocators: () => names("allocator", allocators),
  workloads: () => names("workload", workloads),
  formats: () =>
    markdownTable(
      ["format", "what it is", "source"],
      readers.map(({ name, title, source }) => [`\`${name}\``, title, source]),
    ),
  recorded: () =>
    markdownTable(
      ["trace", "program", "what it is", "events", "peak live", "threads", "again"],
      recordedTraces.map(({ name, program, description, events, peakLiveBytes, threads, recordedBy }) => [
        `\`${name}\``,
        program.split(", ")[0],
        description.split(". ")[0],
        String(events),
        formatBytes(peakLiveBytes),
        String(threads),
        recordedBy.repeats,
      ]),
    ),
  programs: () => names("program", programs),
  allocatorOptions: () => optionSections(allocators),
  workloadOptions: () => optionSections(workloads),
  programOptions: () => optionSections(programs),
  modifiers: () => names("modifier", modifiers),
  modifierOptions: () => optionSections(modifiers),
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
    const match = /<!-- begin ([a-zA-Z]+) -->\n([\s\S]*?)<!-- end \1 -->/.exec(rest);
    if (match === null) return [...pieces, rest].join("");
    const part = parts[match[1]];
    if (part === undefined)
      throw new InputError(`unknown generated part "${match[1]}": known: ${Object.keys(parts).join(", ")}`);
    pieces.push(rest.slice(0, match.index), `<!-- begin ${match[1]} -->\n${await part()}\n<!-- end ${match[1]} -->`);
    rest = rest.slice(match.index + match[0].length);
  }
}
