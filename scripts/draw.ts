/** `fraglab draw`: the charts of an experiment in a theme. */
import { join, relative } from "node:path";
import { themeNamed } from "../charts/theme.js";
import type { Profile } from "../harness/experiment.js";
import { prepareFolder } from "../harness/files.js";
import { drawCharts } from "./drawing.js";
import type { Format } from "./formats.js";
import { interruptible } from "./interrupt.js";
import { loadExperiment } from "./load-experiments.js";
import { runEach } from "./run.js";

interface DrawOptions {
  readonly theme: string;
  readonly format: readonly Format[];
  readonly profile: Profile;
  readonly out: string;
  readonly jobs?: number;
}

/** Draws from cached cells; cells that are not cached are run first. Prints the files written. */
export async function draw(name: string, options: DrawOptions): Promise<void> {
  const experiment = await loadExperiment(name);
  themeNamed(options.theme);
  const folder = join(options.out, experiment.name);
  prepareFolder(folder);
  const hint = "finished cells are kept; the same command goes on from there";
  const [tables] = await interruptible(hint, (signal) =>
    runEach([experiment], { ...options, cache: true }, signal, async (_, cells) => cells.tables),
  );
  const drawn = await drawCharts(experiment, tables, {
    folder,
    theme: options.theme,
    formats: options.format,
    spec: false,
  });
  process.stdout.write(drawn.flatMap(({ files }) => files.map((file) => `${relative(".", file) || file}\n`)).join(""));
}
