import type { Address, AddressSpace } from "../memory/address-space.js";
import { Use } from "../memory/address-space.js";
import { type HeapMap, Kind } from "../memory/heap-map.js";
import { resolveOptions } from "../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "./allocator.js";
import { none } from "./allocator.js";

/** Addresses are names only: distinct, aligned, never mapped. */
const NAMES = 0x10000000000;
const MEMORY = 0x4000000000;
const MAX_ALIGNMENT = 1 << 20;

/**
 * The lower bound: as if every byte could be put anywhere at no cost, so the footprint is the live bytes rounded up to
 * whole pages, at every moment. It has no placement, hence `placeless`: its addresses are names, and `walk` shows one
 * run of live bytes.
 */
class Ideal implements Allocator {
  private readonly space: AddressSpace;
  private readonly names: Address;
  private readonly base: Address;
  private readonly sizes = new Map<number, number>();
  private nextName: Address;
  private live = 0;
  private pages = 0;

  constructor(space: AddressSpace) {
    this.space = space;
    this.base = space.reserve(MEMORY, space.pageSize);
    this.names = space.reserve(NAMES, MAX_ALIGNMENT);
    this.nextName = this.names;
  }

  allocate(size: number, alignment = 16): Ref {
    if (!this.hold(this.live + size)) return none;
    const step = Math.max(16, alignment);
    const ref = (Math.ceil(this.nextName / step) * step) as Ref;
    // A name is as long as its block, so that names never overlap; they wrap only after 2^40 bytes.
    this.nextName = ref + Math.max(16, size);
    this.sizes.set(ref, size);
    return ref;
  }

  free(ref: Ref): void {
    this.hold(this.live - this.capacityOf(ref));
    this.sizes.delete(ref);
  }

  reallocate(ref: Ref, size: number): Ref {
    if (!this.hold(this.live - this.capacityOf(ref) + size)) return none;
    if (size <= this.capacityOf(ref)) {
      this.sizes.set(ref, size);
      return ref;
    }
    this.sizes.delete(ref);
    this.live -= size;
    return this.allocate(size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    return this.sizes.get(ref) ?? 0;
  }

  walk(map: HeapMap): void {
    map.add(this.base, this.live, Kind.live);
    map.add(this.base + this.live, this.pages * this.space.pageSize - this.live, Kind.tail);
  }

  /** Makes the memory just large enough for `live` bytes. */
  private hold(live: number): boolean {
    const { pageSize } = this.space;
    const pages = Math.ceil(live / pageSize);
    const end = this.base + this.pages * pageSize;
    const change = (pages - this.pages) * pageSize;
    if (change > 0) {
      if (pages * pageSize > MEMORY || !this.space.commit(end, change, Use.heap)) return false;
      this.space.touch(end, change);
    } else if (change < 0) {
      this.space.unmap(end + change, -change);
    }
    this.pages = pages;
    this.live = live;
    return true;
  }
}

export const ideal: AllocatorSpec = {
  name: "ideal",
  title: "Ideal: footprint = live, in whole pages",
  source: "the lower bound of every manager: free movement, no headers, no rounding but to pages",
  indirect: true,
  placeless: true,
  alignment: 16,
  options: {},
  defaults: {},
  variants: [],
  create(space, given) {
    resolveOptions("ideal", {}, given);
    return new Ideal(space);
  },
};
