import { type Bound, bounds } from "../charts/bounds.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, tableOf } from "../harness/table.js";
import { robsonLowerBound, robsonUpperBound } from "../harness/theory.js";
import { cellValue } from "../harness/views.js";

/** Bytes of a word. */
const WORD = 16;
const LIVE = { quick: 2048, paper: 16384 } as const;
/** Room at the right of the chart. */
const ROOM = 0.4;
/** log2 of the largest request. */
const EXPONENTS = { quick: [1, 2, 3, 4, 5, 6, 7, 8], paper: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] } as const;

const POLICY = "header=none,wilderness=preserved,growth=0";
const MOVER = "first fit that may move 1/20";
const allocators: Arms = {
  "first fit": `first-fit:${POLICY}`,
  "best fit": `best-fit:${POLICY}`,
  "next fit": `next-fit:${POLICY}`,
  "worst fit": `worst-fit:${POLICY}`,
  "binary buddy": "buddy",
  [MOVER]: "c-partial:manager=evacuate,c=20",
};
const order = Object.keys(allocators);
const still = order.filter((name) => name !== MOVER);

const labelOf = (exponent: number): string => `n = ${1 << exponent}`;
const workloadsOf = (profile: keyof typeof LIVE): Arms =>
  Object.fromEntries(
    EXPONENTS[profile].map((k) => [labelOf(k), `robson:live=${LIVE[profile]},largest=${1 << k},word=${WORD}`]),
  );

/** Words live, as the run had it, and the exponents that ran. */
function ran(tables: Tables): { live: number; exponents: readonly number[] } {
  const exponents = EXPONENTS.paper.filter((k) => cellValue(tables, labelOf(k), order[0], "peakLive") > 0);
  return { live: cellValue(tables, labelOf(exponents[0]), order[0], "peakLive") / WORD, exponents };
}

const extentOf = (tables: Tables, exponent: number, allocator: string): number =>
  cellValue(tables, labelOf(exponent), allocator, "extent") / WORD;

function finding(tables: Tables): string {
  const { live, exponents } = ran(tables);
  const last = exponents[exponents.length - 1];
  const lower = (k: number): number => robsonLowerBound(live, 1 << k);
  const upper = (k: number): number => robsonUpperBound(live, 1 << k);
  const between = exponents.every((k) =>
    still.every((name) => extentOf(tables, k, name) >= lower(k) && extentOf(tables, k, name) <= upper(k)),
  );
  const fits = still.slice(0, 4).map((name) => extentOf(tables, last, name));
  const same = new Set(fits).size === 1;
  const mover = extentOf(tables, last, MOVER);
  return (
    `Robson's program with ${live} words live and requests up to ${1 << last} drives ` +
    `${same ? "first, best, next and worst fit alike" : "the four fits"} to ${fits.join(", ").replace(/^(\d+)(, \1)+$/, "$1")} words and the ` +
    `binary buddy system to ${extentOf(tables, last, "binary buddy")}; no allocator that does not move blocks gets ` +
    `below ${lower(last)}, and ${upper(last)} always suffice. ${between ? "All" : "Not all"} of the ${still.length * exponents.length} points lie ` +
    `between the bounds. A first fit that may move one word for twenty allocated needs ${mover}, ` +
    `${(100 * (mover / live)).toFixed(0)} % of what is live.`
  );
}

function points(tables: Tables): Table {
  const { live, exponents } = ran(tables);
  return tableOf(
    exponents.flatMap((x) =>
      order.map((allocator) => ({
        workload: `${live} words live`,
        allocator,
        x,
        value: extentOf(tables, x, allocator) / live,
      })),
    ),
  );
}

/** The bounds at each quarter of an exponent. */
function lines(tables: Tables): Table {
  const { live, exponents } = ran(tables);
  const last = exponents[exponents.length - 1];
  const xs = [...Array.from({ length: 4 * last - 1 }, (_, i) => (i + 2) / 4), last + ROOM];
  const workload = `${live} words live`;
  // Between powers of two the lines only join the values there.
  const joined = (of: (largest: number) => number, x: number): number => {
    const k = Math.floor(x);
    return of(1 << k) + (x - k) * (of(2 << k) - of(1 << k));
  };
  return tableOf(
    xs.flatMap((x) => [
      { workload, bound: "lower", x, value: joined((n) => robsonLowerBound(live, n), x) / live },
      { workload, bound: "upper", x, value: joined((n) => robsonUpperBound(live, n), x) / live },
    ]),
  );
}

const drawn: readonly Bound[] = [
  {
    name: "lower",
    label: "without moving blocks, no allocator gets below",
    at: 4.25,
    side: "below right",
    shaded: true,
    dash: [],
  },
  { name: "upper", label: "M (1 + b/2): always enough", at: 4.5, side: "above left", dash: [4, 2] },
];

export default defineExperiment({
  name: "robson-bound",
  title: "Robson's bound",
  question: "How bad can fragmentation get for an allocator that never moves a block, and do real policies reach it?",
  factors: {
    quick: { allocators, workloads: workloadsOf("quick"), seeds: 1 },
    paper: { allocators, workloads: workloadsOf("paper"), seeds: 1 },
  },
  metrics: ["peakLive", "extent"],
  settings: () => ({ looks: 1, extent: true }),
  finding,
  charts: [
    {
      name: "extent",
      caption: "Extent over live words under Robson's program, which reads addresses, against the bounds of 1974.",
      draw(tables, theme) {
        const { exponents } = ran(tables);
        const last = exponents[exponents.length - 1];
        return bounds(points(tables), lines(tables), {
          theme: themeNamed(theme),
          order,
          title: "The worst case of allocators that do not move blocks",
          x: {
            title: "b = log2 of the largest request, in words",
            scale: "linear",
            domain: [0.5, last + ROOM],
            values: exponents,
          },
          y: "extent / live",
          bounds: drawn,
        });
      },
    },
  ],
});
