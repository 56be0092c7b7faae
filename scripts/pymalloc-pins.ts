/** `fraglab pymalloc pins`: who keeps which arena. */
import {
  type AfterOldest,
  type ArenaPins,
  afterOldest,
  arenaPins,
  type GroupPins,
  groupPins,
  homesOf,
  type PoolsByBlocks,
  poolsByBlocks,
  type Survivors,
} from "../allocators/pymalloc/pins.js";
import { type PoolOccupancy, PoolOccupancyRecorder } from "../allocators/pymalloc/pool-occupancy.js";
import { PoolWord } from "../allocators/pymalloc/pool-table.js";
import type { Trace } from "../workloads/trace.js";
import { drawPins } from "./pymalloc-pictures.js";
import {
  type Alive,
  aliveAt,
  type PymallocRun,
  type PymallocRunOptions,
  preparePymalloc,
  runEvents,
} from "./pymalloc-run.js";
import { formatBytes, textTable } from "./text-table.js";

interface PinsOptions extends PymallocRunOptions {
  readonly out?: string;
  readonly top: number;
  readonly json?: boolean;
}

/** Moments of the picture, and rows of it. */
const LOOKS = 256;
const ROWS = 512;
/** Groups of ages, each of the same number of events. */
const AGES = 8;
/** Points of the curve of survivors. */
const POINTS = 400;

interface PinsReport {
  readonly allocator: string;
  readonly trace: string;
  readonly events: number;
  readonly arenas: readonly ArenaPins[];
  readonly pools: readonly PoolsByBlocks[];
  readonly sizes: readonly GroupPins[];
  readonly ages: readonly GroupPins[];
  /** Absent where the trace knows no sites. */
  readonly sites?: readonly GroupPins[];
  readonly oldest: readonly AfterOldest[];
  /** Live blocks of the C library, which keep no arena. */
  readonly outside: Alive["outside"];
}

function recordRun(run: PymallocRun): PoolOccupancy {
  const recorder = new PoolOccupancyRecorder(run.heap);
  let from = 0;
  for (let k = 1; k <= LOOKS; k++) {
    const to = Math.round((run.at * k) / LOOKS);
    runEvents(run, from, to);
    recorder.add();
    from = to;
  }
  return recorder.build(ROWS);
}

function ageGroups(survivors: Survivors, at: number): { group: Int32Array; names: string[] } {
  const span = Math.max(1, Math.ceil(at / AGES));
  const names = Array.from({ length: AGES }, (_, k) => `${k * span} - ${Math.min(at, (k + 1) * span) - 1}`);
  return { group: Int32Array.from(survivors.birth, (birth) => Math.floor(birth / span)), names };
}

/** 1, 2, 5, 10, 20, 50, ... below `total`: the numbers of survivors that the text names. */
function roundNumbers(total: number): number[] {
  const numbers: number[] = [];
  for (let scale = 1; scale <= total; scale *= 10) numbers.push(scale, 2 * scale, 5 * scale);
  return numbers.filter((number) => number < total);
}

function pointsOf(total: number): Set<number> {
  const step = Math.max(1, Math.ceil(total / POINTS));
  const even = Array.from({ length: Math.floor(total / step) }, (_, k) => (k + 1) * step);
  return new Set([...even, ...roundNumbers(total)]);
}

function siteNames({ sites }: Trace): string[] {
  return ["(not known)", ...sites.names];
}

const mostPinned = (a: GroupPins, b: GroupPins): number =>
  b.arenasAlone - a.arenasAlone || b.poolsAlone - a.poolsAlone || b.liveBytes - a.liveBytes;

function reportOf(run: PymallocRun): PinsReport {
  const { heap, trace, selector: allocator, at: events } = run;
  const { survivors, outside } = aliveAt(run);
  const homes = homesOf(heap, survivors);
  const classes = homes.pool.map((pool) => heap.pools.get(pool, PoolWord.sizeClass));
  const sizeNames = Array.from(heap.geometry.capacity, (_, c) => String((c + 1) * heap.geometry.align));
  const ages = ageGroups(survivors, events);
  const report = {
    allocator,
    trace: trace.name,
    events,
    arenas: arenaPins(heap, survivors, homes),
    pools: poolsByBlocks(survivors, homes),
    sizes: groupPins(survivors, homes, classes, sizeNames),
    ages: groupPins(survivors, homes, ages.group, ages.names),
    outside,
  };
  const sites =
    survivors.site.length === 0 && trace.sites.names.length === 0
      ? {}
      : { sites: groupPins(survivors, homes, survivors.site, siteNames(trace)).sort(mostPinned) };
  // Last, since it takes the heap apart.
  return { ...report, ...sites, oldest: afterOldest(heap, survivors, homes, pointsOf(survivors.length)) };
}

function poolTable(rows: readonly PoolsByBlocks[], poolBytes: number): string {
  return textTable(
    ["blocks in the pool", "pools", "kept", "blocks", "live"],
    rows.map((row) => [
      row.least === row.most ? String(row.least) : `${row.least} - ${row.most}`,
      String(row.pools),
      formatBytes(row.pools * poolBytes),
      String(row.blocks),
      formatBytes(row.liveBytes),
    ]),
  );
}

