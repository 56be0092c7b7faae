/** `fraglab list`: what the registries hold. */
import { allocators } from "../allocators/registry.js";
import { themes } from "../charts/theme.js";
import { costSets } from "../harness/cost-time.js";
import { metrics } from "../harness/metrics/registry.js";
import type { Coefficients } from "../memory/coefficients.js";
import { unknownName } from "../memory/errors.js";
import type { OptionSpec } from "../memory/options.js";
import type { ModifierSpec } from "../workloads/modifiers/modifier.js";
import type { ProgramSpec } from "../workloads/program.js";
import { type RecordedTrace, recordedTraces, repetitions } from "../workloads/recorded-library.js";
import { modifiers, programs, workloads } from "../workloads/registry.js";
import type { WorkloadSpec } from "../workloads/workload.js";
import { experimentNames, loadExperiment } from "./load-experiments.js";
import { optionText } from "./option-text.js";
import { textTable } from "./text-table.js";
import { targets } from "./verify-targets.js";

const sections = [
  "allocators",
  "workloads",
  "programs",
  "modifiers",
  "recorded",
  "experiments",
  "metrics",
  "costs",
  "targets",
  "themes",
] as const;
type Section = (typeof sections)[number];

interface Entry {
  readonly name: string;
  readonly title: string;
  readonly [more: string]: unknown;
}

/** What a registry says of its entries. */
function described(registry: Readonly<Record<string, WorkloadSpec | ProgramSpec | ModifierSpec>>): Entry[] {
  return Object.values(registry).map(({ name, title, source, options, defaults }) => {
    return { name, title, source, options, defaults };
  });
}

async function entriesOf(section: Section): Promise<Entry[]> {
  switch (section) {
    case "allocators":
      return Object.values(allocators).map(({ name, title, source, indirect, alignment, options, defaults }) => {
        return { name, title, source, indirect, alignment, options, defaults };
      });
    case "workloads":
      return described(workloads);
    case "programs":
      return described(programs);
    case "modifiers":
      return described(modifiers);
    case "recorded":
      return recordedTraces.map(({ name, description, ...facts }) => ({ name, title: description, ...facts }));
    case "experiments": {
      const all = await Promise.all(experimentNames().map(loadExperiment));
      return all.map(({ name, title, question, factors }) => ({ name, title, question, factors }));
    }
    case "metrics":
      return metrics.map(({ name, title, unit, clock, formula, source }) => ({
        name,
        title,
        unit,
        clock,
        formula,
        source,
      }));
    case "costs":
      return Object.values(costSets).map(({ name, title, source, coefficients }) => {
        return { name, title, source, nanoseconds: coefficients };
      });
    case "targets":
      return targets.map(({ name, title }) => ({ name, title }));
    case "themes":
      return Object.values(themes).map((theme) => ({ name: theme.name, title: theme.title }));
  }
}

const lastColumn: Partial<Record<Section, string>> = {
  recorded: "program; events; how to record it again",
  metrics: "unit; formula",
  experiments: "question",
  costs: "for each; source",
};

function textOf(section: Section, entries: readonly Entry[]): string {
  const details = (entry: Entry): string => {
    if (section === "metrics") return `${String(entry["unit"])}; ${String(entry["formula"])}`;
    if (section === "experiments") return String(entry["question"]);
    if (section === "recorded") {
      const { program, events, recordedBy } = entry as unknown as RecordedTrace;
      return `${program}; ${events} events\n${repetitions[recordedBy.repeats]}: ${recordedBy.command}`;
    }
    if (section === "costs") {
      const each = Object.entries(entry["nanoseconds"] as Coefficients);
      return [...each.map(([counter, ns]) => `${counter}=${ns} ns`), String(entry["source"])].join("\n");
    }
    const options = Object.entries((entry["options"] ?? {}) as Record<string, OptionSpec>);
    return options.map(([name, option]) => optionText(name, option)).join("\n");
  };
  const rows = entries.flatMap((entry) => {
    const [first = "", ...rest] = details(entry).split("\n");
    return [[entry.name, entry.title, first], ...rest.map((line) => ["", "", line])];
  });
  return textTable([section, "what it is", lastColumn[section] ?? "options"], rows);
}

/** Prints one section or all of them. Throws an `InputError` for an unknown section. */
export async function list(what: string | undefined, options: { readonly json?: boolean }): Promise<void> {
  const isAll = what === undefined || what === "all";
  if (!isAll && !sections.includes(what as Section)) throw unknownName("list", what, [...sections, "all"]);
  const chosen = isAll ? sections : [what as Section];
  const found = await Promise.all(chosen.map(async (section) => [section, await entriesOf(section)] as const));
  if (options.json) {
    const answer = isAll ? Object.fromEntries(found) : found[0][1];
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  process.stdout.write(`${found.map(([section, entries]) => textOf(section, entries)).join("\n\n")}\n`);
}
