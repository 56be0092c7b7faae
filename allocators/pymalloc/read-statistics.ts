import { InputError } from "../../memory/errors.js";
import type { ArenaMapStatistics, ClassStatistics, PymallocStatistics } from "./statistics.js";

/** What an interpreter printed of its allocator. */
export interface StatisticsReading {
  readonly statistics: PymallocStatistics;
  /** Largest request served from pools, in bytes, and the number of size classes. */
  readonly threshold: number;
  readonly classes: number;
  /** Sizes in bytes. */
  readonly arena: number;
  readonly pool: number;
  /** Free lists of types, which lie above the allocator: bytes in all, and their lines. */
  readonly freeListBytes: number;
  readonly freeLists: readonly string[];
}

const START = /^Small block threshold = ([\d,]+), in (\d+) size classes\.$/;
const ROW = /^ *(\d+) +(\d+) +(\d+) +(\d+) +(\d+)$/;
const TOTAL = /^(.+?) *= *([\d,]+)$/;
const FREE_LIST = /^ *\d+ free .+ bytes each = *([\d,]+)$/;
const MIMALLOC = /^(?:Medium block threshold|Large object max size) = /;

const numberOf = (text: string): number => Number(text.replaceAll(",", ""));

/** The lines of one printing of the statistics, with what is wrong with them as errors of one line. */
class Printing {
  private readonly file: string;
  private readonly first: number;
  private readonly lines: readonly string[];
  private at = 1;

  /** `first` is the number of the first of the lines in the file, from 1. */
  constructor(file: string, lines: readonly string[], first: number) {
    this.file = file;
    this.lines = lines;
    this.first = first;
  }

  /** The next line, blank ones left out; "" at the end. */
  private peek(): string {
    while (this.at < this.lines.length && this.lines[this.at].trim() === "") this.at++;
    return this.lines[this.at] ?? "";
  }

  /** Moves past the next line if it looks so. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.peek());
    if (match === null) return undefined;
    this.at++;
    return match;
  }

  fault(expected: string): InputError {
    const line = this.peek();
    const got = line === "" ? "the text ends" : JSON.stringify(line.trim().slice(0, 60));
    const mend = "give the whole text of sys._debugmallocstats() of a default build of CPython";
    return new InputError(`${this.file}:${this.first + this.at}: ${got}: expected ${expected}; ${mend}`);
  }

  /** The number of the next line, which must have this label. */
  total(label: RegExp, name: string): RegExpExecArray & { readonly value: number } {
    const line = TOTAL.exec(this.peek());
    const match = line === null ? null : label.exec(line[1]);
    if (line === null || match === null) throw this.fault(`"${name} = NUMBER"`);
    this.at++;
    return Object.assign(match, { value: numberOf(line[2]) });
  }

  count(name: string): number {
    return this.total(new RegExp(`^# ${name}$`), `# ${name}`).value;
  }
}

function readClasses(printing: Printing): ClassStatistics[] {
  const heading = "the heading of the table of classes";
  if (!printing.take(/^class +size +num pools +blocks in use +avail blocks$/)) throw printing.fault(heading);
  if (!printing.take(/^[- ]+$/)) throw printing.fault("dashes under the heading");
  const rows: ClassStatistics[] = [];
  for (let row = printing.take(ROW); row !== undefined; row = printing.take(ROW)) {
    const [index, size, pools, blocksInUse, availBlocks] = row.slice(1).map(Number);
    rows.push({ class: index, size, pools, blocksInUse, availBlocks });
  }
  return rows;
}

function readArenaMap(printing: Printing): ArenaMapStatistics | undefined {
  if (!printing.take(/^arena map counts$/)) return undefined;
  const midNodes = printing.count("arena map mid nodes");
  const botNodes = printing.count("arena map bot nodes");
  const bytesRoot = printing.count("bytes lost to arena map root");
  const bytesMid = printing.count("bytes lost to arena map mid");
  const bytesBot = printing.count("bytes lost to arena map bot");
  return { midNodes, botNodes, bytesRoot, bytesMid, bytesBot, total: printing.total(/^Total$/, "Total").value };
}

/**
 * Statistics add up class by class and in all, so a text that was cut and mended, or misread, does not pass for one. The
 * header of a pool is what the text says it is, since that of a 32-bit build is smaller.
 */
