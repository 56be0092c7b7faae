import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { SideTable } from "../buddy/side-table.js";
import { VacantRuns } from "../buddy/vacant-runs.js";
import { PAGE } from "./kmalloc.js";

/** Orders up to 4 GiB; 8 GiB of addresses. */
const LARGEST_ORDER = 20;
const RESERVED = 2 * PAGE * (1 << LARGEST_ORDER);
/** sizeof(struct page). */
const PAGE_STRUCT = 64;

/**
 * The page allocator under the slabs: runs of 2^order pages at multiples of their size, lowest first, mapped when they
 * are taken and unmapped when they are given back, with a struct page of 64 bytes for each page beside them. The kernel
 * has no pages without frames, so all of them are resident from the start.
 */
export class PageSupply {
  readonly base: Address;
  private readonly space: AddressSpace;
  private readonly vacant = new VacantRuns(LARGEST_ORDER);
  private readonly structs: SideTable;

  constructor(space: AddressSpace) {
    this.base = space.reserve(RESERVED, PAGE * (1 << 18));
    this.space = space;
    this.structs = new SideTable(space, PAGE_STRUCT, RESERVED / PAGE);
  }

  /** The first page of a new run; -1 where there is no memory. */
  take(order: number): number {
    if (order > LARGEST_ORDER) return -1;
    const first = this.vacant.take(order);
    if (first < 0) return -1;
    const count = 1 << order;
    let described = 0;
    while (described < count && this.structs.use(first + described)) described += 1;
    if (described === count && this.space.commit(this.base + first * PAGE, count * PAGE, Use.heap)) {
      this.space.touch(this.base + first * PAGE, count * PAGE);
      return first;
    }
    for (let i = 0; i < described; i++) this.structs.drop(first + i);
    this.vacant.give(first, order);
    return -1;
  }

  give(first: number, order: number): void {
    const count = 1 << order;
    this.space.unmap(this.base + first * PAGE, count * PAGE);
    for (let i = 0; i < count; i++) this.structs.drop(first + i);
    this.vacant.give(first, order);
  }

  walk(map: HeapMap): void {
    this.structs.walk(map);
  }
}
