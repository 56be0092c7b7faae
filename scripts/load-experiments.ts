/** The folder is the list: every module in experiments/ is an experiment. */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Experiment } from "../harness/experiment.js";
import { unknownName } from "../memory/errors.js";

const folder = fileURLToPath(new URL("../experiments/", import.meta.url));

/** Names of all experiments, in alphabetical order. */
export function experimentNames(): string[] {
  return readdirSync(folder)
    .filter((file) => /(?<!\.test)\.[jt]s$/.test(file) && !file.endsWith(".d.ts"))
    .map((file) => basename(file).replace(/\.[jt]s$/, ""))
    .sort();
}

/** One experiment. Throws an `InputError` for an unknown name. */
export async function loadExperiment(name: string): Promise<Experiment> {
  const names = experimentNames();
  if (!names.includes(name)) throw unknownName("experiment", name, names);
  const file = readdirSync(folder).find((entry) => new RegExp(`^${name}\\.[jt]s$`).test(entry)) ?? "";
  const module = (await import(pathToFileURL(join(folder, file)).href)) as { default: Experiment };
  return module.default;
}
