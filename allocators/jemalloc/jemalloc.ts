import type { Address, AddressSpace } from "../../memory/address-space.js";
import { InputError } from "../../memory/errors.js";
import { isPowerOfTwo } from "../../memory/exact-math.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import { Random } from "../../memory/random.js";
import type { AllocatorSpec, Ref, Timed } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { ChunkRuns } from "./chunk-runs.js";
import { Decay } from "./decay.js";
import { Extents } from "./extents.js";
import { type PageRuns, State } from "./page-runs.js";
import { classSize, LARGEST_SMALL, PAGE, SMALLEST_LARGE, SmallClasses } from "./size-classes.js";
import { Slabs } from "./slabs.js";

/** Options of `jemalloc`, after its run-time options. */
export interface JemallocOptions {
  dirtyDecay: number;
  dirtyRatio: number;
  pages: "extents" | "chunks";
  chunk: number;
  cacheOblivious: boolean;
  quantum: "8" | "16";
}

export const jemallocOptions: OptionTable<JemallocOptions> = {
  dirtyDecay: {
    kind: "number",
    min: 0,
    max: Number.POSITIVE_INFINITY,
    default: 40,
    help: "milliseconds in which unused pages are given back (dirty_decay_ms); 0: at once, Infinity: never",
  },
  dirtyRatio: {
    kind: "integer",
    min: 0,
    max: 1 << 20,
    default: 0,
    help: "pages in use for each unused one that may stay, as in jemalloc 3 and 4 (8: lg_dirty_mult 3); 0: no such bound",
  },
  pages: {
    kind: "choice",
    values: ["extents", "chunks"],
    default: "extents",
    help: "blocks and slabs are extents (jemalloc 5), or runs in chunks with a header of their own (jemalloc 4)",
  },
  chunk: {
    kind: "bytes",
    min: 4096,
    max: 1 << 30,
    default: 1 << 21,
    help: "pages=chunks: size of a chunk; dirtyRatio: unused bytes that may stay in any case",
  },
  cacheOblivious: {
    kind: "boolean",
    default: true,
    help: "blocks of 16 KiB and more get a page on top and start at a random cache line of the first (cache_oblivious)",
  },
  quantum: {
    kind: "choice",
    values: ["8", "16"],
    default: "16",
    help: "spacing of the smallest classes (LG_QUANTUM): 16, or 8 as in the copy that Redis ships",
  },
};

/** Smallest chunk: behind its header, 15 pages have room for the largest slab. */
const LEAST_CHUNK = 65536;

/** Throws an `InputError` where pages are to be cut from chunks of a size that cannot be. */
export function checkChunk(allocator: string, { pages, chunk }: JemallocOptions): void {
  if (pages === "chunks" && (chunk < LEAST_CHUNK || !isPowerOfTwo(chunk))) {
    throw new InputError(`${allocator}: option chunk: ${chunk} is not a power of two from ${LEAST_CHUNK} up`);
  }
}

const CACHE_LINE = 64;
/** Requests beyond this find no addresses. */
const LARGEST = 0x700000000;
const SMALL = LARGEST_SMALL;

/**
 * One arena of jemalloc 5.3 without thread caches: requests up to 14 KiB are regions of slabs, larger ones have extents
 * of their own. Nothing is written but by the program: bitmaps and descriptors lie outside the blocks.
 */
export class Jemalloc implements Timed {
  private readonly space: AddressSpace;
  private readonly quantum: number;
  private readonly pad: number;
  private readonly classes: SmallClasses;
  private readonly extents: PageRuns;
  /** What its bins know of themselves. */
  readonly slabs: Slabs;
  private readonly base: Address;
  private readonly decay: Decay | undefined;
  private readonly purgeAtOnce: boolean;
  private readonly dirtyRatio: number;
  private readonly chunkPages: number;
  private readonly random: Random;
  /** By address: bytes of the class of each large block. */
  private readonly large = new Map<Address, number>();
  private largeBytes = 0;

