import { bars } from "../charts/bars.js";
import { themeNamed } from "../charts/theme.js";
import { timeline } from "../charts/timeline.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Evidence, type RedisFigure, redisFigures } from "../harness/published-redis.js";
import { EVENTS_PER_MILLISECOND } from "../harness/safepoint.js";
import { type Table, tableOf } from "../harness/table.js";
import { cellValue, courses, lookValue, phaseMarks, recordsOf } from "../harness/views.js";

const POINTS = 4000;
/** The quick profile runs the workload at 1/16 of its size; times and counts of controllers shrink alike. */
const SCALES = { quick: 16, paper: 1 } as const;
/** Virtual ms after the last eviction in which controllers go on, at full size: as long as figures were taken after it. */
const IDLE = { alaska72: 8760, mesh402: 5500, mesh402je: 5500 } as const;
/** Moment at which active defragmentation was switched on by hand, half a second after the last eviction. */
const SWITCHED_ON = 2570;
const MIB = 1024 * 1024;
/** Moving starts after the last eviction, as in the artifact's run, so that passes meet the same heap. */
const FIRST_POLL = 2500;

const UNMESHED = "Mesh, not meshing";
const DEFRAG_72 = "active defrag 7.2";
const DEFRAG_40 = "active defrag 4.0";
/** Redis' own defragmentation is of the version that runs on its workload, 4.0 on the server built with its jemalloc. */
const only: Readonly<Record<string, keyof typeof IDLE>> = { [DEFRAG_72]: "alaska72", [DEFRAG_40]: "mesh402je" };

function allocatorsAt(scale: number): Arms {
  const times = `poll=${500 / scale},firstPoll=${FIRST_POLL / scale},minSleep=${10 / scale},fUpper=1.1`;
  return {
    glibc: "glibc",
    jemalloc: `jemalloc:dirtyDecay=${10000 / scale}`,
    mimalloc: `mimalloc:purgeDelay=${10 / scale},purgeExtendDelay=${1 / scale}`,
    Mesh: `mesh:period=${100 / scale},maxPairs=${Math.round(2500 / scale)}`,
    Anchorage: `anchorage:${times}`,
    slide: `handle-table:compact=slide,alpha=1,${times}`,
    "two-finger": `handle-table:compact=twoFinger,alpha=1,${times}`,
    "handles, still": "handle-table:compact=none",
    [DEFRAG_72]: `defrag-hint:passTime=redis72,period=${100 / scale},ignore=${(100 * MIB) / scale},dirtyDecay=${10000 / scale}`,
    [DEFRAG_40]:
      `defrag-hint:hint=mean,lower=0,ignore=${1024 / scale},cycleMin=25,cycleMax=75,period=${100 / scale},` +
      `start=${SWITCHED_ON / scale},prefix=8,quantum=8,dirtyDecay=Infinity,dirtyRatio=8,pages=chunks,chunk=${(2 * MIB) / scale}`,
    oracle: "oracle",
    ...presetsAt(scale, times),
  };
}

/** The other settings of published systems, and Mesh without its idea; drawn apart. */
function presetsAt(scale: number, times: string): Arms {
  // Zones of the historical systems: what the blocks take at the peak and no more, so that a full one is compacted.
  const zone = (288 * MIB) / scale;
  const blockBytes = (256 * MIB) / scale;
  return {
    [UNMESHED]: "mesh:meshing=false",
    zsmalloc: `zsmalloc:${times}`,
    "compact-fit": "compact-fit",
    Macintosh: `classic-mac:heapLimit=${zone}`,
    "Palm OS": `palm:heapLimit=${zone}`,
    "vma, fast": `vma:algorithm=fast,blockBytes=${blockBytes},${times}`,
    "vma, balanced": `vma:algorithm=balanced,blockBytes=${blockBytes},${times}`,
    "vma, full": `vma:algorithm=full,blockBytes=${blockBytes},${times}`,
  };
}

const label = {
  alaska72: "alaska72: Redis 7.2.4",
  mesh402: "mesh402: Redis 4.0.2",
  mesh402je: "mesh402je: Redis 4.0.2 with jemalloc",
} as const;
/** The two servers, each in one picture: the one built with its jemalloc is shown beside the other allocators. */
const shownVariants = ["alaska72", "mesh402"] as const;
const shownAs = (variant: keyof typeof label): (typeof shownVariants)[number] =>
  variant === "mesh402je" ? "mesh402" : variant;
const workloadsAt = (scale: number): Arms => ({
  [label.alaska72]: `redis:variant=alaska72,scale=${scale}`,
  [label.mesh402]: `redis:variant=mesh402,scale=${scale}`,
  [label.mesh402je]: `redis:variant=mesh402je,scale=${scale}`,
});
const names = Object.keys(allocatorsAt(1));
const presets = Object.keys(presetsAt(1, ""));
/** The two pictures of courses: one has the heap of a C program, of handles and of Redis, the other the presets. */
const drawn = {
  footprint: names.filter((name) => !presets.includes(name)),
  // The three algorithms of vma draw one line: it is the records that outweigh the blocks.
  presets: ["glibc", "Anchorage", ...presets.filter((name) => name !== "vma, fast" && name !== "vma, balanced")],
} as const;

