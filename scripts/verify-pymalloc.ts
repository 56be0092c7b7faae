/**
 * The object allocator of an installed CPython against the simulator: the same requests, in pools as good as new, must get the
 * same places and leave the same statistics.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { none, type Ref } from "../allocators/allocator.js";
import { resolveGeometry } from "../allocators/pymalloc/geometry.js";
import type { PymallocBase } from "../allocators/pymalloc/options.js";
import { type PymallocAllocator, pymallocWith } from "../allocators/pymalloc/pymalloc.js";
import { variantOfPython } from "../allocators/pymalloc/python-version.js";
import { readStatistics } from "../allocators/pymalloc/read-statistics.js";
import { type PymallocStatistics, pymallocStatistics } from "../allocators/pymalloc/statistics.js";
import { statisticsText } from "../allocators/pymalloc/statistics-text.js";
import { packageRoot } from "../harness/version.js";
import { createAddressSpace } from "../memory/address-space.js";
import { InputError } from "../memory/errors.js";
import { Request, type Requests, requestLists } from "./pymalloc-requests.js";
import type { Check, Skipped, Target, TargetSettings } from "./verification.js";

export interface VerifyOutcome {
  readonly rows: readonly Check[];
  /** Why nothing was checked. */
  readonly skipped?: string;
}

/** What `python/drive-pymalloc.py` answers. */
interface Driven {
  readonly skip?: string;
  readonly version: readonly [number, number, number];
  readonly alignment: number;
  readonly before: string;
  readonly places: readonly number[];
  readonly events: readonly [number, "A" | "F", number][];
  readonly texts: readonly string[];
}

/** Arenas that the driver has room for. */
const MOST_ARENAS = 512;
const OLDEST_MINOR = 6;
const bases: readonly PymallocBase[] = ["aligned", "m16", "page", "mixed"];
const driver = join(packageRoot, "scripts", "python", "drive-pymalloc.py");

/** The environment without settings that would change the interpreter's allocator. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PYTHON")));
}

/** Version of a Python, or the reason why it cannot be checked. Throws an `InputError` where it does not start. */
function versionOf(python: string): { minor: number } | string {
  const code = "import sys; print('%d.%d' % sys.version_info[:2])";
  const run = spawnSync(python, ["-c", code], { encoding: "utf8", env: environment() });
  const { code: fault } = (run.error ?? {}) as NodeJS.ErrnoException;
  if (fault !== undefined)
    throw new InputError(`--python ${python}: does not start (${fault}): name an installed CPython`);
  const version = /^(\d+)\.(\d+)\s*$/.exec(run.stdout);
  if (run.status !== 0 || version === null) {
    const said = run.stderr.trim().split("\n").at(-1) ?? "";
    throw new InputError(
      `--python ${python}: does not start${said === "" ? "" : ` ("${said}")`}: name an installed CPython`,
    );
  }
  const [major, minor] = [Number(version[1]), Number(version[2])];
  if (major !== 3 || minor < OLDEST_MINOR)
    return `Python ${major}.${minor} has no hooks for its allocator before 3.${OLDEST_MINOR}`;
  return { minor };
}

function drive(python: string, requests: Requests, offsets: readonly number[]): Driven {
  const header = JSON.stringify({ offsets, arenas: MOST_ARENAS, operations: requests.op.length });
  const columns = [requests.op, requests.block, requests.size].map((column) => Buffer.from(column.buffer));
  const run = spawnSync(python, ["-I", "-S", driver], {
    input: Buffer.concat([Buffer.from(`${header}\n`), ...columns]),
    env: environment(),
    maxBuffer: 1 << 28,
  });
  const said = run.stderr?.toString("utf8").trim().split("\n").at(-1) ?? "";
  if (run.error !== undefined || run.status !== 0) {
    throw new InputError(`--python ${python}: the driver ended with ${run.signal ?? run.status}${said && `: ${said}`}`);
  }
  return JSON.parse(run.stdout.toString("utf8")) as Driven;
}

/** Statistics of an allocator that had all its pools full and then made the arenas of another one besides. */
function added(before: PymallocStatistics, more: PymallocStatistics): PymallocStatistics {
  const byClass = new Map(before.classes.map((row) => [row.class, row]));
  for (const row of more.classes) {
    const old = byClass.get(row.class);
    byClass.set(row.class, {
      ...row,
      pools: row.pools + (old?.pools ?? 0),
      blocksInUse: row.blocksInUse + (old?.blocksInUse ?? 0),
      availBlocks: row.availBlocks + (old?.availBlocks ?? 0),
    });
  }
  return {
    classes: [...byClass.values()].sort((a, b) => a.class - b.class),
    arenasAllocatedTotal: before.arenasAllocatedTotal + more.arenasAllocatedTotal,
    arenasReclaimed: before.arenasReclaimed + more.arenasReclaimed,
    arenasHighwater: Math.max(before.arenasHighwater, before.arenasCurrent + more.arenasHighwater),
    arenasCurrent: before.arenasCurrent + more.arenasCurrent,
    bytesArenas: before.bytesArenas + more.bytesArenas,
    bytesAllocated: before.bytesAllocated + more.bytesAllocated,
    bytesAvailable: before.bytesAvailable + more.bytesAvailable,
    unusedPools: before.unusedPools + more.unusedPools,
    bytesUnusedPools: before.bytesUnusedPools + more.bytesUnusedPools,
    bytesPoolHeaders: before.bytesPoolHeaders + more.bytesPoolHeaders,
    bytesQuantization: before.bytesQuantization + more.bytesQuantization,
    bytesArenaAlignment: before.bytesArenaAlignment + more.bytesArenaAlignment,
    total: before.total + more.total,
  };
}