  constructor(space: AddressSpace, given: JemallocOptions) {
    this.space = space;
    this.quantum = Number(given.quantum);
    this.pad = given.cacheOblivious ? 1 : 0;
    this.classes = new SmallClasses(this.quantum);
    this.chunkPages = Math.floor(given.chunk / PAGE);
    this.extents =
      given.pages === "extents" ? new Extents(space, this.pad) : new ChunkRuns(space, this.pad, this.chunkPages);
    this.slabs = new Slabs(this.classes, this.extents, space.costs);
    this.base = this.extents.base;
    const decays = given.dirtyDecay > 0 && given.dirtyDecay < Number.POSITIVE_INFINITY;
    this.decay = decays ? new Decay(given.dirtyDecay) : undefined;
    this.purgeAtOnce = given.dirtyDecay === 0;
    this.dirtyRatio = given.dirtyRatio;
    this.random = new Random(0);
  }

  allocate(size: number, alignment = 1): Ref {
    if (size > LARGEST) return none;
    const padded = alignment > 8 ? Math.ceil(Math.max(1, size) / alignment) * alignment : size;
    if (padded > SMALL || alignment > PAGE) return this.allocateLarge(size, alignment);
    const at = this.slabs.take(this.classes.ofRequest[(padded + 7) >> 3]);
    if (at < 0) return none;
    const address = this.base + at;
    this.space.touch(address, size);
    return address as Ref;
  }

  free(ref: Ref): void {
    const offset = ref - this.base;
    const page = Math.floor(offset / PAGE);
    if (this.sizeClassOf(page) === 0) this.freeLarge(ref);
    else {
      const slab = this.extents.first[page];
      if (this.slabs.give(slab, offset)) this.freeExtent(slab);
    }
  }

