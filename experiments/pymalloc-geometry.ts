import { matrix } from "../charts/matrix.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, tableOf } from "../harness/table.js";
import { cellValue } from "../harness/views.js";
import { parseSelector } from "../memory/options.js";

const KIB = 1024;
const pools = [4, 8, 16, 32, 64];
const arenas = [64, 128, 256, 512, 1024, 2048, 4096];

const sizeText = (kib: number): string => (kib < 1024 ? `${kib} KiB` : `${kib / 1024} MiB`);

interface Geometry {
  readonly pool: number;
  readonly arena: number;
}
const geometries: readonly Geometry[] = pools.flatMap((pool) => arenas.map((arena) => ({ pool, arena })));
const labelOf = ({ pool, arena }: Geometry): string => `pools ${sizeText(pool)}, arenas ${sizeText(arena)}`;

/** The code of CPython 3.10, whose radix tree finds owners for pools of any size. */
const allocators: Arms = Object.fromEntries(
  geometries.map((geometry) => [
    labelOf(geometry),
    `pymalloc:variant=cpython-3.10,pool=${geometry.pool * KIB},arena=${geometry.arena * KIB}`,
  ]),
);
const SINCE_310 = labelOf({ pool: 16, arena: 1024 });
const UNTIL_39 = labelOf({ pool: 4, arena: 256 });

const programs: Arms = { "py-json": "recorded:trace=py-json", "py-pidigits": "recorded:trace=py-pidigits" };
const more: Arms = { "py-web": "recorded:trace=py-web", "py-delta": "recorded:trace=py-delta" };

/** One measure of all geometries that ran, in MiB: pool sizes down, arena sizes across. */
function grid(tables: Tables, metric: string): Table {
  const workloads = new Set<string>(Array.from((tables.cells.columns.get("workload") ?? []) as ArrayLike<string>));
  return tableOf(
    [...workloads].flatMap((workload) =>
      geometries.flatMap((geometry) => {
        const value = cellValue(tables, workload, labelOf(geometry), metric) / 1048576;
        if (!Number.isFinite(value)) return [];
        return [{ workload, allocator: sizeText(geometry.arena), row: sizeText(geometry.pool), value }];
      }),
    ),
  );
}

const mib = (bytes: number): string => `${(bytes / 1048576).toFixed(2)} MiB`;

/** The geometry with the least of a metric on a workload. */
function best(tables: Tables, workload: string, metric: string): { label: string; value: number } {
  const ran = geometries
    .map((geometry) => ({ label: labelOf(geometry), value: cellValue(tables, workload, labelOf(geometry), metric) }))
    .filter(({ value }) => Number.isFinite(value));
  return ran.reduce((least, one) => (one.value < least.value ? one : least));
}

function finding(tables: Tables): string {
  const sentence = (workload: string, metric: string, what: string): string => {
    const { label, value } = best(tables, workload, metric);
    const [old, now] = [UNTIL_39, SINCE_310].map((name) => mib(cellValue(tables, workload, name, metric)));
    return `${workload} ${what} ${mib(value)} with ${label}, ${old} with those of 3.9 and ${now} with those of 3.10`;
  };
  return `${Object.keys(programs)
    .flatMap((workload) => [
      sentence(workload, "peakFootprint", "peaks at"),
      sentence(workload, "endFootprint", "ends at"),
    ])
    .join("; ")}.`;
}

export default defineExperiment({
  name: "pymalloc-geometry",
  title: "pymalloc's pool and arena sizes",
  question:
    "What would other sizes of pools and arenas have cost: how large does the footprint get, and how much of it comes back?",
  factors: {
    quick: { allocators, workloads: programs, seeds: 1 },
    paper: { allocators, workloads: { ...programs, ...more }, seeds: 1 },
  },
  metrics: ["peakFootprint", "endFootprint", "endMapped"],
  skip({ allocator }) {
    const { pool, arena } = parseSelector(allocator.selector).options;
    return Number(arena ?? "0") === Number(pool ?? "0") && arena !== undefined
      ? "an arena needs two pools at least"
      : undefined;
  },
  settings: () => ({ looks: 1 }),
  finding,
  charts: [
    {
      name: "peak-footprint",
      caption:
        "Largest footprint in MiB by the size of pools and arenas, with the code of CPython 3.10. The least is framed.",
      draw: (tables, theme) =>
        matrix(grid(tables, "peakFootprint"), {
          theme: themeNamed(theme),
          across: "arena size",
          down: "pool size",
          title: "Peak footprint [MiB]",
        }),
    },
    {
      name: "end-footprint",
      caption: "Footprint in MiB when the program has freed nearly all: what few survivors hold. The least is framed.",
      draw: (tables, theme) =>
        matrix(grid(tables, "endFootprint"), {
          theme: themeNamed(theme),
          across: "arena size",
          down: "pool size",
          title: "Footprint at the end [MiB]",
        }),
    },
  ],
});
