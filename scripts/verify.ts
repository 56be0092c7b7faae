/** `fraglab verify`: theory and golden targets, each expected and got. */
import { InputError, unknownName } from "../memory/errors.js";
import { createProgress } from "./progress.js";
import { textTable } from "./text-table.js";
import type { Check, Target, TargetSettings } from "./verification.js";
import { targets } from "./verify-targets.js";

/** The named targets, or all. Throws an `InputError` for an unknown name. */
function chosen(names: readonly string[]): readonly Target[] {
  for (const name of names) {
    if (!targets.some((target) => target.name === name)) {
      throw unknownName(
        "target",
        name,
        targets.map((target) => target.name),
      );
    }
  }
  return names.length === 0 ? targets : targets.filter(({ name }) => names.includes(name));
}

/** Six significant digits, whole numbers in full. */
function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
}

function toleranceText({ tolerance }: Check): string {
  if (typeof tolerance === "string") return tolerance;
  return tolerance === 0 ? "exact" : `± ${numberText(tolerance)}`;
}

/** The table for people: each source once, by its number. */
function report(target: Target, checks: readonly Check[], sources: string[]): string {
  const rows = checks.map((check) => {
    if (!sources.includes(check.source)) sources.push(check.source);
    return [
      check.target,
      numberText(check.expected),
      numberText(check.got),
      toleranceText(check),
      check.pass ? "pass" : "FAIL",
      `[${sources.indexOf(check.source) + 1}]`,
    ];
  });
  const differences = checks.flatMap(({ target: name, difference }) =>
    difference === undefined ? [] : [`${name}: ${difference}\n`],
  );
  const table = textTable(["target", "expected", "got", "tolerance", "", "source"], rows);
  return `${target.title}\n\n${table}\n${differences.join("")}`;
}

interface VerifyOptions extends TargetSettings {
  readonly json?: boolean;
}

/** Runs targets and prints their checks; the exit code is 1 where one fails. A skipped target says why on stderr. */
export async function verify(names: readonly string[], options: VerifyOptions): Promise<void> {
  const wanted = chosen(names);
  if (options.python !== undefined && !wanted.some(({ settings }) => settings?.includes("python")))
    throw new InputError("--python: none of the targets asked for drives a Python: add pymalloc to them");
  const progress = createProgress("verify");
  const all: Check[] = [];
  const sources: string[] = [];
  try {
    for (const [i, target] of wanted.entries()) {
      progress.update(i, wanted.length, target.name);
      const checks = await target.run(options);
      if ("skipped" in checks) {
        process.stderr.write(`fraglab: ${target.name} skipped: ${checks.skipped}\n`);
        continue;
      }
      all.push(...checks);
      if (!options.json) process.stdout.write(`${report(target, checks, sources)}\n`);
    }
  } finally {
    progress.end();
  }
  const failed = all.filter(({ pass }) => !pass);
  if (options.json) process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
  else {
    process.stdout.write(`${sources.map((source, i) => `[${i + 1}] ${source}`).join("\n")}\n\n`);
    process.stdout.write(`${all.length} checks, ${failed.length} failed\n`);
  }
  if (failed.length > 0) process.exitCode = 1;
}
