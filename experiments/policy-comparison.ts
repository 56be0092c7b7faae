import { bars } from "../charts/bars.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { policyAllocators } from "../harness/policy-allocators.js";
import { johnstoneWilson4 } from "../harness/published.js";
import { rankCorrelation } from "../harness/statistics/rank-correlation.js";
import { ratioInterval } from "../harness/statistics/ratio.js";
import { type Table, type TableRecord, tableOf } from "../harness/table.js";
import { cellValue } from "../harness/views.js";

/** Sizes are multiplied as in the study, so that rounding and pages vanish. */
const SCALE = 16;
/** The shorter ones; the paper profile has all. */
const few = ["py-json", "py-pidigits", "git-repack-mt", "lua-mix", "sqlite-shell"];
const programs = [...few, "py-web", "py-delta", "redis-mesh", "xmllint-xpath"];
const workloadsOf = (names: readonly string[]): Arms =>
  Object.fromEntries(names.map((name) => [name, `recorded:trace=${name},scale=${SCALE}`]));

const order = Object.keys(johnstoneWilson4);
const allocators: Arms = Object.fromEntries(order.map((name) => [name, policyAllocators[name]]));

const HERE = "recorded programs here";
/** Title of the axis. */
const VALUE = "peak heap / peak live";
const THERE = "Johnstone & Wilson 1998";

/** Peak heap over peak live of a program: measure #4 and 1, without what a buddy system keeps beside its heap. */
const ratioOf = (tables: Tables, program: string, allocator: string): number =>
  cellValue(tables, program, allocator, "peakResident") / cellValue(tables, program, allocator, "peakLive");

const ran = (tables: Tables): string[] => programs.filter((name) => ratioOf(tables, name, order[0]) > 0);

/** Measure #4 of the programs that ran, in percent over live. */
const measured = (tables: Tables, allocator: string): number[] =>
  ran(tables).map((name) => 100 * (ratioOf(tables, name, allocator) - 1));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function finding(tables: Tables): string {
  const here = order.map((name) => mean(measured(tables, name)));
  const there = order.map((name) => mean(johnstoneWilson4[name]));
  const of = (name: string): string =>
    `${here[order.indexOf(name)].toFixed(1)} % (${there[order.indexOf(name)].toFixed(1)} %)`;
  const correlation = rankCorrelation(here, there);
  return (
    `Mean peak waste by policy alone over ${measured(tables, order[0]).length} recorded programs, and as published for eight others in 1998: ` +
    `${[
      "best fit, address",
      "first fit, address",
      "first fit, FIFO",
      "next fit, address",
      "first fit, LIFO",
      "binary buddy",
    ]
      .map((name) => `${name} ${of(name)}`)
      .join(
        ", ",
      )}. The ranks of the ${order.length} policies agree with a correlation of ${correlation.toFixed(2)} (Spearman).`
  );
}

function each(tables: Tables): Table {
  return tableOf(
    ran(tables).flatMap((workload) =>
      order.map((allocator) => ({ workload, allocator, value: ratioOf(tables, workload, allocator) })),
    ),
  );
}

/** Geometric means over programs, here and as published. */
function means(tables: Tables): Table {
  const rows = order.flatMap((allocator): TableRecord[] => {
    const sides: readonly (readonly [string, readonly number[]])[] = [
      [HERE, measured(tables, allocator)],
      [THERE, johnstoneWilson4[allocator]],
    ];
    return sides.map(([workload, percent]) => {
      const ratios = percent.map((value) => 1 + value / 100);
      const { ratio, low, high } = ratioInterval(
        ratios,
        ratios.map(() => 1),
      );
      return { workload, allocator, value: ratio, lo: Math.max(1, low), hi: high };
    });
  });
  return tableOf([...rows.filter(({ workload }) => workload === HERE), ...rows.filter((r) => r["workload"] === THERE)]);
}

export default defineExperiment({
  name: "policy-comparison",
  title: "Placement policies on recorded programs",
  question:
    "Which placement policies waste little on real programs, headers and rounding apart, and is it as published?",
  factors: {
    quick: { allocators, workloads: workloadsOf(few), seeds: 1 },
    paper: {
      allocators: { ...allocators, "Fibonacci buddy": "fibonacci-buddy", "weighted buddy": "weighted-buddy" },
      workloads: workloadsOf(programs),
      seeds: 1,
    },
  },
  metrics: ["peakLive", "peakResident", "jw1Bytes", "jw4"],
  settings: () => ({ looks: 1, bins: 8 }),
  finding,
  charts: [
    {
      name: "means",
      caption:
        "Peak heap over peak live (measure #4 + 1): geometric means over programs with 95 % intervals, in the order of the published averages.",
      draw: (tables, theme) =>
        bars(means(tables), {
          theme: themeNamed(theme),
          order,
          value: VALUE,
          title: "Policies by peak waste, here and as published",
        }),
    },
    {
      name: "programs",
      caption: "Peak heap over peak live of each recorded program, in the order of the published averages.",
      draw: (tables, theme) =>
        bars(each(tables), {
          theme: themeNamed(theme),
          order,
          value: VALUE,
          title: "Policies by peak waste, program by program",
        }),
    },
  ],
});
