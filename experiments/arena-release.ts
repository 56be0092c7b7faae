import { resolveGeometry } from "../allocators/pymalloc/geometry.js";
import { curves } from "../charts/curves.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, type TableRecord, tableOf } from "../harness/table.js";
import { unitsKept } from "../harness/theory.js";
import { recordsOf } from "../harness/views.js";
import { exp, ln } from "../memory/exact-math.js";
import { parseSelector } from "../memory/options.js";

/** No empty arena is kept, so that what stays is what survivors hold. */
const allocators: Arms = {
  "4 KiB pools, 256 KiB arenas": "pymalloc:variant=cpython-3.9,keep=no",
  "16 KiB pools, 1 MiB arenas": "pymalloc:variant=cpython-3.10,keep=no",
};
const SIZE = 64;
const shares = [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1];
/** Fills 85 of the small arenas and 21 of the large ones to the last block. */
const BLOCKS = 342_720;

const labelOf = (share: number): string => `survivors ${share}`;
const workloads = (arenas: number): Arms =>
  Object.fromEntries(
    shares.map((share) => [
      labelOf(share),
      `random-survivors:size=${SIZE},survivors=${share},blocks=${arenas * BLOCKS}`,
    ]),
  );

const units = ["arenas", "pools"] as const;
type Unit = (typeof units)[number];

/** Blocks in a pool and pools in an arena. */
function geometryOf(allocator: string): { arena: number; blocks: Readonly<Record<Unit, number>> } {
  const { arena, pool, capacity, align } = resolveGeometry(parseSelector(allocators[allocator]).options);
  const pools = capacity[SIZE / align - 1];
  return { arena, blocks: { pools, arenas: (pools * arena) / pool } };
}

/** Units in use over all seeds at a mark. A pool in use has a header. */
function inUse(tables: Tables, allocator: string, share: number, label: string): Record<Unit, number> {
  const looks = recordsOf(tables.looks).filter(
    (look) => look["allocator"] === allocator && look["workload"] === labelOf(share) && look["label"] === label,
  );
  const { arena } = geometryOf(allocator);
  const sum = (value: (look: Record<string, string | number>) => number): number =>
    looks.reduce((total, look) => total + value(look), 0);
  return {
    pools: sum((look) => Number(look["headers"])),
    arenas: sum((look) => (Number(look["mapped"]) - Number(look["kind.meta"])) / arena),
  };
}

export interface Kept {
  readonly allocator: string;
  readonly unit: Unit;
  readonly share: number;
  readonly units: number;
  readonly kept: number;
  /** Share of units that keep a block with chance 1 - (1-f)^k, and the binomial standard deviation of the measured one. */
  readonly expected: number;
  readonly deviation: number;
}

/** What stays after the frees against what chance leaves. */
export function keptUnits(tables: Tables): Kept[] {
  return Object.keys(allocators).flatMap((allocator) =>
    units.flatMap((unit) =>
      shares.map((share) => {
        const before = inUse(tables, allocator, share, "free")[unit];
        const kept = inUse(tables, allocator, share, "survivors")[unit];
        const expected = unitsKept(share, geometryOf(allocator).blocks[unit]);
        const deviation = Math.sqrt((expected * (1 - expected)) / before);
        return { allocator, unit, share, units: before, kept, expected, deviation };
      }),
    ),
  );
}

const LIVE = "bytes of live blocks";

/** The share of the bytes that is still live: what compaction would keep. */
function liveShare(tables: Tables, allocator: string, share: number): number {
  const at = (label: string): number =>
    recordsOf(tables.looks)
      .filter(
        (look) => look["allocator"] === allocator && look["workload"] === labelOf(share) && look["label"] === label,
      )
      .reduce((total, look) => total + Number(look["live"]), 0);
  return at("survivors") / at("free");
}

/** Measured shares as points, with three standard deviations about the expectation, which is the line. */
function curveTable(tables: Tables): Table {
  const rows: TableRecord[] = keptUnits(tables).map(({ allocator, unit, share, units, kept, expected, deviation }) => ({
    workload: allocator,
    allocator: unit,
    x: share,
    y: kept / units,
    line: expected,
    lo: Math.max(0, expected - 3 * deviation),
    hi: Math.min(1, expected + 3 * deviation),
  }));
  for (const allocator of Object.keys(allocators)) {
    for (const x of shares) {
      const y = liveShare(tables, allocator, x);
      rows.push({ workload: allocator, allocator: LIVE, x, y, line: x, lo: Number.NaN, hi: Number.NaN });
    }
  }
  const [first, last] = [shares[0], shares[shares.length - 1]];
  const step = exp(ln(last / first) / 80);
  for (const allocator of Object.keys(allocators)) {
    for (let i = 0, share = first; i <= 80; i++, share *= step) {
      const point = { workload: allocator, x: share, y: Number.NaN, lo: Number.NaN, hi: Number.NaN };
      const { blocks } = geometryOf(allocator);
      for (const unit of units) rows.push({ ...point, allocator: unit, line: unitsKept(share, blocks[unit]) });
      rows.push({ ...point, allocator: LIVE, line: share });
    }
  }
  return tableOf(rows);
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function finding(tables: Tables): string {
  const all = keptUnits(tables);
  const sentences = Object.keys(allocators).map((allocator) => {
    const at = (unit: Unit, share: number): string => {
      const row = all.find((kept) => kept.allocator === allocator && kept.unit === unit && kept.share === share);
      return percent((row?.kept ?? Number.NaN) / (row?.units ?? 1));
    };
    return (
      `with ${allocator}, one survivor in 10 000 blocks of ${SIZE} bytes holds ${at("arenas", 0.0001)} of the arenas and ` +
      `one in 100 ${at("arenas", 0.01)} of the arenas and ${at("pools", 0.01)} of the pools`
    );
  });
  const apart = all.map(({ kept, units, expected, deviation }) => Math.abs(kept / units - expected) / deviation);
  const text = sentences.join("; ");
  return (
    `${text[0].toUpperCase()}${text.slice(1)}. Over ${all.length} measured shares the farthest from 1 - (1-f)^k is ` +
    `${Math.max(...apart.filter(Number.isFinite)).toFixed(1)} binomial standard deviations away.`
  );
}

export default defineExperiment({
  name: "arena-release",
  title: "How many survivors keep an arena",
  question:
    "After a peak, when each block survives with the same small chance: which share of pools and arenas comes back?",
  factors: {
    quick: { allocators, workloads: workloads(1), seeds: 1 },
    paper: { allocators, workloads: workloads(5), seeds: 10 },
  },
  metrics: ["peakMapped", "endMapped", "endLive"],
  settings: () => ({ looks: 1 }),
  finding,
  charts: [
    {
      name: "kept",
      caption:
        "Share of pools and arenas that stay mapped for survivors. Lines: 1 - (1-f)^k, k blocks to a unit, and the live share f that compaction would keep. Points: measured, all seeds; bars: three binomial standard deviations about the line.",
      draw: (tables, theme) =>
        curves(curveTable(tables), {
          theme: themeNamed(theme),
          order: [...units, LIVE],
          title: "What random survivors hold",
          x: { title: "chance of a block to survive", quantity: "share", scale: "log" },
          y: { title: "share kept", quantity: "share", scale: "linear" },
        }),
    },
  ],
});
