import type { Address, AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import type { Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { IndexList } from "../../memory/index-list.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { Allocator, AllocatorSpec, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import { cacheSizes, LARGEST_CACHED, type OrderRule, orderOf, PAGE, slabOrder } from "./kmalloc.js";
import { PageSupply } from "./page-supply.js";

const ALIGNMENT = 8;
const PER_PAGE = 1 / PAGE;
/** Granules of 8 bytes, for links. */
const PAGE_GRANULES = PAGE / 8;
/** In `links`: the object is in use, or free and the last. */
const LIVE = 65535;
const LAST = 65534;
/** In `kinds`: no page of a slab, or the first of a run that is one block. */
const NO_SLAB = 255;
const WHOLE = 254;
const NONE = -1;
/** Sizes beyond this have no order. */
const LARGEST = 0x100000000;

/** Options of `slab`. */
export interface SlabOptions extends OrderRule {
  minPartial: number;
}

const options: OptionTable<SlabOptions> = {
  minObjects: {
    kind: "integer",
    min: 1,
    max: 64,
    default: 16,
    help: "objects a slab should have, 4 (fls(CPUs) + 1) in Linux: 8 for 1 CPU, 12 for 2, 16 for 4",
  },
  maxOrder: { kind: "integer", min: 0, max: 3, default: 3, help: "a slab has at most 2^maxOrder pages" },
  minPartial: {
    kind: "integer",
    min: 0,
    max: 1000,
    default: 5,
    help: "an empty slab is given back where at least so many slabs of its cache are partly used",
  },
};

/**
 * Linux's kmalloc on SLUB: 13 caches of objects without headers, in slabs of 2^order pages. A cache allocates from one
 * current slab; when that is full from the first partial one, else from a new one. A full slab goes to the end of the
 * partial ones with its first free. Free objects of a slab are a list, the one freed last first; a new slab's is in
 * address order. Larger requests get pages of their own.
 *
 * There is one CPU with one current slab for each cache and no list of partial slabs of its own, as with
 * CONFIG_SLUB_CPU_PARTIAL off, and neither freelist randomisation nor merging of caches. Links are at the start of
 * objects. Where a slab of the usual order is refused, one of the lowest order that holds an object is tried.
 */
class Slab implements Allocator {
  private readonly costs: Costs;
  private readonly base: Address;
  private readonly supply: PageSupply;
  private readonly minPartial: number;
  /** Order of the slabs of each cache. */
  private readonly orders: readonly number[];
  /** Cache of each size up to the largest, in steps of 8 bytes. */
  private readonly caches: Uint8Array;
  private readonly sizes = Int32Array.from(cacheSizes);
  /** First page of each cache's current slab, or NONE. */
  private readonly current = new Int32Array(cacheSizes.length).fill(NONE);
  private readonly partial = new IndexList(cacheSizes.length);
  private readonly partials = new Int32Array(cacheSizes.length);
  // By page: the first page of its run; and at that page, what it is, its order, objects in use, its first free object
  // and the number of objects ever handed out.
  private firsts = new Int32Array(64);
  private kinds = new Uint8Array(64).fill(NO_SLAB);
  private runOrders = new Uint8Array(64);
  private inUse = new Uint16Array(64);
  private firstFree = new Uint16Array(64);
  private reached = new Uint16Array(64);
  /** At the first granule of an object: the next free object of its slab, LAST or LIVE. */
  private links = new Uint16Array(64 * PAGE_GRANULES);

  constructor(space: AddressSpace, given: SlabOptions) {
    this.costs = space.costs;
    this.supply = new PageSupply(space);
    this.base = this.supply.base;
    this.minPartial = given.minPartial;
    this.orders = cacheSizes.map((size) => slabOrder(size, given));
    this.caches = Uint8Array.from({ length: LARGEST_CACHED / 8 + 1 }, (_, eighths) =>
      cacheSizes.findIndex((size) => size >= eighths * 8),
    );
  }

  allocate(size: number, alignment = ALIGNMENT): Ref {
    // From Linux 5.4 on objects of a power of two lie at multiples of it.
    const bytes = alignment > ALIGNMENT ? naturalSize(size, alignment) : size;
    if (bytes > LARGEST_CACHED) return this.allocatePages(bytes);
    const cache = this.caches[(bytes + 7) >>> 3];
    let slab = this.current[cache];
    if (slab < 0 || this.firstFree[slab] === LAST) {
      slab = this.nextSlab(cache);
      if (slab < 0) return none;
    }
    const object = this.firstFree[slab];
    const offset = slab * PAGE + object * this.sizes[cache];
    const at = offset / 8;
    this.firstFree[slab] = this.links[at];
    this.links[at] = LIVE;
    this.inUse[slab] += 1;
    if (object >= this.reached[slab]) this.reached[slab] = object + 1;
    return (this.base + offset) as Ref;
  }

  free(ref: Ref): void {
    const offset = ref - this.base;
    const slab = this.firsts[(offset * PER_PAGE) | 0];
    const cache = this.kinds[slab];
    if (cache === WHOLE) {
      this.giveBack(slab);
      return;
    }
    const wasFull = this.firstFree[slab] === LAST;
    this.links[offset / 8] = this.firstFree[slab];
    this.firstFree[slab] = (offset - slab * PAGE) / this.sizes[cache];
    this.inUse[slab] -= 1;
    if (slab === this.current[cache]) return;
    if (this.inUse[slab] === 0 && this.partials[cache] >= this.minPartial) {
      if (!wasFull) this.removePartial(cache, slab);
      this.giveBack(slab);
    } else if (wasFull) {
      this.partial.pushBack(cache, slab);
      this.partials[cache] += 1;
    }
  }

  /** krealloc: a block stays as long as it has room. */
  reallocate(ref: Ref, size: number): Ref {
    const capacity = this.capacityOf(ref);
    if (size <= capacity) return ref;
    return relocate(this, this.costs, ref, capacity, size);
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    const first = this.firsts[((ref - this.base) * PER_PAGE) | 0];
    const kind = this.kinds[first];
    return kind === WHOLE ? PAGE * (1 << this.runOrders[first]) : this.sizes[kind];
  }

  walk(map: HeapMap): void {
    for (let first = 0; first < this.kinds.length; first++) {
      const kind = this.kinds[first];
      if (kind === NO_SLAB) continue;
      const address = this.base + first * PAGE;
      const bytes = PAGE * (1 << this.runOrders[first]);
      if (kind === WHOLE) map.add(address, bytes, Kind.live, address);
      else this.walkSlab(map, first, this.sizes[kind], bytes);
      first += (1 << this.runOrders[first]) - 1;
    }
    this.supply.walk(map);
  }

  private walkSlab(map: HeapMap, slab: number, size: number, bytes: number): void {
    const start = this.base + slab * PAGE;
    const objects = Math.floor(bytes / size);
    for (let object = 0; object < objects; object++) {
      const address = start + object * size;
      if (this.links[slab * PAGE_GRANULES + (object * size) / 8] === LIVE) map.add(address, size, Kind.live, address);
      else map.add(address, size, object < this.reached[slab] ? Kind.free : Kind.fresh);
    }
    map.add(start + objects * size, bytes - objects * size, Kind.tail);
  }

  /** Makes another slab the current one of a cache: the first partial one, or a new one. */
  private nextSlab(cache: number): number {
    let slab = this.partial.first(cache);
    if (slab >= 0) this.removePartial(cache, slab);
    else slab = this.addSlab(cache);
    if (slab >= 0) this.current[cache] = slab;
    return slab;
  }

  private removePartial(cache: number, slab: number): void {
    this.partial.remove(slab);
    this.partials[cache] -= 1;
  }

  private addSlab(cache: number): number {
    const size = this.sizes[cache];
    const slab = this.addRun(this.orders[cache], orderOf(size), cache);
    if (slab < 0) return NONE;
    const objects = Math.floor((PAGE << this.runOrders[slab]) / size);
    for (let object = 0; object < objects; object++) {
      this.links[(slab * PAGE + object * size) / 8] = object + 1 === objects ? LAST : object + 1;
    }
    this.inUse[slab] = 0;
    this.firstFree[slab] = 0;
    this.reached[slab] = 0;
    return slab;
  }

  private allocatePages(bytes: number): Ref {
    if (bytes > LARGEST) return none;
    const order = orderOf(bytes);
    const first = this.addRun(order, order, WHOLE);
    if (first < 0) return none;
    return (this.base + first * PAGE) as Ref;
  }

  /** Takes pages of an order, or of a lower one where that is refused. Returns the first page, or -1. */
  private addRun(order: number, lower: number, kind: number): number {
    let taken = order;
    let first = this.supply.take(order);
    if (first < 0 && lower < order) {
      taken = lower;
      first = this.supply.take(lower);
    }
    if (first < 0) return -1;
    const end = first + (1 << taken);
    if (end > this.kinds.length) this.growColumns(end);
    this.firsts.fill(first, first, end);
    this.kinds[first] = kind;
    this.runOrders[first] = taken;
    return first;
  }

  private giveBack(first: number): void {
    this.kinds[first] = NO_SLAB;
    this.supply.give(first, this.runOrders[first]);
  }

  private growColumns(pages: number): void {
    const length = Math.max(pages, this.kinds.length * 2);
    this.firsts = grown(this.firsts, length);
    this.kinds = grown(this.kinds, length, NO_SLAB);
    this.runOrders = grown(this.runOrders, length);
    this.inUse = grown(this.inUse, length);
    this.firstFree = grown(this.firstFree, length);
    this.reached = grown(this.reached, length);
    this.links = grown(this.links, length * PAGE_GRANULES);
  }
}

/** The size of the cache, or bytes of pages, in which each block lies at a multiple of `alignment`. */
function naturalSize(size: number, alignment: number): number {
  const bytes = Math.max(size, alignment);
  let power = alignment;
  while (power < bytes) power *= 2;
  return power;
}

/** Slabs of the Linux kernel. */
export const slab: AllocatorSpec<SlabOptions> = {
  name: "slab",
  title: "Slabs, kmalloc on SLUB",
  source:
    "Bonwick 1994, The slab allocator, USENIX; Linux mm/slub.c (up to 6.6): calculate_order, ___slab_alloc, __slab_free; kmalloc caches",
  indirect: false,
  alignment: ALIGNMENT,
  options,
  defaults: defaultsOf(options),
  variants: [{ minObjects: 8, minPartial: 0 }, { maxOrder: 0 }, { minPartial: 100, minObjects: 32 }],
  create: (space, given) => new Slab(space, resolveOptions("slab", options, given)),
};
