import { IndexList } from "../../memory/index-list.js";
import { Bitmap } from "./bitmap.js";

/**
 * The free blocks of a buddy system by order. A block of order `k` has 2^k units and is named by its first one, a
 * multiple of 2^k. Orders are 0 to 30.
 */
export interface FreeBlocks {
  /** The smallest order, `order` or above, that has a free block; -1 where there is none. */
  smallest(order: number): number;
  /** Takes a block of an order that has one: which one is the policy. */
  take(order: number): number;
  add(order: number, unit: number): void;
  /** Takes a certain free block. */
  remove(order: number, unit: number): void;
}

/** Lowest address first: a hierarchical bitmap for each order, out of band. */
export class FreeBitmaps implements FreeBlocks {
  /** Bit `k`: there is a free block of order `k`. */
  private orders: number;
  private readonly maps: Bitmap[];

  constructor(orders: number) {
    this.orders = 0;
    this.maps = Array.from({ length: orders }, () => new Bitmap());
  }

  smallest(order: number): number {
    return lowestAtLeast(this.orders, order);
  }

  take(order: number): number {
    const map = this.maps[order];
    const index = map.take();
    if (map.isEmpty()) this.orders ^= 1 << order;
    return index << order;
  }

  add(order: number, unit: number): void {
    this.orders |= 1 << order;
    this.maps[order].add(unit >>> order);
  }

  remove(order: number, unit: number): void {
    const map = this.maps[order];
    map.remove(unit >>> order);
    if (map.isEmpty()) this.orders ^= 1 << order;
  }

  has(order: number, unit: number): boolean {
    return this.maps[order].has(unit >>> order);
  }
}

/** Last freed first: a doubly linked list for each order, with its links in the free blocks. */
export class FreeLists implements FreeBlocks {
  private orders: number;
  private readonly lists: IndexList;

  constructor(orders: number) {
    this.orders = 0;
    this.lists = new IndexList(orders);
  }

  smallest(order: number): number {
    return lowestAtLeast(this.orders, order);
  }

  take(order: number): number {
    const unit = this.lists.first(order);
    this.remove(order, unit);
    return unit;
  }

  add(order: number, unit: number): void {
    this.orders |= 1 << order;
    this.lists.pushFront(order, unit);
  }

  remove(order: number, unit: number): void {
    this.lists.remove(unit);
    if (this.lists.isEmpty(order)) this.orders ^= 1 << order;
  }
}

/** The lowest bit of a mask that is not below `order`, or -1. */
function lowestAtLeast(mask: number, order: number): number {
  const rest = mask & (-1 << order);
  return 31 - Math.clz32(rest & -rest);
}
