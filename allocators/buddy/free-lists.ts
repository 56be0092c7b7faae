import { grown } from "../../memory/columns.js";
import { type FreeBlocks, lowestAtLeast } from "./free-blocks.js";

/**
 * Last freed first: a doubly linked list for each order, a ring through its head, so that no link is ever missing.
 *
 * Two units that are buddies are never the starts of two free blocks, because these would have been merged. So a pair of
 * units shares one record of links, next and previous. Node `n` has them at `n & -2` and `n | 1`: the head of order `k`
 * is node 2k, and the units follow the heads.
 */
export class FreeLists implements FreeBlocks {
  /** Bit `k`: there is a free block of order `k`. */
  private orders: number;
  /** The node of unit 0. */
  private readonly first: number;
  private links: Int32Array;

  /** No free blocks yet, of orders below `orders`. */
  constructor(orders: number) {
    this.orders = 0;
    this.first = orders * 2;
    this.links = new Int32Array(2048);
    for (let head = 0; head < this.first; head += 2) this.links.fill(head, head, head + 2);
  }

  smallest(order: number): number {
    return lowestAtLeast(this.orders, order);
  }

  take(order: number): number {
    const links = this.links;
    const head = order * 2;
    const node = links[head];
    const next = links[node & -2];
    links[head] = next;
    links[next | 1] = head;
    if (next === head) this.orders ^= 1 << order;
    return node - this.first;
  }

  add(order: number, unit: number): void {
    const node = unit + this.first;
    if (node >= this.links.length) this.grow(node);
    const links = this.links;
    const head = order * 2;
    const next = links[head];
    links[head] = node;
    links[node & -2] = next;
    links[node | 1] = head;
    links[next | 1] = node;
    this.orders |= 1 << order;
  }

  remove(order: number, unit: number): void {
    const links = this.links;
    const node = unit + this.first;
    const next = links[node & -2];
    const previous = links[node | 1];
    links[previous & -2] = next;
    links[next | 1] = previous;
    // Only the head can be both neighbours.
    if (next === previous) this.orders ^= 1 << order;
  }

  private grow(node: number): void {
    this.links = grown(this.links, Math.max(this.links.length * 2, (node + 2) & -2));
  }
}
