import type { Address, AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { type Allocator, none as noRef, type Ref, type StaleAware, type StaleUse } from "../allocator.js";
import { unitsFor } from "./backing-heap.js";
import { HandleEntries } from "./handle-entries.js";
import type { HandleHeap } from "./handle-heap.js";
import type { TableOptions } from "./table-options.js";

/** Larger requests have no handle. */
const MAX_OBJECT = 0x80000000;
const FIRST_ENTRIES = 1024;

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const none = noRef;
const TABLE_LOADS = Cost.tableLoads;

/** Code k stands for an alignment of 16 << k; 0 for the inner allocator's own. */
function alignmentOf(code: number): number {
  return 16 * (1 << code);
}

/**
 * A handle table over any direct allocator: what the program asks for is asked of the inner one, unchanged, so that
 * blocks lie where they would without handles. Blocks have no header: who moves one finds its entry by a walk of the table.
 */
export class InnerHandles implements HandleHeap, StaleAware {
  readonly entries: HandleEntries;
  readonly inner: Allocator;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  /** The inner ref, an address, of each live entry. */
  private places = new Float64Array(FIRST_ENTRIES);
  /** Bytes asked for in live blocks. */
  private bytesAsked = 0;
  private readonly map = new HeapMap();

  constructor(space: AddressSpace, inner: Allocator, options: TableOptions) {
    this.space = space;
    this.costs = space.costs;
    this.inner = inner;
    this.entries = new HandleEntries(space, options);
  }

  allocate(size: number, alignment = 0): Ref {
    const index = this.create(size, alignment);
    return index < 0 ? none : this.entries.refOf(index);
  }

  free(ref: Ref): void {
    const index = this.entries.find(ref);
    if (index >= 0) this.freeEntry(index);
  }

  /** In place or elsewhere, as the inner allocator has it. */
  reallocate(ref: Ref, size: number): Ref {
    const { entries, inner, places } = this;
    const index = entries.find(ref);
    if (index < 0 || size > MAX_OBJECT) return none;
    const old = places[index] as Ref;
    const moved = inner.reallocate(old, size);
    if (moved === none) return none;
    this.bytesAsked += size - entries.askedOf(index);
    entries.setSize(index, unitsFor(size), size);
    if (moved !== old) {
      places[index] = moved;
      entries.point(index, 0);
    }
    return ref;
  }

  addressOf(ref: Ref): Address {
    this.costs[TABLE_LOADS] += 1;
    const index = this.entries.find(ref);
    return index < 0 ? 0 : this.places[index];
  }

  capacityOf(ref: Ref): number {
    const index = this.entries.find(ref);
    return index < 0 ? 0 : this.inner.capacityOf(this.places[index] as Ref);
  }

  get firstStale(): StaleUse | undefined {
    return this.entries.stale.first;
  }

  get tellsAll(): boolean {
    return this.entries.retires;
  }

  /** The inner allocator's walk with our refs; an object freed while pinned shows as padding. */
  walk(map: HeapMap): void {
    const { entries, map: inside } = this;
    const ours = new Map<number, number>();
    entries.eachLive((index) => {
      ours.set(this.places[index], index);
    });
    inside.clear();
    this.inner.walk(inside);
    for (let i = 0; i < inside.length; i++) {
      const kind = inside.kind[i] as Kind;
      const index = kind === Kind.live ? (ours.get(inside.owner[i]) ?? -1) : -1;
      if (index < 0) map.add(inside.start[i], inside.bytes[i], kind, inside.owner[i]);
      else if (entries.isDoomed(index)) map.add(inside.start[i], inside.bytes[i], Kind.padding);
      else map.add(inside.start[i], inside.bytes[i], Kind.live, entries.refOf(index));
    }
    entries.walk(map);
  }

  freeEntry(index: number): void {
    const { entries, inner } = this;
    if (entries.isPinned(index)) {
      entries.doom(index);
      return;
    }
    const place = this.places[index] as Ref;
    this.bytesAsked -= entries.askedOf(index);
    inner.free(place);
    entries.give(index);
  }

  /** The address of a live entry's block, which is its inner ref too. */
  placeOf(index: number): Ref {
    return this.places[index] as Ref;
  }

  /** Another block like that of a live entry, from the inner allocator; `none` without memory. */
  anotherFor(index: number): Ref {
    const code = this.entries.codeOf(index);
    const size = this.entries.askedOf(index);
    return code === 0 ? this.inner.allocate(size) : this.inner.allocate(size, alignmentOf(code));
  }

  /** Points a live entry at another block and gives its old one back. */
  replace(index: number, place: Ref): void {
    const old = this.places[index] as Ref;
    this.places[index] = place;
    this.entries.point(index, 0);
    this.inner.free(old);
  }

  /** What the inner allocator holds in pages that are in use. Where its lowest and highest blocks are, it alone knows. */
  extent(): number {
    return this.space.resident;
  }

  /** What was asked for: to look up the size of each block would cost more than it tells. */
  liveBytes(): number {
    return this.bytesAsked;
  }

  asked(): number {
    return this.bytesAsked;
  }

  /** The inner allocator gives back what it gives back. */
  releasePages(): void {}

  private create(size: number, alignment: number): number {
    const { entries, inner } = this;
    if (size > MAX_OBJECT || !entries.ready()) return -1;
    const place = alignment === 0 ? inner.allocate(size) : inner.allocate(size, alignment);
    if (place === none) {
      entries.unready();
      return -1;
    }
    const index = entries.take(0, unitsFor(size), size, alignment <= 16 ? 0 : 27 - Math.clz32(alignment));
    if (index >= this.places.length) this.grow();
    this.places[index] = place;
    this.bytesAsked += size;
    return index;
  }

  private grow(): void {
    this.places = grown(this.places, 2 * this.places.length);
  }
}
