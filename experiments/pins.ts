import { curves } from "../charts/curves.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, tableOf } from "../harness/table.js";
import { cellValue } from "../harness/views.js";
import { exp, ln } from "../memory/exact-math.js";

/** With their headers of 16 bytes, 64 blocks fill a page. */
const SIZE = 48;
const PER_PAGE = 64;
const SURVIVE = 0.5;

const shares = [0, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5] as const;
const movers = { slide: "slide", "two-finger": "twoFinger", evacuate: "evacuate", semispace: "semispace" } as const;
type Mover = keyof typeof movers;
const moverNames = Object.keys(movers) as Mover[];

const labelOf = (mover: Mover, share: number): string => `${mover}, ${Number((100 * share).toPrecision(3))} % pinned`;
/** One pass when all frees are done: a semispace that goes on flips what is pinned back and forth. */
const armsFor = (blocks: number): Arms => {
  const freed = (1.5 * blocks) / 4000 + 2;
  return Object.fromEntries(
    moverNames.flatMap((mover) =>
      shares.map((share) => [
        labelOf(mover, share),
        `handle-table:compact=${movers[mover]},alpha=1,fUpper=1.02,fLower=1.01,firstPoll=${freed},poll=1000,pins=sticky,pinShare=${share}`,
      ]),
    ),
  );
};
const WORKLOAD = "48-byte blocks, half of them freed";
const workloadOf = (blocks: number): Arms => ({
  [WORKLOAD]: `random-survivors:blocks=${blocks},size=${SIZE},survivors=${SURVIVE}`,
});

/** Bytes that passes give back, over those that slide gives back where nothing is pinned: all there is to have. */
export function reclaimedShare(tables: Tables, mover: Mover, share: number): number {
  const given = (label: string): number => cellValue(tables, WORKLOAD, label, "reclaimed");
  return given(labelOf(mover, share)) / given(labelOf("slide", 0));
}

/** Pages without a pinned survivor, (1 - s pi)^k, over the pages that are too many, 1 - s; never more than all. */
export function reclaimable(share: number): number {
  return Math.min(1, exp(PER_PAGE * ln(1 - SURVIVE * share)) / (1 - SURVIVE));
}

const THEORY = "pages without a pin, (1-sπ)^64 / (1-s)";

function points(tables: Tables): Table {
  const pinned = shares.slice(1);
  return tableOf([
    ...moverNames
      .flatMap((mover) =>
        pinned.map((x) => ({
          workload: WORKLOAD,
          allocator: mover,
          x,
          y: Math.max(0, reclaimedShare(tables, mover, x)),
        })),
      )
      .map((row) => ({ ...row, line: row.y })),
    ...Array.from({ length: 61 }, (_, i) => pinned[0] * exp((i / 60) * ln(pinned[pinned.length - 1] / pinned[0]))).map(
      (x) => ({ workload: WORKLOAD, allocator: THEORY, x, y: Number.NaN, line: reclaimable(x) }),
    ),
  ]);
}

function finding(tables: Tables): string {
  const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;
  const at = (share: number): string =>
    moverNames.map((mover) => `${percent(reclaimedShare(tables, mover, share))} (${mover})`).join(", ");
  const pinned = shares.slice(1);
  const below = moverNames.filter((mover) =>
    pinned.every((share) => reclaimedShare(tables, mover, share) <= reclaimable(share) + 0.03),
  );
  return (
    `Of the memory that sliding gives back without pins, ${at(0)} comes back; ${at(0.001)} when 1 object in 1000 is pinned ` +
    `for life, ${at(0.01)} at 1 in 100 and ${at(0.1)} at 1 in 10. No order of moves can free a page that holds a pin: ` +
    `that leaves at most ${percent(reclaimable(0.01))} at 1 in 100 and ${percent(reclaimable(0.1))} at 1 in 10, and ` +
    `${below.length === moverNames.length ? "none of the four does better" : `${below.join(", ")} stay below`}.`
  );
}

export default defineExperiment({
  name: "pins",
  title: "What pins leave to compaction",
  question: "If a few objects may not move because their raw addresses have escaped, how much memory still comes back?",
  factors: {
    quick: { allocators: armsFor(32_000), workloads: workloadOf(32_000), seeds: 1 },
    paper: { allocators: armsFor(400_000), workloads: workloadOf(400_000), seeds: 5 },
  },
  metrics: ["peakFootprint", "endFootprint", "reclaimed", "pauses"],
  settings: () => ({ looks: 1, idle: 30 }),
  finding,
  charts: [
    {
      name: "reclaimed",
      caption:
        "Memory that comes back, over what sliding gives back in one pass without pins, against the share π of the objects that are pinned for life; s = 1/2 of the objects survive, k = 64 blocks fill a page. A pass that takes more than it gives back, as a semispace does when pins hold the space it leaves, stands at 0.",
      draw: (tables, theme) =>
        curves(points(tables), {
          theme: themeNamed(theme),
          order: [...moverNames, THEORY],
          title: "Memory that movement gives back, with pins",
          x: { title: "share of the objects that are pinned", quantity: "share", scale: "log" },
          y: { title: "share of what comes back without pins", quantity: "share", scale: "linear" },
        }),
    },
  ],
});
