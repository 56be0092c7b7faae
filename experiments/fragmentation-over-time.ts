import { bars } from "../charts/bars.js";
import { decomposition } from "../charts/decomposition.js";
import { fragmentation } from "../charts/fragmentation.js";
import { heapMap } from "../charts/heap-map.js";
import { themeNamed } from "../charts/theme.js";
import { timeline } from "../charts/timeline.js";
import { type Arms, defineExperiment, type ExperimentChart, type Tables } from "../harness/experiment.js";
import { compare } from "../harness/summary.js";
import { cellValue, courses, kindsAt, metricValues } from "../harness/views.js";

const allocators: Arms = {
  pymalloc: "pymalloc",
  "first-fit": "first-fit",
  buddy: "buddy",
  "handle-table": "handle-table:compact=slide",
};
const order = Object.keys(allocators);

const recorded: Arms = {
  "py-web": "recorded:trace=py-web",
  "py-json": "recorded:trace=py-json",
  "redis-mesh": "recorded:trace=redis-mesh",
  "git-repack-mt": "recorded:trace=git-repack-mt",
  "lua-mix": "recorded:trace=lua-mix",
  "sqlite-shell": "recorded:trace=sqlite-shell",
};
const synthetic: Arms = { churn: "churn", ramp: "ramp", sawtooth: "sawtooth", phases: "phases" };
const more: Arms = {
  "py-delta": "recorded:trace=py-delta",
  "py-pidigits": "recorded:trace=py-pidigits",
  "xmllint-xpath": "recorded:trace=xmllint-xpath",
};

/** Points of a chart of lines, a little below what can be seen. */
const POINTS = 4900;
/** The workload whose heap is drawn address by time. */
const MAPPED = "py-web";
/** Virtual ms that it rests in the end: between two looks of the handle table, whose answer to the last frees is thus seen. */
const REST = 2;

const BASELINE = "first-fit";
const COMPARED = ["pymalloc", "buddy", "handle-table"];

const signed = (ratio: number): string => `${ratio < 1 ? "" : "+"}${(100 * (ratio - 1)).toFixed(1)} %`;
const mebibytes = (bytes: number): string => `${(bytes / 1048576).toFixed(2)} MiB`;

/** A metric against the baseline over some workloads, with intervals. */
function against(tables: Tables, workloads: readonly string[], metric: string): string {
  return compare(tables, BASELINE, metric, workloads)
    .filter(({ allocator }) => COMPARED.includes(allocator))
    .map(({ allocator, ratio, low, high }) => {
      const bounds = low === null || high === null ? "" : ` [${signed(low)}, ${signed(high)}]`;
      return `${allocator} ${signed(ratio ?? Number.NaN)}${bounds}`;
    })
    .join(", ");
}

/** Means over recorded programs, what is left where nearly all is freed, and where the handle table never moved anything. */
function finding(tables: Tables): string {
  const programs = Object.keys({ ...recorded, ...more }).filter(
    (workload) => cellValue(tables, workload, BASELINE, "peakLive") > 0,
  );
  const left = order.map(
    (allocator) => `${mebibytes(cellValue(tables, MAPPED, allocator, "endFootprint"))} under ${allocator}`,
  );
  const still = [...programs, ...Object.keys(synthetic)].filter(
    (workload) => cellValue(tables, workload, "handle-table", "cost.moves") === 0,
  );
  return (
    `Over ${programs.length} recorded programs (geometric means with 95 % intervals), peak footprint against first fit: ` +
    `${against(tables, programs, "peakFootprint")}; mean footprint over events: ${against(tables, programs, "meanFootprint")}. ` +
    `When ${MAPPED} has freed all but ${mebibytes(cellValue(tables, MAPPED, "pymalloc", "endLive"))} of its ` +
    `${mebibytes(cellValue(tables, MAPPED, "pymalloc", "peakLive"))} and rested for ${REST} virtual ms, the footprint is ${left.join(", ")}.` +
    `${still.length === 0 ? "" : ` The handle table's controller moved nothing on ${still.join(", ")}.`}`
  );
}

/** Live against footprint, and their ratio, for a group of workloads. */
function lineCharts(name: string, group: string, workloads: readonly string[]): ExperimentChart[] {
  return [
    {
      name: `timeline-${name}`,
      caption: `Live bytes and footprint of ${group} on the event clock.`,
      draw(tables, theme) {
        const title = `Live against footprint, ${group}`;
        return timeline(courses(tables, workloads, POINTS), { theme: themeNamed(theme), order, clock: "event", title });
      },
    },
    {
      name: `fragmentation-${name}`,
      caption: `Footprint over live bytes of ${group} on the clock of bytes allocated, on which frees take no time: 1 is no waste.`,
      draw(tables, theme) {
        const title = `Footprint / live, ${group}`;
        return fragmentation(courses(tables, workloads, POINTS, "bytes"), { theme: themeNamed(theme), order, title });
      },
    },
  ];
}

export default defineExperiment({
  name: "fragmentation-over-time",
  title: "Fragmentation over time",
  question: "How much more memory than the program asked for does each kind of allocator hold, and when?",
  factors: {
    quick: { allocators, workloads: { ...recorded, ...synthetic }, seeds: 1 },
    paper: {
      allocators: { ...allocators, "handle-table, no compaction": "handle-table:compact=none", ideal: "ideal" },
      workloads: { ...recorded, ...more, ...synthetic },
      seeds: 10,
    },
  },
  metrics: ["peakLive", "peakFootprint", "endFootprint", "jw1Bytes", "jw4", "externalAtPeak", "internalAtPeak"],
  baseline: BASELINE,
  settings: ({ workload }) => (workload.label === MAPPED ? { looks: 192, mapRows: 96, idle: REST } : {}),
  finding,
  charts: [
    ...lineCharts("recorded", "recorded programs", Object.keys(recorded)),
    ...lineCharts("synthetic", "synthetic workloads", Object.keys(synthetic)),
    {
      name: "decomposition-at-peak",
      caption: "What the footprint consists of when live bytes are largest, in percent of the live bytes.",
      draw: (tables, theme) =>
        decomposition(
          kindsAt(tables, ({ label }) => label === "peak"),
          { theme: themeNamed(theme), order, title: "The footprint by kind when live is largest" },
        ),
    },
    {
      name: "peak-to-peak",
      caption: "Largest footprint over largest live bytes (Johnstone & Wilson's measure #4, plus 1).",
      draw: (tables, theme) =>
        bars(
          metricValues(tables, "jw4", (value) => value + 1),
          { theme: themeNamed(theme), order, title: "Peak footprint / peak live" },
        ),
    },
    {
      name: "heap-map",
      caption: `Address by time: where the live bytes of ${MAPPED} lie (asked for, without rounding and headers); gaps between regions are left out.`,
      draw: (tables, theme) =>
        heapMap(tables.maps, { theme: themeNamed(theme), order, title: `The heap of ${MAPPED}, address by time` }),
    },
  ],
});
