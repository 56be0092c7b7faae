import { InputError } from "../../memory/errors.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";

/**
 * What CPython's small-object allocator has been on 64-bit builds. There are four placement behaviours: 3.11 places as 3.10
 * does and differs in the tree that finds the owner of an address.
 */
export const pymallocVariants = ["cpython-3.7", "cpython-3.8", "cpython-3.9", "cpython-3.10", "cpython-3.11"] as const;
export type PymallocVariant = (typeof pymallocVariants)[number];

/** Where arenas start relative to a multiple of the arena size: it decides how many pools an arena loses. */
export type PymallocBase = "aligned" | "m16" | "page" | "mixed";

export interface PymallocOptions {
  variant: PymallocVariant;
  base: PymallocBase;
  /** POOL_SIZE in bytes; 0 is the variant's own. */
  pool: number;
  /** ARENA_SIZE in bytes; 0 is the variant's own. */
  arena: number;
}

/** Links inside a pool are 16-bit granule numbers, which is what bounds a pool. */
const POOL_MAX = 1 << 20;
const ARENA_MAX = 1 << 30;

export const pymallocOptions: OptionTable<PymallocOptions> = {
  variant: {
    kind: "choice",
    values: pymallocVariants,
    default: "cpython-3.10",
    help: "whose code: 3.7 up to 3.7.3, 3.8 also 3.7.4 and later, 3.9, 3.10, or 3.11 up to 3.14",
  },
  base: {
    kind: "choice",
    values: ["aligned", "m16", "page", "mixed"],
    default: "aligned",
    help: "where arenas start: aligned, 16 bytes in (malloc), 12 KiB in (often mmap), or a cycle of eight offsets",
  },
  pool: { kind: "bytes", min: 0, max: POOL_MAX, default: 0, help: "pool size, a power of two; 0 is the variant's own" },
  arena: {
    kind: "bytes",
    min: 0,
    max: ARENA_MAX,
    default: 0,
    help: "arena size, a power of two; 0 is the variant's own",
  },
};

export const pymallocDefaults: PymallocOptions = defaultsOf(pymallocOptions);

/** Largest request served from pools, in bytes (SMALL_REQUEST_THRESHOLD). */
export const SMALL_LIMIT = 512;
/** Bytes at the start of each pool (POOL_OVERHEAD, a struct pool_header rounded up). */
export const POOL_HEADER = 48;

const PAGE = 4096;

interface VariantFacts {
  readonly align: number;
  readonly pool: number;
  readonly arena: number;
  /** bpo-37257: an arena that is wholly empty and last in the list is kept. */
  readonly keepsEmptyArena: boolean;
  /**
   * Address bits that the radix tree of arenas covers (ARENA_BITS; bpo-37448); 0 where the owner of an address is found by
   * reading the start of its page.
   */
  readonly mapBits: 0 | 48 | 64;
}

const facts: Record<PymallocVariant, VariantFacts> = {
  "cpython-3.7": { align: 8, pool: 4096, arena: 262144, keepsEmptyArena: false, mapBits: 0 },
  "cpython-3.8": { align: 16, pool: 4096, arena: 262144, keepsEmptyArena: false, mapBits: 0 },
  "cpython-3.9": { align: 16, pool: 4096, arena: 262144, keepsEmptyArena: true, mapBits: 0 },
  "cpython-3.10": { align: 16, pool: 16384, arena: 1048576, keepsEmptyArena: true, mapBits: 48 },
  "cpython-3.11": { align: 16, pool: 16384, arena: 1048576, keepsEmptyArena: true, mapBits: 64 },
};

/** Offset of arena k from a multiple of the arena size: entry k modulo the length. */
const baseOffsets: Record<PymallocBase, readonly number[]> = {
  aligned: [0],
  m16: [0x10],
  page: [0x3000],
  mixed: [0, 0x10, 0, 0x800, 0x3000, 0x1000, 0, 0x2ff0],
};

