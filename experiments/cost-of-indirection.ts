import { bars } from "../charts/bars.js";
import { themeNamed } from "../charts/theme.js";
import { coefficientsOf } from "../harness/cost-time.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { ratioInterval } from "../harness/statistics/ratio.js";
import { type Table, tableOf } from "../harness/table.js";
import { cellValue } from "../harness/views.js";

/** Who places the blocks, and what is emptied so that memory comes back: pages from the end, arenas, or any pages. */
const inners = {
  "first fit": ["first-fit", "region=4096,victims=highest"],
  pymalloc: ["pymalloc", "region=0"],
  jemalloc: ["jemalloc", "region=4096"],
} as const;
type Inner = keyof typeof inners;
const names = Object.keys(inners) as Inner[];

const still = (inner: Inner): string => `${inner}, handles`;
const moving = (inner: Inner): string => `${inner}, handles, moves`;
const allocators: Arms = Object.fromEntries(
  names.flatMap((inner) => {
    const [selector, emptied] = inners[inner];
    return [
      [inner, selector],
      [still(inner), `handle-table:inner=${selector},compact=none`],
      [moving(inner), `handle-table:inner=${selector},compact=evacuate,${emptied},fUpper=1.2,alpha=1`],
    ];
  }),
);

const few = ["py-web", "lua-mix", "sqlite-shell"];
const programs = [...few, "py-json", "py-pidigits", "py-delta", "git-repack-mt", "redis-mesh", "xmllint-xpath"];
const workloadsOf = (traces: readonly string[]): Arms =>
  Object.fromEntries(traces.map((name) => [name, `recorded:trace=${name}`]));

const ran = (tables: Tables): string[] =>
  programs.filter((name) => cellValue(tables, name, names[0], "peakFootprint") > 0);

const moments = { peak: "peakFootprint", mean: "meanFootprint", end: "endFootprint" } as const;
type Moment = keyof typeof moments;

/** Geometric mean over the programs of one allocator's footprint over another's, with its 95 % interval. */
function against(tables: Tables, allocator: string, base: string, moment: Moment) {
  const of = (name: string): number[] =>
    ran(tables).map((program) => cellValue(tables, program, name, moments[moment]));
  return ratioInterval(of(allocator), of(base));
}

/** Dereferences of an object in its life that are priced. */
const accesses = [0, 10, 100] as const;

/** Nanoseconds for each allocation, of all that handles and moves add to the inner allocator; mean over the programs. */
function pricePerObject(tables: Tables, allocator: string, inner: Inner, loads: number): number {
  const each = coefficientsOf("raw").tableLoads ?? 0;
  const sum = ran(tables).reduce((total, program) => {
    const at = (name: string, metric: string): number => cellValue(tables, program, name, metric);
    const extra = 1e6 * (at(allocator, "costTime") - at(inner, "costTime"));
    return total + extra / at(allocator, "allocations");
  }, 0);
  return sum / ran(tables).length + loads * each;
}

const percent = (ratio: number): string => `${ratio >= 1 ? "+" : ""}${(100 * (ratio - 1)).toFixed(1)} %`;

function finding(tables: Tables): string {
  const line = (inner: Inner): string => {
    const at = (allocator: string, base: string, moment: Moment): string =>
      percent(against(tables, allocator, base, moment).ratio);
    const both = (allocator: string, base: string): string =>
      (["peak", "mean", "end"] as const).map((moment) => at(allocator, base, moment)).join("/");
    return (
      `${inner}: handles alone ${both(still(inner), inner)}, movement on top ${both(moving(inner), still(inner))}, ` +
      `together ${both(moving(inner), inner)}`
    );
  };
  const price = (inner: Inner): string =>
    accesses.map((loads) => pricePerObject(tables, moving(inner), inner, loads).toFixed(0)).join("/");
  return (
    `Footprint (peak/mean/end) over ${ran(tables).length} recorded programs, each step against the one before it with the ` +
    `same placement: ${names.map(line).join("; ")}. ` +
    `With 0/10/100 dereferences in the life of an object, handles and moves cost ` +
    `${names.map((inner) => `${price(inner)} ns (${inner})`).join(", ")} for each object more than the inner allocator alone.`
  );
}

/** Footprint over that of the inner allocator alone, a panel for each moment. */
function footprints(tables: Tables): Table {
  return tableOf(
    (Object.keys(moments) as Moment[]).flatMap((moment) =>
      names.flatMap((inner) =>
        [still(inner), moving(inner)].map((allocator) => {
          const { ratio, low, high } = against(tables, allocator, inner, moment);
          return { workload: `${moment} footprint`, allocator, value: ratio, lo: low, hi: high };
        }),
      ),
    ),
  );
}

const ORDER = names.flatMap((inner) => [still(inner), moving(inner)]);

export default defineExperiment({
  name: "cost-of-indirection",
  title: "What handles cost and movement brings, with the same placement",
  question:
    "If blocks lie where an allocator puts them, what does a handle table on top cost, and how much of it does moving bring back?",
  factors: {
    quick: { allocators, workloads: workloadsOf(few), seeds: 1 },
    paper: { allocators, workloads: workloadsOf(programs), seeds: 1 },
  },
  metrics: ["peakFootprint", "meanFootprint", "endFootprint", "pauses", "costTime", "tablePerLiveAtEnd"],
  settings: () => ({ looks: 1, bins: 8, idle: 20 }),
  finding,
  charts: [
    {
      name: "footprint",
      caption:
        "Footprint over that of the inner allocator alone: geometric means over programs with 95 % intervals. Handles alone are the control H0, with movement H1; both place blocks by the same allocator.",
      draw: (tables, theme) =>
        bars(footprints(tables), {
          theme: themeNamed(theme),
          order: ORDER,
          value: "footprint / inner alone",
          title: "Indirection and movement over three allocators",
        }),
    },
  ],
});
