/** `fraglab pymalloc read`: the statistics of a process, beside those of a simulated heap. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { POOL_HEADER } from "../allocators/pymalloc/geometry.js";
import { readStatistics, type StatisticsReading } from "../allocators/pymalloc/read-statistics.js";
import { type PymallocStatistics, pymallocStatistics } from "../allocators/pymalloc/statistics.js";
import { tableOf } from "../harness/table.js";
import { InputError } from "../memory/errors.js";
import { fileError } from "../workloads/file-errors.js";
import { drawClasses } from "./pymalloc-pictures.js";
import { type PymallocRunOptions, preparePymalloc, runEvents } from "./pymalloc-run.js";
import { formatBytes, textTable } from "./text-table.js";

interface ReadOptions extends PymallocRunOptions {
  readonly out?: string;
  readonly json?: boolean;
}

/** A heap by its name: a process, or a simulated one. */
interface State {
  readonly name: string;
  readonly statistics: PymallocStatistics;
  readonly pool: number;
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw fileError(file, error);
  }
}

async function simulated(options: PymallocRunOptions): Promise<State | undefined> {
  if (options.trace === undefined && options.workload === undefined) {
    const idle = (["variant", "options", "at"] as const).find((name) => options[name] !== undefined);
    if (idle === undefined) return undefined;
    throw new InputError(`--${idle} is of the simulated heap: give --trace FILE or --workload NAME with it`);
  }
  const run = await preparePymalloc(options);
  runEvents(run, 0, run.at);
  const name = `${run.trace.name} after ${run.at} events, ${run.selector}`;
  return { name, statistics: pymallocStatistics(run.heap), pool: run.heap.geometry.pool };
}

const totals: readonly (readonly [string, (s: PymallocStatistics) => number])[] = [
  ["arenas allocated in all", (s) => s.arenasAllocatedTotal],
  ["arenas at most", (s) => s.arenasHighwater],
  ["arenas now", (s) => s.arenasCurrent],
  ["bytes of arenas", (s) => s.bytesArenas],
  ["in allocated blocks", (s) => s.bytesAllocated],
  ["in available blocks", (s) => s.bytesAvailable],
  ["in unused pools", (s) => s.bytesUnusedPools],
  ["lost to pool headers", (s) => s.bytesPoolHeaders],
  ["lost to quantization", (s) => s.bytesQuantization],
  ["lost to arena alignment", (s) => s.bytesArenaAlignment],
];

function classTable(states: readonly State[]): string {
  const sizes = [...new Set(states.flatMap(({ statistics }) => statistics.classes.map((row) => row.size)))];
  const rows = sizes
    .sort((a, b) => a - b)
    .map((size) => [
      String(size),
      ...states.flatMap(({ statistics }) => {
        const row = statistics.classes.find((one) => one.size === size);
        return [row?.pools ?? 0, row?.blocksInUse ?? 0, row?.availBlocks ?? 0].map(String);
      }),
    ]);
  return textTable(["size", ...states.flatMap(() => ["pools", "in use", "available"])], rows);
}

/** Names of two heaps over the columns of their tables. */
function namesLine(states: readonly State[]): string {
  return states.map(({ name }, i) => `${states.length > 1 ? (i === 0 ? "left: " : "right: ") : ""}${name}`).join("\n");
}

function textOf(reading: StatisticsReading, printings: number, states: readonly State[]): string {
  const s = reading.statistics;
  const share =
    s.bytesArenas === 0
      ? ""
      : `, ${((100 * s.bytesAllocated) / s.bytesArenas).toFixed(1)} % of them in allocated blocks`;
  return `${[
    namesLine(states),
    `${printings > 1 ? `${printings} printings, this is the last; ` : ""}${reading.classes} size classes up to ${reading.threshold} bytes, pools of ${formatBytes(reading.pool)}, arenas of ${formatBytes(reading.arena)}: ${formatBytes(s.bytesArenas)} of arenas${share}`,
    ...(reading.freeLists.length > 0
      ? [`free lists of types hold ${formatBytes(reading.freeListBytes)} of the allocated blocks and of larger ones`]
      : []),
    "",
    textTable(
      ["", ...states.map((_, i) => (i === 0 ? "process" : "simulated"))],
      totals.map(([name, of]) => [name, ...states.map(({ statistics }) => String(of(statistics)))]),
    ),
    "",
    classTable(states),
  ].join("\n")}\n`;
}

/** What the pools of each class hold, in the kinds of the accounting; live blocks count at the size of their class. */
function classRecords({ name, statistics, pool }: State) {
  const allocator = `${name}\n${statistics.arenasCurrent} arenas, ${statistics.unusedPools} unused pools of ${formatBytes(pool)}`;
  return statistics.classes.flatMap((row) => {
    const parts = {
      live: row.blocksInUse * row.size,
      header: row.pools * POOL_HEADER,
      tail: row.pools * ((pool - POOL_HEADER) % row.size),
      free: row.availBlocks * row.size,
    };
    return Object.entries(parts).map(([kind, bytes]) => ({ allocator, size: row.size, kind, bytes }));
  });
}

/**
 * Prints what a process said of its allocator, beside a simulated heap where a trace is given; `--out` draws both. Throws an
 * `InputError` for a file without such a text.
 */
export async function pymallocRead(file: string, options: ReadOptions): Promise<void> {
  const readings = readStatistics(readText(file), file);
  const reading = readings[readings.length - 1];
  const other = await simulated(options);
  const states: State[] = [
    { name: basename(file), statistics: reading.statistics, pool: reading.pool },
    ...(other === undefined ? [] : [other]),
  ];
  if (options.json) {
    const { pool: _, ...simulatedState } = other ?? { pool: 0 };
    const json = { file, printings: readings.length, ...reading, ...(other ? { simulated: simulatedState } : {}) };
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
  } else process.stdout.write(textOf(reading, readings.length, states));
  if (options.out === undefined) return;
  const records = states.flatMap(classRecords);
  const title = other === undefined ? "Size classes of the process" : "Size classes: the process and the simulation";
  for (const path of await drawClasses(options.out, tableOf(records), title, {
    file: basename(file),
    simulated: other?.name ?? null,
  }))
    process.stderr.write(`${path}\n`);
}
