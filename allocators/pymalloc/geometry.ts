import { InputError } from "../../memory/errors.js";
import { resolveOptions } from "../../memory/options.js";
import type { SizeDemand } from "../allocator.js";
import {
  type ArenaChoice,
  type PymallocBase,
  type PymallocOptions,
  type PymallocVariant,
  pymallocOptions,
} from "./options.js";
import { classSizes, fittedSizes } from "./size-classes.js";

export type { PymallocOptions, PymallocVariant } from "./options.js";

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
  /** Largest request served from pools; 0 where none is. */
  readonly threshold: number;
  /** Block size of each class, ascending. */
  readonly sizes: readonly number[];
  /**
   * By request size up to the threshold: its class, named by what a block of it has beyond its first granule. Classes
   * that step by a granule have the numbers that C gives them.
   */
  readonly classOf: Uint8Array;
  /** Bound on the names of classes: a class c is below, and a block of it has c + 1 granules. */
  readonly classes: number;
  /** Granules of the pool header. */
  readonly headerGranules: number;
  /** By class: blocks in a pool. */
  readonly capacity: Int32Array;
  readonly choose: ArenaChoice;
}

function refuse(option: keyof PymallocOptions, reason: string): never {
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

function checkSizes(own: VariantFacts, options: PymallocOptions, offsets: readonly number[]): void {
  const { pool, arena } = own;
  const { threshold, variant, base, misalign } = options;
  const least = POOL_HEADER + 2 * threshold;
  if (pool < least) {
    const enough = 2 << (31 - Math.clz32(least - 1));
    refuse("pool", `${pool} bytes do not hold two blocks of ${threshold} bytes and the header: use ${enough} or more`);
  }
  if (own.mapBits === 0 && pool > PAGE) {
    const reason = `${variant} finds the owner of an address at the start of its page, so ${pool} bytes are too many`;
    refuse("pool", `${reason}: use at most ${PAGE}, or variant=cpython-3.10`);
  }
  if (arena < PAGE) refuse("arena", `${arena} bytes are less than a page: use ${PAGE} or more`);
  if (arena < pool) refuse("arena", `${arena} bytes are less than a pool of ${pool}: use ${2 * pool} or more`);
  if (misalign >= arena) refuse("misalign", `${misalign} bytes are not less than the arena of ${arena}`);
  if (misalign % own.align !== 0) refuse("misalign", `${misalign} is not a multiple of the alignment ${own.align}`);
  for (const offset of offsets) {
    const pools = poolsInArena(arena, pool, offset);
    if (pools < 2) {
      const shift = misalign === 0 ? "" : ` and misalign=${misalign}`;
      const where = `with base=${base}${shift} an arena of ${arena} bytes has ${pools} of the 2 pools it needs`;
      refuse("arena", `${where}: use ${pool * (offset % pool === 0 ? 2 : 4)} or more`);
    }
  }
}

/** The facts of the variant with those that the options change. */
function factsOf(options: PymallocOptions): VariantFacts {
  const own = facts[options.variant];
  const { align, pool, arena, keep } = options;
  if (align !== 0 && align !== 8 && align !== 16) refuse("align", `${align} is neither 8 nor 16`);
  return {
    ...own,
    align: align === 0 ? own.align : align,
    pool: pool === 0 ? own.pool : pool,
    arena: arena === 0 ? own.arena : arena,
    keepsEmptyArena: keep === "variant" ? own.keepsEmptyArena : keep === "yes",
  };
}

/** The class of each request size: the least that holds it. */
function classTable(sizes: readonly number[], align: number, threshold: number): Uint8Array {
  const table = new Uint8Array(threshold + 1);
  for (let size = 1, i = 0; size <= threshold; size++) {
    if (size > sizes[i]) i++;
    table[size] = sizes[i] / align - 1;
  }
  return table;
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
  const own = factsOf(options);
  const { align, pool, arena } = own;
  const poolBits = bitsOf("pool", pool);
  const arenaBits = bitsOf("arena", arena);
  const offsets = baseOffsets[options.base].map((offset) => offset + options.misalign);
  checkSizes(own, options, offsets);
  const sizes = classSizes(options, align);
  const { threshold } = options;
  const classes = threshold / align;
  return {
    ...own,
    alignBits: 31 - Math.clz32(align),
    poolBits,
    arenaBits,
    strideBits: strideBitsOf(arena, offsets),
    offsets,
    threshold: options.domain === "raw" ? 0 : threshold,
    sizes,
    classOf: classTable(sizes, align, threshold),
    classes,
    headerGranules: POOL_HEADER / align,
    capacity: Int32Array.from({ length: classes }, (_, c) => blocksInPool(pool, (c + 1) * align)),
    choose: options.choose,
  };
}

/** Blocks of `size` bytes in a pool. */
function blocksInPool(pool: number, size: number): number {
  return Math.floor((pool - POOL_HEADER) / size);
}

/**
 * The given options with `spacing: fitted` replaced by the sizes that hold the demand in the fewest bytes of pools; other
 * spacings are left as they are. Throws an `InputError` for geometries that cannot be.
 */
export function fitClasses(given: PymallocOptions, demand: () => SizeDemand): PymallocOptions {
  if (given.spacing !== "fitted") return given;
  const { pool, align, sizes } = resolveGeometry({ ...given, spacing: "linear", classes: 0 });
  const count = given.classes === 0 ? sizes.length : given.classes;
  const share = (granules: number): number => pool / blocksInPool(pool, granules * align);
  const fitted = fittedSizes(demand(), count, align, given.threshold, share);
  return { ...given, spacing: "listed", classes: 0, sizes: fitted.join("+") };
}
