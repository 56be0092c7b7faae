/**
 * Two heaps behind one contract: requests up to a threshold go to the inner one, larger ones to the outer one, as in
 * CPython, where pymalloc lies over the C library, or in any program with an object allocator of its own.
 */
import type { Address, AddressSpace } from "../memory/address-space.js";
import { Cost } from "../memory/costs.js";
import type { HeapMap } from "../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../memory/options.js";
import { OwnedSpace } from "../memory/owned-space.js";
import { PageTable } from "../memory/page-table.js";
import { type Allocator, type AllocatorSpec, type ArenaPlacement, hasArenas, none, type Ref } from "./allocator.js";
import { type Families, outerHeap, outerOption, withClockOf } from "./outer.js";

export interface LayeredOptions {
  inner: string;
  outer: string;
  /** Largest request of the inner heap in bytes. */
  threshold: number;
}

const options: OptionTable<LayeredOptions> = {
  inner: outerOption("buddy", "heap of small requests"),
  outer: outerOption("first-fit", "heap of large requests, and of small ones when the inner heap has no memory"),
  threshold: { kind: "bytes", min: 0, max: 1 << 30, default: 512, help: "largest request of the inner heap" },
};

const PER_PAGE = 1 / 4096;
const INNER = 1;
const OUTER = 2;

/**
 * Both heaps take their pages from one space, so footprint, limit and costs are of both. Whose a block is follows from
 * the page it starts in. A block that outgrows the inner heap moves to the outer one and never comes back.
 */
class Layered implements Allocator {
  protected readonly inner: Allocator;
  private readonly outer: Allocator;
  private readonly owners: PageTable;
  private readonly costs: Float64Array;
  private readonly threshold: number;

  constructor(space: AddressSpace, owners: PageTable, inner: Allocator, outer: Allocator, threshold: number) {
    this.inner = inner;
    this.outer = outer;
    this.owners = owners;
    this.costs = space.costs;
    this.threshold = threshold;
  }

  allocate(size: number, alignment = 0): Ref {
    if (size <= this.threshold) {
      const ref = alignment === 0 ? this.inner.allocate(size) : this.inner.allocate(size, alignment);
      if (ref !== none) return ref;
    }
    return alignment === 0 ? this.outer.allocate(size) : this.outer.allocate(size, alignment);
  }

  free(ref: Ref): void {
    this.heapOf(ref).free(ref);
  }

  reallocate(ref: Ref, size: number): Ref {
    const heap = this.heapOf(ref);
    if (heap === this.outer) return heap.reallocate(ref, size);
    if (size <= this.threshold) {
      const kept = heap.reallocate(ref, size);
      if (kept !== none) return kept;
    }
    const moved = this.outer.allocate(size);
    if (moved === none) return none;
    this.costs[Cost.bytesCopied] += Math.min(size, heap.capacityOf(ref));
    heap.free(ref);
    return moved;
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    return this.heapOf(ref).capacityOf(ref);
  }

  walk(map: HeapMap): void {
    this.inner.walk(map);
    this.outer.walk(map);
  }

  protected heapOf(ref: Ref): Allocator {
    return this.owners.get((ref * PER_PAGE) | 0) === INNER ? this.inner : this.outer;
  }
}

/** Layers of which the inner one has arenas. */
class LayeredArenas extends Layered implements ArenaPlacement {
  placementOf(ref: Ref): { arena: number; offset: number } | undefined {
    return this.heapOf(ref) === this.inner && hasArenas(this.inner) ? this.inner.placementOf(ref) : undefined;
  }
}

/** Any two direct allocators of `families`, one over the other. */
export const layeredOver = (families: Families): AllocatorSpec<LayeredOptions> => ({
  name: "layered",
  title: "Small requests to one heap, large to another",
  source: "CPython, Objects/obmalloc.c: PyObject_Malloc over PyMem_RawMalloc; Berger, Zorn & McKinley, PLDI 2001",
  indirect: false,
  alignment: 8,
  options,
  defaults: defaultsOf(options),
  variants: [
    { inner: "first-fit/growth=65536", outer: "buddy/header=in/chunk=64K", threshold: 200 },
    { inner: "pymalloc/variant=cpython-3.8/threshold=256", outer: "bump", threshold: 256 },
    { inner: "jemalloc/dirtyDecay=1", outer: "glibc", threshold: 1024 },
  ],
  create(space, given) {
    const { inner, outer, threshold } = resolveOptions("layered", options, given);
    const owners = new PageTable();
    const heap = (option: "inner" | "outer", selector: string, owner: number): Allocator =>
      outerHeap("layered", option, selector, families, new OwnedSpace(space, owners, owner));
    const low = heap("inner", inner, INNER);
    const high = heap("outer", outer, OUTER);
    const Layers = hasArenas(low) ? LayeredArenas : Layered;
    return withClockOf(new Layers(space, owners, low, high, threshold), low, high);
  },
});
