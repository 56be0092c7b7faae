import type { Address, AddressSpace } from "../memory/address-space.js";
import { Use } from "../memory/address-space.js";
import { grown } from "../memory/columns.js";
import { type HeapMap, Kind } from "../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "./allocator.js";
import { none } from "./allocator.js";
import { relocate } from "./relocate.js";

export interface BumpOptions {
  growth: number;
}

const options: OptionTable<BumpOptions> = {
  growth: {
    kind: "bytes",
    min: 4096,
    max: 1073741824,
    default: 65536,
    help: "bytes obtained from the system at a time",
  },
};

/** Granule of 16 bytes: sizes and addresses inside are in granules. */
const GRANULE = 16;
/** 32 GiB of addresses. */
const RESERVED = 0x800000000;
const MAX_ALIGNMENT = 1 << 20;

/**
 * Hands out the next bytes and reuses none before the last live block is gone, when the whole region is given back: the
 * upper bound of waste, and the simplest instance of the contract. Sizes of blocks are kept in a column beside the heap;
 * a real bump allocator only counts its live blocks, so no bookkeeping is charged.
 */
class Bump implements Allocator {
  private readonly space: AddressSpace;
  private readonly growth: number;
  private readonly base: Address;
  /** Granules handed out, and granules mapped. */
  private top = 0;
  private end = 0;
  private live = 0;
  /** At the first granule of a block: its granules, negative when it was freed. */
  private blocks = new Int32Array(4096);

  constructor(space: AddressSpace, given: BumpOptions) {
    this.space = space;
    this.growth = Math.ceil(given.growth / space.pageSize) * space.pageSize;
    this.base = space.reserve(RESERVED, MAX_ALIGNMENT);
  }

  allocate(size: number, alignment = GRANULE): Ref {
    const granules = Math.max(1, Math.ceil(size / GRANULE));
    const step = Math.max(1, alignment / GRANULE);
    const at = Math.ceil(this.top / step) * step;
    if (at + granules > this.end && !this.grow(at + granules)) return none;
    if (at > this.top) this.blocks[this.top] = -(at - this.top);
    this.blocks[at] = granules;
    this.top = at + granules;
    this.live++;
    const address = this.base + at * GRANULE;
    this.space.touch(address, size);
    return address as Ref;
  }

  free(ref: Ref): void {
    const at = (ref - this.base) / GRANULE;
    this.blocks[at] = -this.blocks[at];
    if (--this.live > 0) return;
    this.space.unmap(this.base, this.end * GRANULE);
    this.top = 0;
    this.end = 0;
  }

  reallocate(ref: Ref, size: number): Ref {
    const capacity = this.capacityOf(ref);
    if (size <= capacity) {
      this.space.touch(ref, size);
      return ref;
    }
    return relocate(this, this.space.costs, ref, capacity, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    return this.blocks[(ref - this.base) / GRANULE] * GRANULE;
  }

  walk(map: HeapMap): void {
    for (let at = 0; at < this.top; ) {
      const granules = Math.abs(this.blocks[at]);
      const live = this.blocks[at] > 0;
      const address = this.base + at * GRANULE;
      map.add(address, granules * GRANULE, live ? Kind.live : Kind.free, live ? address : -1);
      at += granules;
    }
    map.add(this.base + this.top * GRANULE, (this.end - this.top) * GRANULE, Kind.fresh);
  }

  private grow(granules: number): boolean {
    const missing = (granules - this.end) * GRANULE;
    const bytes = Math.ceil(missing / this.growth) * this.growth;
    const heapEnd = this.end * GRANULE;
    if (heapEnd + bytes > RESERVED || !this.space.commit(this.base + heapEnd, bytes, Use.heap)) return false;
    this.end += bytes / GRANULE;
    if (this.end > this.blocks.length) {
      this.blocks = grown(this.blocks, Math.max(this.end, this.blocks.length * 2));
    }
    return true;
  }
}

export const bump: AllocatorSpec<BumpOptions> = {
  name: "bump",
  title: "Bump pointer, no reuse before all is free",
  source:
    "Knuth, The Art of Computer Programming 1, section 2.5: allocation without liberation, and Hanson 1990: arenas freed at once",
  indirect: false,
  alignment: GRANULE,
  options,
  defaults: defaultsOf(options),
  variants: [{ growth: 4096 }],
  create: (space, given) => new Bump(space, resolveOptions("bump", options, given)),
};
