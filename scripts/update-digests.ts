/**
 * Chore: writes down the digests of workloads that have none, and of those named those that they have now (`npm run digests
 * -- NAME...`). Where another one differs nothing is done: that every result changes must be meant.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeWhole } from "../harness/files.js";
import { packageRoot } from "../harness/version.js";
import { InputError, unknownName } from "../memory/errors.js";
import { goldenCases, syntheticWorkloads, traceOf } from "../workloads/golden-digests.js";

const path = join(packageRoot, "workloads", "digests.json");

/** The digests of all cases, where need be made anew. Throws an `InputError` for a name that is no such workload. */
async function digests(
  old: Readonly<Record<string, string>>,
  anew: readonly string[],
): Promise<Record<string, string>> {
  const known = syntheticWorkloads.map(({ name }) => name);
  const unknown = anew.find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownName("workload", unknown, known);
  const found: Record<string, string> = {};
  for (const { spec, given, label } of goldenCases) {
    const kept = anew.includes(spec.name) ? undefined : old[label];
    found[label] = kept ?? (await traceOf(spec, given)).digest;
    if (found[label] !== old[label]) process.stdout.write(`${label}: ${old[label] ?? "new"} -> ${found[label]}\n`);
  }
  return found;
}

try {
  const old = JSON.parse(readFileSync(path, "utf8")) as Record<string, string>;
  writeWhole(path, `${JSON.stringify(await digests(old, process.argv.slice(2)), null, 2)}\n`);
} catch (error) {
  if (!(error instanceof InputError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