  reallocate(ref: Ref, size: number): Ref {
    if (size > LARGEST) return none;
    const before = this.capacityOf(ref);
    if (this.resizeInPlace(ref, before, size)) {
      this.space.touch(ref, size);
      return ref;
    }
    return relocate(this, this.space.costs, ref, before, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    const sizeClass = this.sizeClassOf(Math.floor((ref - this.base) / PAGE));
    return sizeClass === 0 ? (this.large.get(ref) ?? 0) : this.classes.size[sizeClass - 1];
  }

  tick(now: number): void {
    const limit = this.decay?.limitAt(now, this.extents.dirty) ?? -1;
    if (limit >= 0) this.extents.purgeTo(limit);
  }

  walk(map: HeapMap): void {
    const { base, extents } = this;
    const starts = new Map<number, Address>();
    for (const address of this.large.keys()) starts.set(Math.floor((address - base) / PAGE), address);
    extents.forEach((page, pages, state) => {
      const start = base + page * PAGE;
      const end = start + pages * PAGE;
      if (state === State.header) map.add(start, end - start, Kind.header);
      else if (state !== State.active) {
        const fresh = base + Math.max(page, Math.min(page + pages, extents.used)) * PAGE;
        map.add(start, fresh - start, Kind.free);
        map.add(fresh, end - fresh, Kind.fresh);
      } else if (this.sizeClassOf(page) > 0) {
        this.slabs.forEachRegion(page, (offset, bytes, kind) => {
          map.add(base + offset, bytes, Kind[kind], kind === "live" ? base + offset : -1);
        });
      } else {
        const address = starts.get(page) ?? start;
        const bytes = this.large.get(address) ?? 0;
        map.add(start, address - start, Kind.padding);
        map.add(address, bytes, Kind.live, address);
        map.add(address + bytes, end - address - bytes, Kind.padding);
      }
    });
    extents.walkDescriptors(map);
  }

  /** The first page of the slab that a block is in, -1 for a block with an extent of its own; what the hints ask about. */
  slabOf(ref: Ref): number {
    const page = Math.floor((ref - this.base) / PAGE);
    return this.sizeClassOf(page) === 0 ? -1 : this.extents.first[page];
  }

  /** A place for `more` bytes than a block in a slab holds; `none` without memory. Nothing is written to a region. */
  another(ref: Ref, more = 0): Ref {
    const size = this.capacityOf(ref) + more;
    if (size > SMALL) return this.allocateLarge(size, 1);
    const at = this.slabs.take(this.classes.ofRequest[(size + 7) >> 3]);
    return at < 0 ? none : ((this.base + at) as Ref);
  }

  /** The program writes the first `bytes` bytes of a block. */
  write(ref: Ref, bytes: number): void {
    this.space.touch(ref, bytes);
  }

  /** Bytes of blocks, rounded up to their classes (stats.allocated). */
  allocated(): number {
    return this.slabs.inUse() + this.largeBytes;
  }

  /** 1 + class of the slab that a page is in, or 0. */
  private sizeClassOf(page: number): number {
    const { sizeClass } = this.slabs;
    return page < sizeClass.length ? sizeClass[page] : 0;
  }

  /** Pages of a large block, with the one on top that its start may move in. */
  private pagesOf(bytes: number): number {
    return bytes / PAGE + (bytes <= this.extents.largestPadded ? this.pad : 0);
  }

  /** Bytes of the class of a large request. */
  private largeClass(size: number): number {
    return size <= SMALLEST_LARGE ? SMALLEST_LARGE : classSize(size, this.quantum);
  }

  private allocateLarge(size: number, alignment: number): Ref {
    const bytes = this.largeClass(size);
    const pages = this.pagesOf(bytes);
    const page = this.extents.allocate(pages, Math.max(1, alignment / PAGE));
    if (page < 0) return none;
    let address = this.base + page * PAGE;
    if (pages * PAGE > bytes && alignment < PAGE) {
      const step = Math.max(CACHE_LINE, alignment);
      address += this.random.below(PAGE / step) * step;
    }
    this.large.set(address, bytes);
    this.largeBytes += bytes;
    this.space.touch(address, size);
    return address as Ref;
  }

  private freeLarge(ref: Ref): void {
    this.largeBytes -= this.capacityOf(ref);
    this.large.delete(ref);
    this.freeExtent(Math.floor((ref - this.base) / PAGE));
  }

  private freeExtent(page: number): void {
    const { extents, dirtyRatio } = this;
    extents.free(page, this.purgeAtOnce);
    // A chunk that goes with its last run is cached even where dirty pages are not wanted.
    if (this.purgeAtOnce) extents.purgeTo(0);
    // arena_maybe_purge_ratio of jemalloc 4; a chunk may stay in any case.
    if (dirtyRatio > 0) extents.purgeTo(Math.max(this.chunkPages, Math.floor(extents.active / dirtyRatio)));
  }

  /** Whether a block can stay where it is: in its class, or as an extent that shrinks or grows (large_ralloc_no_move). */
  private resizeInPlace(ref: Ref, before: number, size: number): boolean {
    if (before <= SMALL) return size <= SMALL && this.classes.size[this.classes.ofRequest[(size + 7) >> 3]] === before;
    if (size <= SMALL) return false;
    const bytes = this.largeClass(size);
    if (bytes === before) return true;
    const page = Math.floor((ref - this.base) / PAGE);
    const pages = this.pagesOf(bytes);
    const done = bytes < before ? this.extents.shrink(page, pages, this.purgeAtOnce) : this.extents.expand(page, pages);
    if (done) {
      this.large.set(ref, bytes);
      this.largeBytes += bytes - before;
    }
    return done;
  }
}

/** jemalloc's classes, slabs and extents, with unused pages given back as virtual time passes. */
export const jemalloc: AllocatorSpec<JemallocOptions> = {
  name: "jemalloc",
  title: "jemalloc 5 size classes, slabs and decay",
  source:
    "jemalloc 5.3: sc.c, arena.c, bin.c, eset.c, extent.c, pac.c, decay.c; pages=chunks: 4.0.3, arena.c, chunk.c; one arena, no thread caches",
  indirect: false,
  alignment: 8,
  options: jemallocOptions,
  defaults: defaultsOf(jemallocOptions),
  variants: [
    { dirtyDecay: 0 },
    { dirtyDecay: Number.POSITIVE_INFINITY, cacheOblivious: false },
    { quantum: "8", dirtyDecay: 5 },
    { dirtyDecay: Number.POSITIVE_INFINITY, dirtyRatio: 8 },
    { pages: "chunks", chunk: 65536, dirtyDecay: Number.POSITIVE_INFINITY, dirtyRatio: 8 },
  ],
  create(space, given) {
    const options = resolveOptions("jemalloc", jemallocOptions, given);
    checkChunk("jemalloc", options);
    return new Jemalloc(space, options);
  },
};