/** Everything that follows from the options: sizes in bytes unless they are called granules (of `align` bytes). */
export interface Geometry extends VariantFacts {
  readonly alignBits: number;
  readonly poolBits: number;
  readonly arenaBits: number;
  /** Address slot k starts at k << strideBits: the arena and its largest offset fit in. */
  readonly strideBits: number;
  /** Offset of arena k: entry k modulo the length. */
  readonly offsets: readonly number[];
  readonly classes: number;
  /** Granules of the pool header. */
  readonly headerGranules: number;
  /** By class: blocks in a pool. A block of class c has c + 1 granules. */
  readonly capacity: Int32Array;
}

function refuse(option: string, reason: string): never {
  throw new InputError(`pymalloc: option ${option}: ${reason}`);
}

function bitsOf(option: "pool" | "arena", bytes: number): number {
  const bits = 31 - Math.clz32(bytes);
  if (bytes !== 1 << bits) {
    refuse(option, `${bytes} is not a power of two; the nearest are ${(1 << bits) >>> 0} and ${(2 << bits) >>> 0}`);
  }
  return bits;
}

/** Pools in an arena whose base is at `offset` from a multiple of the pool size. */
export function poolsInArena(arena: number, pool: number, offset: number): number {
  return arena / pool - (offset % pool === 0 ? 0 : 1);
}

function checkSizes(own: VariantFacts, options: PymallocOptions, pool: number, arena: number): void {
  const least = POOL_HEADER + 2 * SMALL_LIMIT;
  if (pool < least) {
    refuse("pool", `${pool} bytes do not hold two blocks of ${SMALL_LIMIT} bytes and the header: use 2048 or more`);
  }
  if (own.mapBits === 0 && pool > PAGE) {
    const reason = `${options.variant} finds the owner of an address at the start of its page, so ${pool} bytes are too many`;
    refuse("pool", `${reason}: use at most ${PAGE}, or variant=cpython-3.10`);
  }
  if (arena < PAGE) refuse("arena", `${arena} bytes are less than a page: use ${PAGE} or more`);
  if (arena < pool) refuse("arena", `${arena} bytes are less than a pool of ${pool}: use ${2 * pool} or more`);
  for (const offset of baseOffsets[options.base]) {
    const pools = poolsInArena(arena, pool, offset);
    if (pools < 2) {
      const where = `with base=${options.base} an arena of ${arena} bytes has ${pools} of the 2 pools it needs`;
      refuse("arena", `${where}: use ${pool * (offset % pool === 0 ? 2 : 4)} or more`);
    }
  }
}

function strideBitsOf(arena: number, offsets: readonly number[]): number {
  const span = arena + Math.ceil(Math.max(...offsets) / PAGE) * PAGE;
  return 32 - Math.clz32(span - 1);
}

/**
 * A geometry whose arena k starts at `offsets[k]` (in a cycle) from a multiple of the arena size: where the arenas of a
 * process were. Throws an `InputError` where an arena would have fewer than two pools.
 */
export function withArenaOffsets(geometry: Geometry, offsets: readonly number[]): Geometry {
  for (const offset of offsets) {
    if (offset >= 0 && offset < geometry.arena && poolsInArena(geometry.arena, geometry.pool, offset) >= 2) continue;
    refuse("base", `no arena of ${geometry.arena} bytes can start at offset ${offset}`);
  }
  return { ...geometry, offsets, strideBits: strideBitsOf(geometry.arena, offsets) };
}

/** Resolves and checks options. Throws an `InputError` for sizes that the C code does not support either. */
export function resolveGeometry(given: Readonly<Record<string, unknown>> = {}): Geometry {
  const options = resolveOptions("pymalloc", pymallocOptions, given);
  const own = facts[options.variant];
  const pool = options.pool === 0 ? own.pool : options.pool;
  const arena = options.arena === 0 ? own.arena : options.arena;
  const poolBits = bitsOf("pool", pool);
  const arenaBits = bitsOf("arena", arena);
  checkSizes(own, options, pool, arena);
  const offsets = baseOffsets[options.base];
  const classes = SMALL_LIMIT / own.align;
  return {
    ...own,
    pool,
    arena,
    alignBits: 31 - Math.clz32(own.align),
    poolBits,
    arenaBits,
    strideBits: strideBitsOf(arena, offsets),
    offsets,
    classes,
    headerGranules: POOL_HEADER / own.align,
    capacity: Int32Array.from({ length: classes }, (_, c) => Math.floor((pool - POOL_HEADER) / ((c + 1) * own.align))),
  };
}
