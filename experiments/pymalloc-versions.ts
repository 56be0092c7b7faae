import { bars } from "../charts/bars.js";
import { themeNamed } from "../charts/theme.js";
import { timeline } from "../charts/timeline.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { compare } from "../harness/summary.js";
import { filter, type Table, tableOf } from "../harness/table.js";
import { cellValue, courses, metricValues } from "../harness/views.js";

/** What each release changed against the one before. */
const changes = {
  "CPython 3.7": "",
  "CPython 3.8": "alignment of 16 bytes",
  "CPython 3.9": "one empty arena kept",
  "CPython 3.10": "pools of 16 KiB, arenas of 1 MiB, radix tree",
  "CPython 3.11 to 3.14": "radix tree over all address bits",
} as const;
type Release = keyof typeof changes;
const releases = Object.keys(changes) as Release[];

const allocators: Readonly<Record<Release, string>> = {
  "CPython 3.7": "pymalloc:variant=cpython-3.7",
  "CPython 3.8": "pymalloc:variant=cpython-3.8",
  "CPython 3.9": "pymalloc:variant=cpython-3.9",
  "CPython 3.10": "pymalloc:variant=cpython-3.10",
  "CPython 3.11 to 3.14": "pymalloc:variant=cpython-3.11",
};

const programs: Arms = {
  "py-web": "recorded:trace=py-web",
  "py-json": "recorded:trace=py-json",
  "py-pidigits": "recorded:trace=py-pidigits",
};
const more: Arms = { "py-delta": "recorded:trace=py-delta" };
/** Fills and empties less than an arena, over and over. */
const LOOP = "fill and free 200";
const loop: Arms = { [LOOP]: "sawtooth:live=200,survivors=0,sizes=fixed,events=40200" };

const DRAWN = "py-json";
const POINTS = 4900;

const signed = (ratio: number | null): string =>
  ratio === null ? "-" : `${ratio < 1 ? "" : "+"}${(100 * (ratio - 1)).toFixed(1)} %`;

/** Names of the recorded programs that ran. */
const ran = (tables: Tables): string[] =>
  Object.keys({ ...programs, ...more }).filter((name) => cellValue(tables, name, releases[0], "peakLive") > 0);

/** A metric of each release against the one before, over the recorded programs. */
function steps(tables: Tables, metric: string): { release: Release; ratio: number | null }[] {
  return releases.slice(1).map((release, i) => ({
    release,
    ratio:
      compare(tables, releases[i], metric, ran(tables)).find(({ allocator }) => allocator === release)?.ratio ?? null,
  }));
}

function finding(tables: Tables): string {
  const [peak, end] = ["peakFootprint", "endFootprint"].map((metric) => steps(tables, metric));
  const each = peak.map(
    ({ release, ratio }, i) =>
      `${release} (${changes[release]}) ${signed(ratio)} at the peak and ${signed(end[i].ratio)} at the end`,
  );
  const calls = releases.slice(0, 3).map((release) => cellValue(tables, LOOP, release, "cost.osCalls"));
  return (
    `Footprint against the release before, geometric means over ${ran(tables).length} recorded programs: ` +
    `${each.join("; ")}. A loop that fills and frees 200 objects makes ${calls.join(", ")} calls of the system in ` +
    `${releases.slice(0, 3).join(", ").replaceAll("CPython ", "")}.`
  );
}

/** A metric over that of the first release. */
function againstFirst(tables: Tables, metric: string, workloads: readonly string[]): Table {
  return tableOf(
    workloads.flatMap((workload) =>
      releases.map((allocator) => ({
        workload,
        allocator,
        value: cellValue(tables, workload, allocator, metric) / cellValue(tables, workload, releases[0], metric),
      })),
    ),
  );
}

export default defineExperiment({
  name: "pymalloc-versions",
  title: "pymalloc from CPython 3.7 to 3.14",
  question: "What did each change of CPython's small-object allocator buy, on the same programs?",
  factors: {
    quick: { allocators, workloads: { ...programs, ...loop }, seeds: 1 },
    paper: { allocators, workloads: { ...programs, ...more, ...loop }, seeds: 10 },
  },
  metrics: ["peakLive", "peakFootprint", "endFootprint", "endMapped", "jw1Bytes", "internalAtPeak"],
  settings: () => ({ looks: 16 }),
  finding,
  charts: [
    {
      name: "peak-to-peak",
      caption: "Largest footprint over largest live bytes, by release.",
      draw(tables, theme) {
        const table = metricValues(tables, "jw4", (value) => value + 1);
        const workload = table.columns.get("workload") ?? [];
        return bars(
          filter(table, (row) => workload[row] !== LOOP),
          { theme: themeNamed(theme), order: releases, title: "Peak footprint / peak live, by release" },
        );
      },
    },
    {
      name: "end",
      caption: "Footprint when the program has freed nearly all, over that of CPython 3.7.",
      draw: (tables, theme) =>
        bars(againstFirst(tables, "endFootprint", ran(tables)), {
          theme: themeNamed(theme),
          order: releases,
          title: "Footprint at the end, by release",
          value: "footprint / that of CPython 3.7",
        }),
    },
    {
      name: "system-calls",
      caption: "Calls that map and unmap memory, over those of CPython 3.7.",
      draw: (tables, theme) =>
        bars(againstFirst(tables, "cost.osCalls", [...ran(tables), LOOP]), {
          theme: themeNamed(theme),
          order: releases,
          title: "Calls of the system, by release",
          value: "calls / those of CPython 3.7",
        }),
    },
    {
      name: "timeline",
      caption: `Live bytes and footprint of ${DRAWN} under each release.`,
      draw: (tables, theme) =>
        timeline(courses(tables, [DRAWN], POINTS), {
          theme: themeNamed(theme),
          order: releases,
          clock: "event",
          title: `Live against footprint of ${DRAWN}, by release`,
        }),
    },
  ],
});