function groupTable(head: string, rows: readonly GroupPins[]): string {
  return textTable(
    [head, "blocks", "live", "pools", "pools alone", "arenas", "arenas alone"],
    rows.map((row) => [
      row.name,
      String(row.blocks),
      formatBytes(row.liveBytes),
      String(row.pools),
      String(row.poolsAlone),
      String(row.arenas),
      String(row.arenasAlone),
    ]),
  );
}

function arenaTable(rows: readonly ArenaPins[]): string {
  const events = (event: number): string => (Number.isNaN(event) ? "-" : String(event));
  return textTable(
    ["arena", "slot", "pools in use", "blocks", "live", "oldest from event", "newest from event"],
    rows.map((row) => [
      String(row.arena),
      String(row.slot),
      `${row.poolsInUse}/${row.pools}`,
      String(row.blocks),
      formatBytes(row.liveBytes),
      events(row.oldest),
      events(row.newest),
    ]),
  );
}

/** The curve at 1, 2, 5, 10, 20, ... survivors, as far as it has them, and at its end. */
function oldestTable(rows: readonly AfterOldest[]): string {
  const total = rows.at(-1)?.freed ?? 0;
  const wanted = new Set([...roundNumbers(total), total]);
  const first = rows[0];
  return textTable(
    ["oldest gone", "live bytes gone", "pools that return", "arenas that return"],
    rows
      .filter((row) => wanted.has(row.freed))
      .map((row) => [
        String(row.freed),
        formatBytes(first.liveBytes - row.liveBytes),
        formatBytes(first.poolBytes - row.poolBytes),
        formatBytes(first.arenaBytes - row.arenaBytes),
      ]),
  );
}

/** The arenas with the fewest blocks first, and how many blocks would have to go, or to move, for the first k of them. */
function weakest(arenas: readonly ArenaPins[]): ArenaPins[] {
  return [...arenas].sort((a, b) => a.blocks - b.blocks || a.arena - b.arena);
}

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? "" : "s"}`;

/** What a compaction has to move to empty half of the arenas that blocks keep. */
function half(arenas: readonly ArenaPins[]): string {
  const rows = weakest(arenas).slice(0, Math.ceil(arenas.length / 2));
  const blocks = rows.reduce((sum, row) => sum + row.blocks, 0);
  const bytes = rows.reduce((sum, row) => sum + row.liveBytes, 0);
  return `To empty ${count(rows.length, "arena")} of them, a compaction would have to move ${count(blocks, "block")}, ${formatBytes(bytes)}, at least`;
}

/** How many arenas there are, and who keeps them: blocks, or the allocator itself. */
function arenasLine(arenas: readonly ArenaPins[], arenaBytes: number, poolBytes: number): string {
  const kept = arenas.filter((row) => row.blocks > 0);
  const live = kept.reduce((sum, row) => sum + row.liveBytes, 0);
  const blocks = kept.reduce((sum, row) => sum + row.blocks, 0);
  const empty = arenas.length - kept.length;
  const rest = empty === 0 ? "" : `; ${count(empty, "empty arena")} kept by the allocator`;
  return `${count(kept.length, "arena")} of ${formatBytes(arenaBytes)}, pools of ${formatBytes(poolBytes)}: kept by ${count(blocks, "block")}, ${formatBytes(live)} live${rest}`;
}

function textOf(report: PinsReport, run: PymallocRun, top: number): string {
  const { arena, pool } = run.heap.geometry;
  const { arenas } = report;
  const kept = arenas.filter((row) => row.blocks > 0);
  const cut = (what: string, all: number): string => (all > top ? `, ${top} of ${all} ${what} (--top for more)` : "");
  const parts = [
    `${report.trace} after ${report.events} events on ${report.allocator}`,
    arenasLine(arenas, arena, pool),
    `${count(report.outside.blocks, "larger block")}, ${formatBytes(report.outside.bytes)}, outside of the arenas`,
    ...(kept.length === 0 ? [] : [half(kept)]),
    "",
    `Arenas, the weakest kept first${cut("arenas", arenas.length)}`,
    arenaTable(weakest(arenas).slice(0, top)),
    "",
    "If the oldest survivors were gone",
    oldestTable(report.oldest),
    "",
    "Pools by the number of blocks that keep them",
    poolTable(report.pools, pool),
    "",
    "By size class in bytes; alone: pools and arenas that nothing else keeps",
    groupTable("size", report.sizes),
    "",
    "By event of birth",
    groupTable("born", report.ages),
  ];
  if (report.sites !== undefined) {
    parts.push(
      "",
      `By allocation site${cut("sites", report.sites.length)}`,
      groupTable("site", report.sites.slice(0, top)),
    );
  }
  return `${parts.join("\n")}\n`;
}

/** Prints who keeps the arenas after the first `--at` events; `--out` writes the pictures too. */
export async function pymallocPins(options: PinsOptions): Promise<void> {
  const run = await preparePymalloc(options);
  const occupancy = recordRun(run);
  const report = reportOf(run);
  if (options.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  else process.stdout.write(textOf(report, run, options.top));
  if (options.out === undefined) return;
  for (const file of await drawPins(options.out, { ...report, occupancy })) process.stderr.write(`${file}\n`);
}