/** By how much the workload that ran is smaller than the papers'. */
function scaleOf(tables: Tables): number {
  const spec = String(recordsOf(tables.cells)[0]?.["workloadSpec"] ?? "");
  return Number(/scale=(\d+)/.exec(spec)?.[1] ?? SCALES.quick);
}

/** MB at full size. */
export function megabytesAt(tables: Tables, figure: Pick<RedisFigure, "variant" | "allocator" | "moment">): number {
  const { variant, allocator, moment } = figure;
  const workload = label[variant];
  const factor = scaleOf(tables) / 1e6;
  if (moment === "peak") return cellValue(tables, workload, allocator, "peakFootprint") * factor;
  if (moment === "end") return cellValue(tables, workload, allocator, "endFootprint") * factor;
  // A phase ends where the mark of the next one stands.
  const next = { A: "B evict", B: "C insert", C: "D evict", D: "idle" }[moment];
  return lookValue(tables, workload, allocator, next, "footprint") * factor;
}

/** Ours over the figure; over a range, over its nearest end, 1 within it. */
export function againstFigure(tables: Tables, figure: RedisFigure): number {
  const ours = megabytesAt(tables, figure);
  return ours / Math.min(Math.max(ours, figure.low), figure.high);
}

const shown: Readonly<Record<Evidence, string>> = {
  "replay on the real allocator": "replayed",
  "published RSS": "published",
  "measured RSS": "measured",
  "independent model": "modelled",
};

/** Ours over theirs, one row a figure; a phase that changes nothing for the allocator is left out. */
function comparison(tables: Tables, variant: (typeof shownVariants)[number]): Table {
  const figures = redisFigures.filter((figure) => shownAs(figure.variant) === variant);
  return tableOf(
    figures
      .filter(
        ({ moment, evidence }) =>
          evidence === "measured RSS" || (moment !== "B" && moment !== (variant === "alaska72" ? "C" : "D")),
      )
      .map((figure) => {
        const { allocator, moment, evidence } = figure;
        const when = moment.length === 1 ? `after ${moment}` : moment;
        return {
          workload: label[shownAs(variant)],
          allocator: `${allocator}, ${when} (${shown[evidence]}${figure.variant === variant ? "" : `, ${figure.variant}`})`,
          value: againstFigure(tables, figure),
        };
      }),
  );
}

function finding(tables: Tables): string {
  const mb = (allocator: string, moment: RedisFigure["moment"], variant: RedisFigure["variant"] = "alaska72"): string =>
    megabytesAt(tables, { variant, allocator, moment }).toFixed(1);
  const value = (allocator: string, metric: string): number => cellValue(tables, label.alaska72, allocator, metric);
  const off = redisFigures.map((figure) => Math.abs(againstFigure(tables, figure) - 1));
  const worst = redisFigures[off.indexOf(Math.max(...off))];
  const within = off.filter((x) => x <= 0.01).length;
  const ended = names
    .filter((name) => only[name] !== "mesh402je")
    .map((name) => `${mb(name, "end")} (${name})`)
    .join(", ");
  const saved = 1 - value("Anchorage", "endFootprint") / value("glibc", "endFootprint");
  const table = value("Anchorage", "end.table") / value("Anchorage", "endFootprint");
  const moved = (name: string): string =>
    ((cellValue(tables, label.alaska72, name, "cost.bytesMoved") * scaleOf(tables)) / 1e6).toFixed(1);
  // The controls: direct pointers (N), handles that never move (H0), the same with movement (H1), the ceiling (O).
  const [n, h0, h1, o] = ["glibc", "handles, still", "slide", "oracle"].map(
    (name) => (value(name, "endFootprint") * scaleOf(tables)) / 1e6,
  );
  const scale = scaleOf(tables);
  const patched = value(DEFRAG_72, "cost.referencesPatched") * scale;
  const size = scale === 1 ? "" : `, run at 1/${scale} of its size and multiplied by ${scale}`;
  return (
    `MB at the end of alaska72${size}: ${ended}. Anchorage needs ${value("Anchorage", "pauses")} passes and ` +
    `${moved("Anchorage")} MB of moves, slide ${moved("slide")}, two-finger ${moved("two-finger")}; it ends ` +
    `${(100 * saved).toFixed(0)} % below glibc, and ${(100 * table).toFixed(0)} % of what is left is the table, which never shrinks. ` +
    `Handles on the same heap without movement hold ${h0.toFixed(1)} MB: indirection costs ${(h0 - n).toFixed(1)} MB against ` +
    `glibc, movement brings back ${(h0 - h1).toFixed(1)} MB, and the ${(n - h1).toFixed(1)} MB of both together are ` +
    `${((100 * (n - h1)) / (n - o)).toFixed(0)} % of what free movement without handles could save. ` +
    `Redis' own defragmentation, which patches ${(patched / 1e6).toFixed(2)} million pointers in place of a table, ends at ` +
    `${mb(DEFRAG_72, "end")} MB when its idle time is over, and on mesh402je goes from ${mb(DEFRAG_40, "D", "mesh402je")} to ` +
    `${mb(DEFRAG_40, "end", "mesh402je")}. ` +
    `Of ${off.length} published or measured figures ` +
    `${within} are met within 1 %; the farthest is ${worst.allocator} on ${worst.variant} (${worst.moment}): ` +
    `${megabytesAt(tables, worst).toFixed(1)} against ${worst.low === worst.high ? worst.low : `${worst.low} to ${worst.high}`} (${worst.evidence}).`
  );
}