/** The lines about classes, arenas and bytes; those about the radix tree depend on where the system puts things. */
function comparedLines(text: string): string[] {
  const lines = text.split("\n");
  return lines.slice(0, lines.findIndex((line) => line.startsWith("Total")) + 1);
}

interface Simulated {
  readonly places: readonly number[];
  readonly events: readonly [number, "A" | "F", number][];
  readonly lines: readonly string[];
}

/** Arenas made and returned by a request; it makes or returns one at most. */
function arenaEvent(heap: PymallocAllocator, live: Set<number>, made: number, request: number): Simulated["events"] {
  const { arenas } = heap;
  if (arenas.created > made) {
    live.add(made);
    return [[request, "A", made]];
  }
  if (arenas.slots - arenas.unusedSlots === live.size) return [];
  const gone = [...live].filter((ordinal) => !arenas.ordinal.includes(ordinal));
  for (const ordinal of gone) live.delete(ordinal);
  return gone.map((ordinal) => [request, "F", ordinal]);
}

function simulate(heap: PymallocAllocator, requests: Requests, before: PymallocStatistics): Simulated {
  const { op, block, size } = requests;
  const refs = new Float64Array(op.length + 1);
  const places: number[] = [];
  const lines: string[] = [];
  const events: [number, "A" | "F", number][] = [];
  const live = new Set<number>();
  for (let i = 0; i < op.length; i++) {
    const made = heap.arenas.created;
    if (op[i] === Request.statistics) {
      lines.push(...comparedLines(statisticsText(added(before, pymallocStatistics(heap)), heap.geometry)));
    } else if (op[i] === Request.free) heap.free(refs[block[i]] as Ref);
    else {
      const grows = op[i] === Request.reallocate;
      const ref = grows ? heap.reallocate(refs[block[i]] as Ref, size[i]) : heap.allocate(size[i]);
      if (ref === none) throw new InputError(`${requests.name}: request ${i} found no memory`);
      refs[block[i]] = ref;
      const place = heap.placementOf(ref);
      places.push(place?.arena ?? -1, place?.offset ?? -1);
    }
    events.push(...arenaEvent(heap, live, made, i));
  }
  return { places, events, lines };
}

/** How many of `expected` are also in `got`, place by place, as a row. */
function compared<Item>(target: string, source: string, expected: readonly Item[], got: readonly Item[]): Check {
  const same = expected.map((item, i) => JSON.stringify(item) === JSON.stringify(got[i]));
  const first = same.indexOf(false);
  const equal = same.filter(Boolean).length;
  const pass = equal === expected.length && got.length === expected.length;
  const at = first === -1 ? expected.length : first;
  const difference = `number ${at}: ${JSON.stringify(expected[at])} expected, ${JSON.stringify(got[at])} got`;
  return { target, expected: expected.length, got: equal, tolerance: 0, pass, source, ...(pass ? {} : { difference }) };
}

const pairs = (flat: readonly number[]): string[] =>
  Array.from({ length: flat.length / 2 }, (_, i) => `arena ${flat[2 * i]} offset ${flat[2 * i + 1]}`);

function checkList(python: string, minor: number, base: PymallocBase, requests: Requests): VerifyOutcome {
  const { offsets } = resolveGeometry({ base });
  const driven = drive(python, requests, offsets);
  if (driven.skip !== undefined) return { rows: [], skipped: driven.skip };
  const [reading] = readStatistics(driven.before, python);
  const variant = variantOfPython(minor, driven.alignment);
  const version = driven.version.join(".");
  if (variant === undefined) {
    return { rows: [], skipped: `CPython ${version} with blocks at multiples of ${driven.alignment} has no model` };
  }
  const geometry = resolveGeometry({ variant, base, pool: reading.pool, arena: reading.arena });
  const simulated = simulate(pymallocWith(createAddressSpace(), geometry), requests, reading.statistics);
  const name = `pymalloc/${requests.name}/${base}`;
  const source = `CPython ${version}, blocks at multiples of ${driven.alignment}: ${variant}`;
  return {
    rows: [
      compared(`${name}: placements`, source, pairs(driven.places), pairs(simulated.places)),
      compared(`${name}: arenas made and returned`, source, driven.events, simulated.events),
      compared(`${name}: lines of statistics`, source, driven.texts.flatMap(comparedLines), simulated.lines),
    ],
  };
}

/**
 * Drives the object allocator of `python` and the simulator with the same requests, for each way in which arenas can be
 * aligned. The variant follows from the version and the measured alignment of blocks. Skips with a reason where that Python
 * has no such allocator. Throws an `InputError` for a Python that does not start.
 */
export function verifyPymalloc(python: string): VerifyOutcome {
  const version = versionOf(python);
  if (typeof version === "string") return { rows: [], skipped: version };
  const lists = requestLists();
  const rows: Check[] = [];
  for (const base of bases) {
    for (const requests of lists) {
      const outcome = checkList(python, version.minor, base, requests);
      if (outcome.skipped !== undefined) return outcome;
      rows.push(...outcome.rows);
    }
  }
  return { rows };
}

const DEFAULT_PYTHON = "python3";

/** A Python that was asked for must start; without one in the path there is nothing to check. */
function runTarget({ python }: TargetSettings = {}): readonly Check[] | Skipped {
  try {
    const { rows, skipped } = verifyPymalloc(python ?? DEFAULT_PYTHON);
    return skipped === undefined ? rows : { skipped };
  } catch (error) {
    if (python !== undefined || !(error instanceof InputError)) throw error;
    return { skipped: `no ${DEFAULT_PYTHON} here; name one with --python` };
  }
}

export const pymallocTarget: Target = {
  name: "pymalloc",
  settings: ["python"],
  title: "The object allocator of an installed CPython, driven with the requests that the simulator gets",
  quick: false,
  run: runTarget,
};