function checkSums(printing: Printing, { statistics: s, threshold, classes, pool }: StatisticsReading): void {
  const sum = (of: (row: ClassStatistics) => number): number => s.classes.reduce((total, row) => total + of(row), 0);
  const inBlocks = sum((row) => row.blocksInUse * row.size);
  const available = sum((row) => row.availBlocks * row.size);
  const pools = sum((row) => row.pools);
  const header = pools === 0 ? 0 : s.bytesPoolHeaders / pools;
  const tails = sum((row) => row.pools * ((pool - header) % row.size));
  const odd = s.classes.find((row) => row.class >= classes || row.size > threshold || row.size === 0);
  if (odd !== undefined) {
    throw printing.fault(`${classes} classes up to ${threshold} bytes, not class ${odd.class} of ${odd.size} bytes`);
  }
  if (available !== s.bytesAvailable) throw printing.fault(`classes that have ${s.bytesAvailable} bytes available`);
  const parts = s.bytesAllocated + s.bytesAvailable + s.bytesUnusedPools + s.bytesPoolHeaders + s.bytesQuantization;
  if (inBlocks !== s.bytesAllocated) throw printing.fault(`classes that add up to ${s.bytesAllocated} bytes in blocks`);
  if (parts + s.bytesArenaAlignment !== s.total || s.total !== s.bytesArenas) {
    throw printing.fault(`six kinds of bytes that add up to ${s.bytesArenas}, the arenas`);
  }
  if (!Number.isInteger(header) || tails !== s.bytesQuantization) {
    throw printing.fault(
      `pools that lose ${s.bytesPoolHeaders} bytes to headers and ${s.bytesQuantization} behind blocks`,
    );
  }
}

function readPrinting(printing: Printing, threshold: number, classes: number): StatisticsReading {
  if (printing.take(MIMALLOC)) {
    throw printing.fault("statistics of pymalloc, not of mimalloc, which a free-threaded build uses");
  }
  // Builds with PYMALLOC_DEBUG and 2.7 count calls as well.
  const rows = readClasses(printing);
  printing.take(/^# times object malloc called +=/);
  const arenasAllocatedTotal = printing.count("arenas allocated total");
  const arenasReclaimed = printing.count("arenas reclaimed");
  const arenasHighwater = printing.count("arenas highwater mark");
  const arenasCurrent = printing.count("arenas allocated current");
  const arenas = printing.total(/^\d+ arenas \* (\d+) bytes\/arena$/, "N arenas * SIZE bytes/arena");
  const bytesAllocated = printing.count("bytes in allocated blocks");
  const bytesAvailable = printing.count("bytes in available blocks");
  const unused = printing.total(/^(\d+) unused pools \* (\d+) bytes$/, "N unused pools * SIZE bytes");
  const reading = {
    statistics: {
      classes: rows,
      arenasAllocatedTotal,
      arenasReclaimed,
      arenasHighwater,
      arenasCurrent,
      bytesArenas: arenas.value,
      bytesAllocated,
      bytesAvailable,
      unusedPools: Number(unused[1]),
      bytesUnusedPools: unused.value,
      bytesPoolHeaders: printing.count("bytes lost to pool headers"),
      bytesQuantization: printing.count("bytes lost to quantization"),
      bytesArenaAlignment: printing.count("bytes lost to arena alignment"),
      total: printing.total(/^Total$/, "Total").value,
    },
    threshold,
    classes,
    arena: Number(arenas[1]),
    pool: Number(unused[2]),
    freeListBytes: 0,
    freeLists: [],
  };
  checkSums(printing, reading);
  const arenaMap = readArenaMap(printing);
  const freeLists: string[] = [];
  let freeListBytes = 0;
  for (let line = printing.take(FREE_LIST); line !== undefined; line = printing.take(FREE_LIST)) {
    freeLists.push(line[0].trim());
    freeListBytes += numberOf(line[1]);
  }
  const statistics = arenaMap === undefined ? reading.statistics : { ...reading.statistics, arenaMap };
  return { ...reading, statistics, freeListBytes, freeLists };
}

/**
 * Reads what `sys._debugmallocstats()` or PYTHONMALLOCSTATS printed, by any CPython from 2.7 to 3.14: every printing in the text,
 * in order, whatever stands around them. Throws an `InputError` of one line, with file and line, for a text without any,
 * in another layout, cut short, or whose numbers do not add up.
 */
export function readStatistics(text: string, file: string): StatisticsReading[] {
  const lines = text.split(/\r?\n/);
  const starts = lines.flatMap((line, i) => (START.test(line) ? [i] : []));
  if (starts.length === 0) {
    const mend = "give the text that sys._debugmallocstats() of CPython writes to standard error";
    throw new InputError(`${file}: no line "Small block threshold = ..., in ... size classes.": ${mend}`);
  }
  return starts.map((start, i) => {
    const [, threshold, classes] = START.exec(lines[start]) ?? [];
    const printing = new Printing(file, lines.slice(start, starts[i + 1] ?? lines.length), start + 1);
    return readPrinting(printing, numberOf(threshold), Number(classes));
  });
}
