import type { Geometry } from "./geometry.js";
import type { ClassStatistics, PymallocStatistics } from "./statistics.js";

/** Columns of the table of classes: title and width of the numbers under it, which are set to the right. */
const columns: readonly (readonly [title: string, width: number])[] = [
  ["class", 5],
  ["size", 6],
  ["num pools", 11],
  ["blocks in use", 15],
  ["avail blocks", 13],
];
/** Blanks in front of each title but the first. */
const titleGaps = [0, 3, 3, 3, 2];
const LABEL_WIDTH = 35;
const VALUE_WIDTH = 21;

const withCommas = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

/** A line of the totals (obmalloc.c, printone). */
const total = (label: string, value: number): string =>
  `${label.padEnd(LABEL_WIDTH)}=${withCommas(value).padStart(VALUE_WIDTH)}`;

const heading = (text: (title: string) => string): string =>
  columns.map(([title], i) => " ".repeat(titleGaps[i]) + text(title)).join("");

function classLine(row: ClassStatistics): string {
  const cells = [row.class, row.size, row.pools, row.blocksInUse, row.availBlocks];
  return cells.map((cell, i) => String(cell).padStart(columns[i][1])).join(" ");
}

function mapLines({ arenaMap }: PymallocStatistics): string[] {
  if (arenaMap === undefined) return [];
  return [
    "",
    "arena map counts",
    total("# arena map mid nodes", arenaMap.midNodes),
    total("# arena map bot nodes", arenaMap.botNodes),
    "",
    total("# bytes lost to arena map root", arenaMap.bytesRoot),
    total("# bytes lost to arena map mid", arenaMap.bytesMid),
    total("# bytes lost to arena map bot", arenaMap.bytesBot),
    total("Total", arenaMap.total),
  ];
}

/**
 * What `sys._debugmallocstats()` prints of the object allocator, to the character (obmalloc.c, `_PyObject_DebugMallocStats`,
 * 3.7.3 to 3.14). The interpreter goes on with the free lists of its types, which lie above the allocator.
 */
export function statisticsText(
  statistics: PymallocStatistics,
  geometry: Pick<Geometry, "threshold" | "classes" | "arena" | "pool">,
): string {
  return `${[
    `Small block threshold = ${geometry.threshold}, in ${geometry.classes} size classes.`,
    "",
    heading((title) => title),
    heading((title) => "-".repeat(title.length)),
    ...statistics.classes.map(classLine),
    "",
    total("# arenas allocated total", statistics.arenasAllocatedTotal),
    total("# arenas reclaimed", statistics.arenasReclaimed),
    total("# arenas highwater mark", statistics.arenasHighwater),
    total("# arenas allocated current", statistics.arenasCurrent),
    total(`${statistics.arenasCurrent} arenas * ${geometry.arena} bytes/arena`, statistics.bytesArenas),
    "",
    total("# bytes in allocated blocks", statistics.bytesAllocated),
    total("# bytes in available blocks", statistics.bytesAvailable),
    total(`${statistics.unusedPools} unused pools * ${geometry.pool} bytes`, statistics.bytesUnusedPools),
    total("# bytes lost to pool headers", statistics.bytesPoolHeaders),
    total("# bytes lost to quantization", statistics.bytesQuantization),
    total("# bytes lost to arena alignment", statistics.bytesArenaAlignment),
    total("Total", statistics.total),
    ...mapLines(statistics),
  ].join("\n")}\n`;
}
