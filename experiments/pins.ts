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
/** Blocks from one pin to the next: with as many as fill a page, one pin on each page. */
const spacings = [32, 16, 8, 4, 2, 1].map((pages) => pages * PER_PAGE);
const movers = { slide: "slide", "two-finger": "twoFinger", evacuate: "evacuate", semispace: "semispace" } as const;
type Mover = keyof typeof movers;
const moverNames = Object.keys(movers) as Mover[];

/** One pass when all frees are done: a semispace that goes on flips what is pinned back and forth. */
const armsFor = (blocks: number): Arms => {
  // Allocations, at most a pin for each second survivor, and frees, at 4000 events in a millisecond.
  const freed = (1.75 * blocks) / 4000 + 2;
  return Object.fromEntries(
    moverNames.map((mover) => [
      mover,
      `handle-table:compact=${movers[mover]},alpha=1,fUpper=1.02,fLower=1.01,firstPoll=${freed},poll=1000`,
    ]),
  );
};

const randomLabel = (share: number): string => `${Number((100 * share).toPrecision(3))} % of the survivors pinned`;
const spacedLabel = (spacing: number): string => `one of ${spacing} blocks pinned`;
const workloadsFor = (blocks: number): Arms => {
  const of = (pins: string): string => `random-survivors:blocks=${blocks},size=${SIZE},survivors=${SURVIVE},${pins}`;
  return Object.fromEntries([
    ...shares.map((share) => [randomLabel(share), of(`pinned=${share}`)]),
    ...spacings.map((spacing) => [spacedLabel(spacing), of(`pinEvery=${spacing}`)]),
  ]) as Arms;
};

/** Bytes that passes give back, over those that slide gives back where nothing is pinned: all there is to have. */
function givenBack(tables: Tables, mover: Mover, workload: string): number {
  return cellValue(tables, workload, mover, "reclaimed") / cellValue(tables, randomLabel(0), "slide", "reclaimed");
}

/** Pages without a pinned survivor, (1 - s pi)^k, over the pages that are too many, 1 - s; never more than all. */
export function reclaimable(share: number): number {
  return Math.min(1, exp(PER_PAGE * ln(1 - SURVIVE * share)) / (1 - SURVIVE));
}

/** Blocks that are pinned, of all, where that share of the survivors is, and each of them survives because it is pinned. */
const ofAll = (share: number): number => (SURVIVE * share) / (1 - share + SURVIVE * share);
/** The inverse: the share of the survivors that one block in `spacing` is. */
const ofSurvivors = (spacing: number): number => 1 / (1 + SURVIVE * (spacing - 1));

/** The same where the pins lie at equal distances: as many pages as pins have one, until all have. */
export function reclaimableSpaced(share: number): number {
  return Math.min(1, Math.max(0, 1 - PER_PAGE * ofAll(share)) / (1 - SURVIVE));
}

const THEORY = "bound: pages without a pin";

interface Panel {
  readonly title: string;
  /** Workloads by the share of survivors that they pin, ascending. */
  readonly workloads: readonly (readonly [share: number, workload: string])[];
  readonly bound: (share: number) => number;
  /** Shares at which the bound bends. */
  readonly bends: readonly number[];
}

const panels: readonly Panel[] = [
  {
    title: "pins at random",
    workloads: shares.slice(1).map((share) => [share, randomLabel(share)] as const),
    bound: reclaimable,
    bends: [(1 - exp(ln(1 - SURVIVE) / PER_PAGE)) / SURVIVE],
  },
  {
    title: "pins at equal distances",
    workloads: spacings.map((spacing) => [ofSurvivors(spacing), spacedLabel(spacing)] as const),
    bound: reclaimableSpaced,
    bends: [ofSurvivors(PER_PAGE / SURVIVE), ofSurvivors(PER_PAGE)],
  },
];

/** Shares at which the bound is drawn, closely and where it bends. */
function sharesOf({ bends }: Panel): number[] {
  const [first, last] = [shares[1], shares[shares.length - 1]];
  const even = Array.from({ length: 61 }, (_, i) => first * exp((i / 60) * ln(last / first)));
  return [...even, ...bends].sort((a, b) => a - b);
}

function points(tables: Tables): Table {
  return tableOf(
    panels.flatMap((panel) => [
      ...moverNames.flatMap((mover) =>
        panel.workloads.map(([x, workload]) => {
          const y = Math.max(0, givenBack(tables, mover, workload));
          return { workload: panel.title, allocator: mover as string, x, y, line: y };
        }),
      ),
      ...sharesOf(panel).map((x) => ({
        workload: panel.title,
        allocator: THEORY,
        x,
        y: Number.NaN,
        line: panel.bound(x),
      })),
    ]),
  );
}

function finding(tables: Tables): string {
  const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;
  const on = (workload: string): string =>
    moverNames.map((mover) => `${percent(givenBack(tables, mover, workload))} (${mover})`).join(", ");
  const at = (share: number): string => on(randomLabel(share));
  const below = moverNames.filter((mover) =>
    panels.every(({ workloads, bound }) =>
      workloads.every(([share, workload]) => givenBack(tables, mover, workload) <= bound(share) + 0.03),
    ),
  );
  return (
    `Of the memory that sliding gives back without pins, ${at(0)} comes back; ${at(0.001)} when 1 survivor in 1000 is pinned ` +
    `for life, ${at(0.01)} at 1 in 100 and ${at(0.1)} at 1 in 10. No order of moves can free a page that holds a pin: ` +
    `that leaves at most ${percent(reclaimable(0.01))} at 1 in 100 and ${percent(reclaimable(0.1))} at 1 in 10, and ` +
    `${below.length === moverNames.length ? "none of the four does better" : `${below.join(", ")} stay below`}. ` +
    `The worst case, a pin on each page, needs ${percent(ofSurvivors(PER_PAGE))} of the survivors: ` +
    `${on(spacedLabel(PER_PAGE))} comes back, and ${on(spacedLabel(2 * PER_PAGE))} with one on each second page.`
  );
}

export default defineExperiment({
  name: "pins",
  title: "What pins leave to compaction",
  question: "If a few objects may not move because their raw addresses have escaped, how much memory still comes back?",
  factors: {
    quick: { allocators: armsFor(32_000), workloads: workloadsFor(32_000), seeds: 1 },
    paper: { allocators: armsFor(400_000), workloads: workloadsFor(400_000), seeds: 5 },
  },
  metrics: ["peakFootprint", "endFootprint", "reclaimed", "pauses"],
  settings: () => ({ looks: 1, idle: 30 }),
  finding,
  charts: [
    {
      name: "reclaimed",
      caption:
        "Memory that comes back, over what sliding gives back in one pass without pins, against the share π of the survivors that are pinned for life; s = 1/2 of the objects survive, k = 64 blocks fill a page. No order of moves frees a page with a pin: pins at random leave (1-sπ)^k of the pages without, of which 1-s are to be had; at equal distances each pin holds a page of its own, until at 1 pin in 64 blocks (3 % of the survivors) every page has one. A pass that takes more than it gives back, as a semispace does when pins hold the space it leaves, stands at 0.",
      draw: (tables, theme) =>
        curves(points(tables), {
          theme: themeNamed(theme),
          order: [...moverNames, THEORY],
          title: "Memory that movement gives back, with pins",
          x: { title: "share of the survivors that are pinned", quantity: "share", scale: "log" },
          y: { title: "share of what comes back without pins", quantity: "share", scale: "linear" },
        }),
    },
  ],
});