function drawCourses(tables: Tables, theme: string, order: readonly string[], workloads: readonly string[]): object {
  const course = recordsOf(courses(tables, workloads, POINTS))
    .filter(({ allocator }) => order.includes(String(allocator)))
    .map((row) => ({ ...row, virtual: (Number(row["event"]) + 1) / EVENTS_PER_MILLISECOND }));
  return timeline(tableOf(course), {
    theme: themeNamed(theme),
    order,
    clock: "virtual",
    title: scaleOf(tables) === 1 ? "Redis at the papers' size" : `Redis at 1/${scaleOf(tables)} of the papers' size`,
    marks: (workload) =>
      phaseMarks(tables, workload).map(({ event, label: phase }) => ({
        at: event / EVENTS_PER_MILLISECOND,
        label: phase.split(" ")[0],
      })),
  });
}

const costsOf: Readonly<Record<string, string>> = {
  Anchorage: "anchorage",
  [DEFRAG_72]: "redis72",
  [DEFRAG_40]: "redis",
};

export default defineExperiment({
  name: "redis-defragmentation",
  title: "Redis: who gives memory back?",
  question:
    "After Redis has evicted more than half of its keys at random, how much memory comes back with and without movement?",
  factors: {
    quick: { allocators: allocatorsAt(SCALES.quick), workloads: workloadsAt(SCALES.quick), seeds: 1 },
    paper: { allocators: allocatorsAt(SCALES.paper), workloads: workloadsAt(SCALES.paper), seeds: 1 },
  },
  metrics: ["peakFootprint", "endFootprint", "pauses", "pauseMax", "movedPerByteFreed", "tablePerLiveAtEnd"],
  skip({ workload, allocator }) {
    const variant = only[allocator.label];
    if (workload.options["variant"] === variant) return undefined;
    if (variant !== undefined) return `this version and setting ran on ${variant}`;
    if (workload.options["variant"] === "mesh402je") return "this server is built with its own jemalloc";
    const isSmall = workload.options["variant"] === "mesh402" && workload.options["scale"] !== 1;
    return isSmall && presets.includes(allocator.label) ? "in the paper profile" : undefined;
  },
  settings: ({ workload, allocator }) => ({
    looks: 1,
    idle: IDLE[workload.options["variant"] as keyof typeof IDLE] / Number(workload.options["scale"]),
    costs: costsOf[allocator.label] ?? "raw",
  }),
  finding,
  charts: [
    {
      name: "footprint",
      caption:
        "Footprint over virtual time (4 million requests a second; times and bytes are those of the scale that ran): A inserts 700,000 keys, B evicts to the limit, C inserts larger values, D evicts again, then the server is idle. Active defrag 4.0 is of the server built with its own jemalloc, which evicts by that allocator's sizes: its requests are others, so that it has a panel of its own.",
      draw: (tables, theme) => drawCourses(tables, theme, drawn.footprint, Object.values(label)),
    },
    {
      name: "footprint-presets",
      caption:
        "The same of further published systems, as if each were Redis' allocator: the three algorithms of vma draw one line, for its records outweigh objects as small as these, and the two historical systems compact only when their zone is full, which it never is.",
      draw: (tables, theme) => drawCourses(tables, theme, drawn.presets, [label.alaska72]),
    },
    ...shownVariants.map((variant) => ({
      name: `published-${variant}`,
      caption:
        "Our footprint over theirs at the same moment: 1 is agreement, or within the range of several machines. Replayed: the same requests on the real allocator. Published: resident memory of the whole process, of which about 6 MB are not its heap. Measured: the same of a run of our own. Modelled: a second implementation of the same rules.",
      draw: (tables: Tables, theme: string) =>
        bars(comparison(tables, variant), {
          theme: themeNamed(theme),
          title: "Footprint, ours / theirs",
          value: "ours / theirs",
        }),
    })),
  ],
});
