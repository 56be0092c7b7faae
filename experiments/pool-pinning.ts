import { resolveGeometry } from "../allocators/pymalloc/geometry.js";
import { curves } from "../charts/curves.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, type TableRecord, tableOf } from "../harness/table.js";
import { type Pinned, poolPinningCourse } from "../harness/theory.js";
import { recordsOf } from "../harness/views.js";
import { parseSelector } from "../memory/options.js";

const MIB = 1048576;
const HEADER = 48;
/** Bytes live at most: the ratios hardly depend on it, but the closed form is for this one. */
const LIVE = 16 * MIB;

/** Each pymalloc under the adversary for its own pools. */
const pools: Readonly<Record<string, { readonly allocator: string; readonly workload: string }>> = {
  "4 KiB pools, 8-byte classes (3.7)": {
    allocator: "pymalloc:variant=cpython-3.7",
    workload: `pool-pinning:live=${LIVE},pool=4096,step=8,marks=doublings`,
  },
  "4 KiB pools, 16-byte classes (3.8, 3.9)": {
    allocator: "pymalloc:variant=cpython-3.9",
    workload: `pool-pinning:live=${LIVE},pool=4096,marks=doublings`,
  },
  "16 KiB pools, 16-byte classes (3.10 to 3.14)": {
    allocator: "pymalloc:variant=cpython-3.10",
    workload: `pool-pinning:live=${LIVE},pool=16384,marks=doublings`,
  },
};
const names = Object.keys(pools);
const quick = names.slice(1);
/** Others meet the adversary for the largest pools, which is not made for them. */
const others: Arms = { "first-fit": "first-fit", buddy: "buddy" };
const OTHERS_ON = names[names.length - 1];

const pick = (which: readonly string[], part: "allocator" | "workload"): Arms =>
  Object.fromEntries(which.map((name) => [name, pools[name][part]]));

/** What the closed form says of a pymalloc, class by class. */
export function expected(name: string): Pinned[] {
  const { pool, sizes } = resolveGeometry(parseSelector(pools[name].allocator).options);
  return poolPinningCourse(sizes, LIVE, pool, HEADER);
}

/** Pools in use behind each class that has a mark: those with a header. */
export function measured(tables: Tables, name: string): { readonly size: number; readonly pools: number }[] {
  return recordsOf(tables.looks).flatMap((look) => {
    const size = /^class (\d+)$/.exec(String(look["label"]))?.[1];
    if (size === undefined || look["workload"] !== name || look["allocator"] !== name) return [];
    return [{ size: Number(size), pools: Number(look["headers"]) }];
  });
}

const poolOf = (name: string): number => resolveGeometry(parseSelector(pools[name].allocator).options).pool;
const ran = (tables: Tables): string[] => names.filter((name) => measured(tables, name).length > 0);

/** Bytes of pools over the most live bytes, behind each class: measured as points, by the closed form as lines. */
function course(tables: Tables): Table {
  return tableOf(
    ran(tables).flatMap((name) => {
      const counted = measured(tables, name);
      const scale = poolOf(name) / LIVE;
      return expected(name).map(({ size, pools }): TableRecord => {
        const y = (counted.find((point) => point.size === size)?.pools ?? Number.NaN) * scale;
        return { workload: "one block kept in each pool", allocator: name, x: size, y, line: pools * scale };
      });
    }),
  );
}

function finding(tables: Tables): string {
  const sentences = ran(tables).map((name) => {
    const form = expected(name);
    const counted = measured(tables, name);
    const last = form[form.length - 1];
    const reached = counted[counted.length - 1];
    const right = counted.filter(({ size, pools }) => form.find((step) => step.size === size)?.pools === pools);
    const ratio = (reached.pools * poolOf(name)) / LIVE;
    return (
      `${name}: ${reached.pools} pools are ${ratio.toFixed(2)} times the most bytes that were live, held by ` +
      `${(last.live / LIVE).toFixed(2)} of them (the closed form says the same behind ${right.length} of ${counted.length} classes)`
    );
  });
  const cells = recordsOf(tables.cells).filter(
    (row) => String(row["allocator"]) in others && row["outcome"] === "completed",
  );
  const rest = cells.map((row) => `${row["allocator"]} ${(Number(row["peakFootprint"]) / LIVE).toFixed(2)}`);
  return `${sentences.join("; ")}.${rest.length > 0 ? ` Peak footprint of others on it: ${rest.join(", ")} times.` : ""}`;
}

export default defineExperiment({
  name: "pool-pinning",
  title: "One block in each pool",
  question:
    "A pool serves one size class until it is empty: how much memory can a program make pymalloc hold for little?",
  factors: {
    quick: { allocators: pick(quick, "allocator"), workloads: pick(quick, "workload"), seeds: 1 },
    paper: { allocators: { ...pick(names, "allocator"), ...others }, workloads: pick(names, "workload"), seeds: 1 },
  },
  metrics: ["peakLive", "peakFootprint", "endLive", "endMapped"],
  skip({ allocator, workload }) {
    if (allocator.label === workload.label) return undefined;
    if (allocator.label in others && workload.label === OTHERS_ON) return undefined;
    return "the adversary is made for other pools";
  },
  settings: () => ({ looks: 1 }),
  finding,
  charts: [
    {
      name: "course",
      caption:
        "Pools that hold a block, in multiples of the most live bytes (16 MiB), when the adversary has filled each size class and kept one block in each pool. Lines: closed form; points: measured.",
      draw: (tables, theme) =>
        curves(course(tables), {
          theme: themeNamed(theme),
          order: ran(tables),
          title: "Memory held by one block in each pool",
          x: { title: "size class reached", quantity: "bytes", scale: "linear" },
          y: { title: "pools / most live bytes", quantity: "count", scale: "linear" },
        }),
    },
  ],
});
