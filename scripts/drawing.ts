/** From an experiment's tables to files: specification, SVG, PNG, PDF. */
import { join } from "node:path";
import { renderPdf, renderPng, renderSvg } from "../charts/render.js";
import { themeNamed } from "../charts/theme.js";
import type { Experiment, ExperimentChart, Tables } from "../harness/experiment.js";
import { canonicalJson, writeWhole } from "../harness/files.js";
import { version } from "../harness/version.js";
import type { Format } from "./formats.js";

export interface Drawn {
  readonly chart: ExperimentChart;
  readonly svg: string;
  readonly files: readonly string[];
}

/** Draws every chart of an experiment in one theme and writes the files; `spec` also writes the Vega-Lite source. */
export async function drawCharts(
  experiment: Experiment,
  tables: Tables,
  out: { readonly folder: string; readonly theme: string; readonly formats: readonly Format[]; readonly spec: boolean },
): Promise<Drawn[]> {
  const theme = themeNamed(out.theme);
  const drawn: Drawn[] = [];
  for (const chart of experiment.charts) {
    const spec = chart.draw(tables, out.theme) as Parameters<typeof renderSvg>[0];
    const title = `${experiment.title}: ${chart.caption}`;
    const svg = await renderSvg(spec, theme, {
      fraglab: version,
      experiment: experiment.name,
      chart: chart.name,
      theme: out.theme,
    });
    const suffix = out.theme === "screen" ? "" : `.${out.theme}`;
    const base = join(out.folder, `${chart.name}${suffix}`);
    const files: string[] = [];
    const write = (path: string, contents: string | Uint8Array): void => {
      writeWhole(path, contents);
      files.push(path);
    };
    if (out.spec) write(`${base}.vl.json`, `${canonicalJson(spec, 1)}\n`);
    if (out.formats.includes("svg")) write(`${base}.svg`, svg);
    if (out.formats.includes("png")) write(`${base}.png`, await renderPng(svg));
    if (out.formats.includes("pdf")) write(`${base}.pdf`, await renderPdf(svg, title));
    drawn.push({ chart, svg, files });
  }
  return drawn;
}
