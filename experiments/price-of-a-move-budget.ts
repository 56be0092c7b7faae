import { type Bound, bounds } from "../charts/bounds.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, tableOf } from "../harness/table.js";
import { robsonUpperBound } from "../harness/theory.js";
import { cellValue } from "../harness/views.js";

const WORD = 16;

/** Words allocated for each that may be moved; none may where it is Infinity. */
const budgets = [Number.POSITIVE_INFINITY, 1000, 200, 100, 50, 20, 10, 5, 3, 2] as const;
/** In percent of what was allocated. */
const shareOf = (c: number): number => 100 / c;
const nameOf = (c: number): string => `${Number(shareOf(c).toPrecision(3))} %`;

/** Words live and words of the largest request. */
const programs: Readonly<Record<"quick" | "paper", readonly (readonly [live: number, largest: number])[]>> = {
  quick: [
    [1024, 16],
    [2048, 64],
  ],
  paper: [
    [1024, 16],
    [2048, 64],
    [8192, 256],
  ],
};
const labelOf = (live: number, largest: number): string => `M = ${live}, n = ${largest}`;

const allocators: Arms = Object.fromEntries(budgets.map((c) => [nameOf(c), `c-partial:manager=evacuate,c=${c}`]));
const workloadsOf = (profile: "quick" | "paper"): Arms =>
  Object.fromEntries(
    programs[profile].map(([live, largest]) => [
      labelOf(live, largest),
      `robson:live=${live},largest=${largest},word=${WORD},last=plain,moved=freed`,
    ]),
  );

const ratio = (tables: Tables, live: number, largest: number, c: number): number =>
  cellValue(tables, labelOf(live, largest), nameOf(c), "extent") / WORD / live;

/** The programs that ran. */
const ran = (tables: Tables): (readonly [number, number])[] =>
  programs.paper.filter(([live, largest]) => ratio(tables, live, largest, budgets[0]) > 0);

function finding(tables: Tables): string {
  const parts = ran(tables).map(([live, largest]) => {
    const at = (c: number): string => ratio(tables, live, largest, c).toFixed(2);
    return `${at(budgets[0])} x live without moves, ${at(100)} with 1 %, ${at(10)} with 10 % and ${at(2)} with 50 % (M = ${live}, n = ${largest})`;
  });
  const falls = ran(tables).every(([live, largest]) =>
    budgets.every((c, i) => i === 0 || ratio(tables, live, largest, c) <= ratio(tables, live, largest, budgets[i - 1])),
  );
  const shares = ran(tables).map(([live, largest]) => {
    const above = (c: number): number => ratio(tables, live, largest, c) - 1;
    return 100 * (1 - above(10) / above(budgets[0]));
  });
  const back = shares.map((share) => `${share.toFixed(0)} %`).join(" and ");
  return (
    `Against a first fit that may move a share of the words allocated, Robson's program reaches ${parts.join("; ")}. ` +
    `${falls ? "More budget never made it worse" : "More budget made it worse in places"}; a tenth of the allocated words takes away ${back} of what is above live.`
  );
}

const SERIES = "first fit that empties the cheapest window";

function points(tables: Tables): Table {
  return tableOf(
    ran(tables).flatMap(([live, largest]) =>
      budgets.map((c) => ({
        workload: labelOf(live, largest),
        allocator: SERIES,
        x: shareOf(c),
        value: ratio(tables, live, largest, c),
      })),
    ),
  );
}

function lines(tables: Tables): Table {
  return tableOf(
    ran(tables).flatMap(([live, largest]) => {
      const workload = labelOf(live, largest);
      const robson = robsonUpperBound(live, largest) / live;
      const shares = [0, 1, 2, 5, 10, ...Array.from({ length: 31 }, (_, i) => 20 + i)];
      return [
        ...shares.map((x) => ({ workload, bound: "ceiling", x, value: Math.min(robson, 100 / x + 1) })),
        ...[0, 50].map((x) => ({ workload, bound: "live", x, value: 1 })),
      ];
    }),
  );
}

const drawn: readonly Bound[] = [
  { name: "ceiling", label: "proved enough: min(1 + b/2, c + 1)", at: 1, side: "above right", dash: [4, 2] },
  { name: "live", label: "what is live", at: 0, side: "below right", shaded: true, dash: [] },
];

export default defineExperiment({
  name: "price-of-a-move-budget",
  title: "The price of a move budget",
  question: "How much of the worst case goes away if an allocator may move a small share of what is allocated?",
  factors: {
    quick: { allocators, workloads: workloadsOf("quick"), seeds: 1 },
    paper: { allocators, workloads: workloadsOf("paper"), seeds: 1 },
  },
  metrics: ["peakLive", "extent"],
  settings: () => ({ looks: 1, extent: true }),
  finding,
  charts: [
    {
      name: "curve",
      caption:
        "Extent over live words under Robson's program that frees what was moved, against the share of the allocated words that may be moved.",
      draw: (tables, theme) =>
        bounds(points(tables), lines(tables), {
          theme: themeNamed(theme),
          title: "What a budget for moving buys in the worst case",
          x: {
            title: "share of the allocated words that may be moved, %",
            scale: "symlog",
            domain: [0, 50],
            values: [0, 0.5, 1, 2, 5, 10, 20, 50],
          },
          y: "extent / live",
          bounds: drawn,
          joined: true,
        }),
    },
  ],
});
