import { Bitset } from "../../memory/bitset.js";
import { grown } from "../../memory/columns.js";

const END = -1;

/**
 * Freed blocks that wait to be coalesced, by exact size, last freed first (Wilson et al. 1995, section 3.11). Their
 * tags say that they are in use. Positions and sizes in granules.
 */
export class QuickLists {
  count: number;
  private readonly sizes: Bitset;
  /** First block of each size, 0 for none. */
  private readonly heads: Int32Array;
  /** The next block of the list behind the one at a position, or END; 0 for a block in no list. */
  private links: Int32Array;

  /** Lists for sizes up to `largest`. */
  constructor(largest: number) {
    this.count = 0;
    this.sizes = new Bitset(largest + 1);
    this.heads = new Int32Array(largest + 1);
    this.links = new Int32Array(0);
  }

  has(at: number): boolean {
    return this.links[at] !== 0;
  }

  push(at: number, size: number): void {
    const head = this.heads[size];
    if (head === 0) this.sizes.set(size);
    this.links[at] = head === 0 ? END : head;
    this.heads[size] = at;
    this.count++;
  }

  /** The block of a size that was freed last, no longer listed, or -1. */
  pop(size: number): number {
    if (size >= this.heads.length) return -1;
    const at = this.heads[size];
    if (at === 0) return -1;
    const next = this.links[at];
    this.links[at] = 0;
    this.heads[size] = next === END ? 0 : next;
    if (next === END) this.sizes.clear(size);
    this.count--;
    return at;
  }

  /** The smallest size that is listed, or -1. */
  smallest(): number {
    return this.sizes.first();
  }

  /** Makes room for positions below `positions`. */
  grow(positions: number): void {
    if (positions > this.links.length) this.links = grown(this.links, positions);
  }
}
