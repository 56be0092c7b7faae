/**
 * Records the library of traces again: `node dist/scripts/record-library.js [--out FOLDER] [--take] [NAME...]`, from the root of the
 * package. Runs the command of each entry of workloads/recorded/manifest.json (or of those that are named), writes NAME.fgt to
 * FOLDER and prints what it holds beside what the manifest says. With --take the traces whose recipe repeats the recording
 * itself replace those of the library, and the manifest's facts become theirs.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { packageRoot } from "../harness/version.js";
import { InputError, unknownName } from "../memory/errors.js";
import { writeAtomically } from "../workloads/atomic-file.js";
import { readTrace } from "../workloads/read-trace.js";
import {
  factsOf,
  type RecordedFacts,
  type RecordedTrace,
  recordedPath,
  recordedTraces,
} from "../workloads/recorded-library.js";
import { summarise } from "../workloads/trace-summary.js";
import { textTable } from "./text-table.js";

const fraglab = fileURLToPath(new URL("./fraglab.js", import.meta.url));

/** Runs the command of an entry with its trace in `folder`; undefined, with a line on stderr, where it does not work here. */
async function recordAgain({ name, recordedBy }: RecordedTrace, folder: string): Promise<RecordedFacts | undefined> {
  const out = join(folder, `${name}.fgt`);
  const [, ...args] = recordedBy.command.split(" ").map((word) => (word === `${name}.fgt` ? out : word));
  const { status, stderr } = spawnSync(process.execPath, [fraglab, ...args], { cwd: packageRoot, encoding: "utf8" });
  if (status === 0 && !/ended with status|was ended by/.test(stderr))
    return factsOf(summarise((await readTrace(out)).trace));
  console.error(`${name}: cannot be recorded here: ${stderr.trim().split("\n").join("; ")}`);
  return undefined;
}

/** Puts new recordings and their facts into the library. */
async function take(folder: string, found: ReadonlyMap<string, RecordedFacts>): Promise<void> {
  const taken = recordedTraces.filter(({ name, recordedBy }) => found.has(name) && recordedBy.repeats === "recording");
  for (const { name } of taken) await copyFile(join(folder, `${name}.fgt`), join(recordedPath, `${name}.fgt`));
  const traces = recordedTraces.map((one) => (taken.includes(one) ? { ...one, ...found.get(one.name) } : one));
  const manifest = `${JSON.stringify({ traces }, null, 2)}\n`;
  await writeAtomically(join(recordedPath, "manifest.json"), (file) => file.writeFile(manifest));
  console.log(`taken: ${taken.map(({ name }) => name).join(", ") || "none"}`);
}

async function recordLibrary(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: "string", default: join(".cache", "recorded") },
      take: { type: "boolean", default: false },
    },
  });
  const names = recordedTraces.map(({ name }) => name);
  for (const name of positionals) if (!names.includes(name)) throw unknownName("recorded trace", name, names);
  const folder = resolve(values.out);
  mkdirSync(folder, { recursive: true });
  const found = new Map<string, RecordedFacts>();
  const rows: string[][] = [];
  for (const one of recordedTraces) {
    if (positionals.length > 0 && !positionals.includes(one.name)) continue;
    const facts = await recordAgain(one, folder);
    if (facts === undefined) continue;
    found.set(one.name, facts);
    const pairs = (["events", "peakLiveBytes", "threads"] as const).flatMap((key) => [
      String(one[key]),
      String(facts[key]),
    ]);
    rows.push([one.name, one.recordedBy.repeats, ...pairs, facts.digest === one.digest ? "same" : "other"]);
  }
  const head = ["trace", "repeats", "events", "now", "peak live B", "now", "threads", "now", "digest"];
  console.log(textTable(head, rows));
  if (values.take) await take(folder, found);
}

try {
  await recordLibrary();
} catch (error) {
  if (!(error instanceof InputError || (error instanceof TypeError && "code" in error))) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
