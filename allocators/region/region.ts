import type { Address, AddressSpace } from "../../memory/address-space.js";
import type { Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { defaultsOf } from "../../memory/options.js";
import type { Allocator, AllocatorSpec, PhaseAware, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { LargeBlocks } from "./large-blocks.js";
import { type RegionOptions, regionOptions, resolveRegionOptions } from "./options.js";
import { Regions } from "./regions.js";

const GRANULE = 16;
const PER_GRANULE = 1 / GRANULE;
/** Region of the blocks before the first mark, and of all blocks of a kind that is not told apart. */
const FIRST = 0;
/** Regions of a mark or a size come behind it. */
const NEXT = 1;

/**
 * Regions: blocks of one region lie one behind the other in its chunks, and its memory goes back at once. Nothing of it
 * is reused before.
 *
 * **Which region.** The contract has no region ids, and traces of programs written for `malloc` have none either. What
 * traces can have is phase marks, by which whoever writes or records one says where the program is: with `by=phase` the
 * label of the last mark names the region of the blocks that follow, and a mark with an old label goes on with its
 * region. `size` (a region for each power of two) and `birth` (a region for each chunk, so blocks allocated one after
 * the other) are guesses that need no marks. Without marks `phase` is one region.
 *
 * **When it goes back.** A trace frees block by block, a program with regions frees a region at once, which it cannot do
 * before its last block is dead: that is when a region's chunks are unmapped here, so that its footprint is the least
 * that a program with these regions can have. The region that is being filled keeps its first chunk.
 *
 * **Charged** are 16 bytes in each chunk, the rest of a chunk that the next block did not fit (tail), 32 bytes under
 * `Use.meta` for each region, and 16 bytes in front of each block larger than a quarter of a chunk, which is mapped by
 * itself and goes back by itself, like a dedicated block of PostgreSQL's AllocSet. The last block
 * of a region's last chunk grows in place.
 */
class Region implements Allocator, PhaseAware {
  private readonly costs: Costs;
  private readonly by: RegionOptions["by"];
  private readonly largest: number;
  private readonly regions: Regions;
  private readonly large: LargeBlocks;
  private readonly base: Address;
  private readonly end: Address;
  /** The region that is being filled, where the size does not say which. */
  private current: number;

  constructor(space: AddressSpace, given: RegionOptions) {
    this.costs = space.costs;
    this.by = given.by;
    this.largest = given.chunk / 4;
    this.regions = new Regions(space, given.chunk);
    this.large = new LargeBlocks(space);
    this.base = this.regions.base;
    this.end = this.regions.end;
    this.current = FIRST;
  }

  phase(mark: number): void {
    if (this.by === "phase") this.enter(mark + NEXT);
  }

  allocate(size: number, alignment = GRANULE): Ref {
    if (size + alignment - GRANULE > this.largest) return this.large.allocate(size, alignment) as Ref;
    const granules = size === 0 ? 1 : Math.ceil(size * PER_GRANULE);
    const { regions } = this;
    let region = this.by === "size" ? NEXT + 32 - Math.clz32(granules - 1) : this.current;
    let at = regions.place(region, granules, alignment);
    if (at < 0) {
      const chunk = regions.takeChunk();
      if (chunk < 0) return none;
      if (this.by === "birth") region = NEXT + chunk;
      if (!regions.addChunk(region, chunk)) return none;
      if (this.by === "birth") this.enter(region);
      at = regions.place(region, granules, alignment);
    }
    const offset = at * GRANULE;
    regions.pages.touch(offset, size);
    return (this.base + offset) as Ref;
  }

  free(ref: Ref): void {
    if (this.isLarge(ref)) {
      this.large.free(ref);
      return;
    }
    const region = this.regions.free((ref - this.base) * PER_GRANULE);
    if (this.regions.live[region] > 0) return;
    if (this.by === "size" || region === this.current) this.regions.clear(region);
    else this.regions.destroy(region);
  }

  reallocate(ref: Ref, size: number): Ref {
    const capacity = this.capacityOf(ref);
    const large = this.isLarge(ref);
    if (size <= capacity || (!large && this.growLast(ref, size))) {
      if (large) this.large.touch(ref, size);
      else this.regions.pages.touch(ref - this.base, size);
      return ref;
    }
    return relocate(this, this.costs, ref, capacity, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    if (this.isLarge(ref)) return this.large.capacityOf(ref);
    return this.regions.sizes[(ref - this.base) * PER_GRANULE] * GRANULE;
  }

  walk(map: HeapMap): void {
    this.regions.walk(map);
    this.large.walk(map);
  }

  private isLarge(ref: Ref): boolean {
    return ref < this.base || ref >= this.end;
  }

  /** Fills another region from now on. The one before goes back, if all of its blocks are dead already. */
  private enter(region: number): void {
    const before = this.current;
    if (region === before) return;
    this.current = region;
    if (this.regions.exists(before) && this.regions.live[before] === 0) this.regions.destroy(before);
  }

  private growLast(ref: Ref, size: number): boolean {
    return this.regions.growLast((ref - this.base) * PER_GRANULE, Math.ceil(size * PER_GRANULE));
  }
}

/** Regions, or arenas, that are freed at once. */
export const region: AllocatorSpec<RegionOptions> = {
  name: "region",
  title: "Regions, freed at once when their last block is dead",
  source:
    "Hanson 1990, Fast allocation and deallocation of memory based on object lifetimes; PostgreSQL aset.c: ALLOC_CHUNK_FRACTION, dedicated blocks",
  indirect: false,
  alignment: GRANULE,
  options: regionOptions,
  defaults: defaultsOf(regionOptions),
  variants: [{ by: "size", chunk: 16384 }, { by: "birth" }, { by: "birth", chunk: 4096 }],
  create: (space, given) => new Region(space, resolveRegionOptions(given)),
};
