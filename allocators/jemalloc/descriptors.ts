import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";

const PAGE = 4096;
/** sizeof(edata_t), aligned to 128 bytes: an extent's descriptor. */
const DESCRIPTOR = 128;
/** Bytes of the page map's leaf for each page (rtree_leaf_elm_t). */
const LEAF = 8;
/** Pages of descriptors obtained at a time. */
const STEP = 4;

/**
 * The account of jemalloc's bookkeeping outside the blocks: a descriptor for each extent, kept for reuse when extents
 * merge, and the radix tree from pages to extents, whose leaves are used from the start of the heap up, with one page
 * for the root. The arena itself, some ten kilobytes whatever the heap, is not charged.
 */
export class Descriptors {
  private readonly space: AddressSpace;
  /** Descriptors of extents, and those that there is memory for. */
  private taken = 0;
  private capacity = 0;
  /** Heap pages that the leaves cover. */
  private covered = 0;
  /** What was mapped: address and bytes. */
  private readonly regions: [Address, number][] = [];

  constructor(space: AddressSpace) {
    this.space = space;
  }

  /** Makes sure that `count` more descriptors can be taken; `false` where there is no memory. */
  ensure(count: number): boolean {
    if (this.taken + count <= this.capacity) return true;
    if (!this.map(STEP)) return false;
    this.capacity += (STEP * PAGE) / DESCRIPTOR;
    return true;
  }

  take(): void {
    this.taken++;
  }

  give(): void {
    this.taken--;
  }

  /** Makes the page map reach over heap pages below `end`; `false` where there is no memory. */
  cover(end: number): boolean {
    const leaves = (pages: number): number => Math.ceil((pages * LEAF) / PAGE);
    const root = this.covered === 0 ? 1 : 0;
    const missing = leaves(end) - leaves(this.covered) + root;
    if (missing > 0 && !this.map(missing)) return false;
    this.covered = Math.max(this.covered, end);
    return true;
  }

  walk(map: HeapMap): void {
    for (const [at, bytes] of this.regions) map.add(at, bytes, Kind.meta);
  }

  private map(pages: number): boolean {
    const at = this.space.map(pages * PAGE, PAGE, Use.meta);
    if (at !== 0) this.regions.push([at, pages * PAGE]);
    return at !== 0;
  }
}
