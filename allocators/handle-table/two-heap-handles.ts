import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { none, type Ref } from "../allocator.js";
import { BackingHeap } from "./backing-heap.js";
import { END } from "./free-blocks.js";
import { HandleEntries } from "./handle-entries.js";
import type { HandleHeap } from "./handle-heap.js";
import { type HandleOptions, walkBlocks } from "./handles.js";
import { UNIT } from "./heap-pages.js";

/** Larger requests have no handle. */
const MAX_OBJECT = 0x80000000;

/** An entry holds the block and, above it, which heap it is in. */
const HEAP_BITS = 29;
const BLOCK = (1 << HEAP_BITS) - 1;

/** Chooses the heap of the object that entry `index` is about to name. */
export interface Chooser {
  choose(index: number): 0 | 1;
}

export interface TwoHeapOptions extends HandleOptions {
  /** Whether a reallocation always copies, as in Anchorage, or first tries to stay in place. */
  copyAlways: boolean;
}

/**
 * A handle table over two heaps: two spaces between which blocks are evacuated (Anchorage's sub-heaps), or one for what
 * moves and one for what is pinned for life (Palm OS).
 */
export class TwoHeapHandles implements HandleHeap {
  readonly entries: HandleEntries;
  readonly heaps: readonly [BackingHeap, BackingHeap];
  /** Says where a new object goes; set by who owns the policy. */
  chooser: Chooser;
  /** Whether the last pass leaves holes to give back in each heap. */
  readonly releases: [tail: boolean, holes: boolean][] = [
    [true, true],
    [true, true],
  ];
  private readonly costs: Costs;
  private readonly copyAlways: boolean;

  constructor(space: AddressSpace, options: TwoHeapOptions) {
    this.costs = space.costs;
    this.heaps = [new BackingHeap(space, options), new BackingHeap(space, options)];
    this.entries = new HandleEntries(space, options);
    for (const heap of this.heaps) heap.track(this.entries);
    this.copyAlways = options.copyAlways;
    this.chooser = { choose: () => 0 };
  }

  allocate(size: number, alignment = UNIT): Ref {
    const { entries } = this;
    if (size > MAX_OBJECT || !entries.ready()) return none;
    const code = alignment <= UNIT ? 0 : 27 - Math.clz32(alignment);
    const heap = this.chooser.choose(entries.peek());
    const block = this.place(heap, size, code);
    if (block === END) {
      entries.unready();
      return none;
    }
    const { granted, blocks } = this.heaps[heap];
    const index = entries.take(block | (heap << HEAP_BITS), granted, size, code);
    blocks.own(block, granted, index);
    return entries.refOf(index);
  }

  free(ref: Ref): void {
    const index = this.entries.find(ref);
    if (index >= 0) this.freeEntry(index);
  }

  reallocate(ref: Ref, size: number): Ref {
    const { entries } = this;
    const index = entries.find(ref);
    if (index < 0 || size > MAX_OBJECT) return none;
    const asked = entries.askedOf(index);
    const heap = this.heapOf(index);
    const block = this.blockOf(index);
    const units = entries.unitsOf(index);
    if (!this.copyAlways && heap.resize(block, units, asked, size)) {
      entries.setSize(index, heap.granted, size);
      heap.blocks.own(block, heap.granted, index);
      return ref;
    }
    const other = this.chooser.choose(index);
    const moved = this.place(other, size, entries.codeOf(index));
    if (moved === END) return none;
    this.costs[Cost.bytesCopied] += Math.min((units - 1) * UNIT, size);
    this.own(index, other, moved, size);
    heap.release(block, units, asked);
    return ref;
  }

  addressOf(ref: Ref): Address {
    this.costs[Cost.tableLoads] += 1;
    const index = this.entries.find(ref);
    return index < 0 ? 0 : this.heapOf(index).addressOf(this.blockOf(index));
  }

  capacityOf(ref: Ref): number {
    const index = this.entries.find(ref);
    return index < 0 ? 0 : (this.entries.unitsOf(index) - 1) * UNIT;
  }

  walk(map: HeapMap): void {
    for (const heap of this.heaps) walkBlocks(map, heap, this.entries);
    this.entries.walk(map);
  }

  freeEntry(index: number): void {
    const { entries } = this;
    if (entries.isPinned(index)) {
      entries.doom(index);
      return;
    }
    this.heapOf(index).release(this.blockOf(index), entries.unitsOf(index), entries.askedOf(index));
    entries.give(index);
  }

  /** Makes the block that heap `heap` gave last, `block`, that of an entry whose object the program asked `asked` bytes for. */
  own(index: number, heap: 0 | 1, block: number, asked: number): void {
    const { granted, blocks } = this.heaps[heap];
    this.entries.setSize(index, granted, asked);
    blocks.own(block, granted, index);
    this.entries.point(index, block | (heap << HEAP_BITS));
  }

  extent(): number {
    return (this.heaps[0].blocks.top + this.heaps[1].blocks.top) * UNIT;
  }

  liveBytes(): number {
    return (this.heaps[0].liveUnits + this.heaps[1].liveUnits) * UNIT;
  }

  asked(): number {
    return this.heaps[0].asked + this.heaps[1].asked;
  }

  releasePages(): void {
    this.heaps.forEach((heap, i) => {
      const [tail, holes] = this.releases[i];
      if (tail) heap.releasePages(holes);
    });
  }

  private place(heap: 0 | 1, size: number, code: number): number {
    return code === 0 ? this.heaps[heap].place(size) : this.heaps[heap].placeAligned(size, code);
  }

  private heapOf(index: number): BackingHeap {
    return this.heaps[this.entries.blockOf(index) >> HEAP_BITS];
  }

  private blockOf(index: number): number {
    return this.entries.blockOf(index) & BLOCK;
  }
}
