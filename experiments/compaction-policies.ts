import { curves } from "../charts/curves.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, tableOf } from "../harness/table.js";
import { cellValue } from "../harness/views.js";

const policies = {
  slide: "slide",
  "two-finger": "twoFinger",
  "best fit": "bestFit",
  semispace: "semispace",
  evacuate: "evacuate",
} as const;
type Policy = keyof typeof policies;
const names = Object.keys(policies) as Policy[];

/** Budget of a pass, as a share of the live bytes. */
const budgets = [0.01, 0.03, 0.1, 1] as const;
const labelOf = (policy: Policy, alpha: number): string => `${policy}, passes of ${100 * alpha} %`;
const STILL = "never moves";

const arms: Arms = {
  [STILL]: "handle-table:compact=none",
  ...Object.fromEntries(
    names.flatMap((policy) =>
      budgets.map((alpha) => [
        labelOf(policy, alpha),
        `handle-table:compact=${policies[policy]},alpha=${alpha},fUpper=1.2,fLower=1.05,poll=1,firstPoll=1`,
      ]),
    ),
  ),
};

const REDIS = "Redis (mesh402)";
const TEETH = "sawtooth";
const workloadsOf = (scale: number, events: number): Arms => ({
  [REDIS]: `redis:variant=mesh402,scale=${scale}`,
  [TEETH]: `sawtooth:events=${events},live=10000,survivors=0.1,order=random`,
});
const workloadNames = [REDIS, TEETH];

interface Point {
  readonly policy: Policy;
  readonly alpha: number;
  readonly pause: number;
  readonly footprint: number;
  readonly movedPerFreed: number;
}

/** Where anything was given back: longest pause in ms, mean footprint over mean live, bytes moved for each given back. */
function pointsOf(tables: Tables, workload: string): Point[] {
  return names
    .flatMap((policy) =>
      budgets.map((alpha) => {
        const at = (metric: string): number => cellValue(tables, workload, labelOf(policy, alpha), metric);
        return {
          policy,
          alpha,
          pause: at("pauseMax"),
          footprint: at("meanFootprint") / at("meanLive"),
          movedPerFreed: at("movedPerByteFreed"),
        };
      }),
    )
    .filter(({ movedPerFreed }) => movedPerFreed > 0);
}

/** The points that no other point beats in both respects. */
export function pareto<P>(points: readonly P[], x: (point: P) => number, y: (point: P) => number): P[] {
  return points.filter((p) => !points.some((q) => x(q) <= x(p) && y(q) <= y(p) && (x(q) < x(p) || y(q) < y(p))));
}

const FRONT = "beaten by none";

/** Points of the settings, and a line through those that none beats. */
function chartTable(tables: Tables, x: (point: Point) => number): Table {
  const none = Number.NaN;
  return tableOf(
    workloadNames.flatMap((workload) => {
      const points = pointsOf(tables, workload);
      const front = pareto(points, x, ({ footprint }) => footprint).sort((a, b) => x(a) - x(b));
      return [
        ...points.map((p) => ({ workload, allocator: p.policy, x: x(p), y: p.footprint, line: none })),
        ...front.map((p) => ({ workload, allocator: FRONT, x: x(p), y: none, line: p.footprint })),
      ] as { workload: string; allocator: string; x: number; y: number; line: number }[];
    }),
  );
}

function ofWorkload(tables: Tables, workload: string): string {
  const at = (label: string, metric: string): number => cellValue(tables, workload, label, metric);
  const points = pointsOf(tables, workload);
  const unbeatenBy = (x: (point: Point) => number): string => {
    const best = pareto(points, x, (p) => p.footprint);
    const counts = names
      .map((policy) => [policy, best.filter((point) => point.policy === policy).length] as const)
      .filter(([, count]) => count > 0)
      .map(([policy, count]) => `${policy} ${count}`);
    return `${best.length} (${counts.join(", ")})`;
  };
  const perFreed = names.map((policy) => {
    const label = labelOf(policy, 0.1);
    return `${at(label, "movedPerByteFreed").toFixed(2)} (${policy})`;
  });
  const still = at(STILL, "meanFootprint") / at(STILL, "meanLive");
  const times = names.map((policy) => {
    const label = labelOf(policy, 0.1);
    const [p50, p99, max] = ["pauseP50", "pauseP99", "pauseMax"].map((metric) => (1000 * at(label, metric)).toFixed(0));
    return `${p50}/${p99}/${max} (${policy})`;
  });
  return (
    `On ${workload}, where the table alone would hold ${still.toFixed(2)} x live on average, passes of 10 % move ` +
    `${perFreed.join(", ")} bytes for each byte given back, with pauses (p50/p99/max, µs) of ${times.join(", ")}. ` +
    `Of ${points.length} settings that give memory back, ${unbeatenBy((p) => p.pause)} are beaten by none in both longest pause ` +
    `and mean footprint, and ${unbeatenBy((p) => p.movedPerFreed)} in both bytes moved for each given back and mean footprint.`
  );
}

export default defineExperiment({
  name: "compaction-policies",
  title: "What to move, and how much at a time",
  question: "What does each order of moves cost in bytes copied and in pauses, and what footprint does it buy?",
  factors: {
    quick: { allocators: arms, workloads: workloadsOf(64, 100_000), seeds: 1 },
    paper: { allocators: arms, workloads: workloadsOf(4, 2_000_000), seeds: 5 },
  },
  metrics: ["meanFootprint", "endFootprint", "pauses", "pauseP50", "pauseP99", "pauseMax", "movedPerByteFreed"],
  settings: () => ({ looks: 1, idle: 20 }),
  finding: (tables) => workloadNames.map((workload) => ofWorkload(tables, workload)).join(" "),
  charts: [
    {
      name: "pause-against-footprint",
      caption:
        "Mean footprint over mean live bytes against the longest pause (virtual time by the coefficients `raw`); each point is a budget of a pass from 1 % to all of the live bytes. Low and left is better; the line joins what nothing beats.",
      draw: (tables, theme) =>
        curves(
          chartTable(tables, (point) => point.pause),
          {
            theme: themeNamed(theme),
            order: [...names, FRONT],
            title: "Footprint bought with pauses",
            x: { title: "longest pause, ms", quantity: "count", scale: "log" },
            y: { title: "mean footprint / mean live", quantity: "count", scale: "log" },
          },
        ),
    },
    {
      name: "moves-against-footprint",
      caption:
        "Mean footprint over mean live bytes against the bytes moved for each byte that passes give back; each point is a budget of a pass from 1 % to all of the live bytes. Low and left is better; the line joins what nothing beats.",
      draw: (tables, theme) =>
        curves(
          chartTable(tables, (point) => point.movedPerFreed),
          {
            theme: themeNamed(theme),
            order: [...names, FRONT],
            title: "Footprint bought with moves",
            x: { title: "bytes moved / byte given back", quantity: "count", scale: "log" },
            y: { title: "mean footprint / mean live", quantity: "count", scale: "log" },
          },
        ),
    },
  ],
});
