import { grown } from "../../memory/columns.js";

/**
 * Pairing heaps of keys, one for each bin (Fredman, Sedgewick, Sleator and Tarjan, "The pairing heap", Algorithmica 1,
 * 1986): adding and looking at the least key take constant time, taking out any key O(log n) amortised.
 */

// A node is a record of four words. Node 0 is none.
const RECORD = 2;
const KEY = 0;
const CHILD = 1;
/** The next sibling; in a free node the next free one. */
const NEXT = 2;
/** The previous sibling, or the parent of a first child. */
const PREVIOUS = 3;

/** Keys are integers below 2^31, different within a bin. Bins are numbered from 0. */
export class PairingHeaps {
  private nodes: Int32Array;
  private roots: Int32Array;
  private freeNode: number;

  constructor() {
    this.nodes = new Int32Array(0);
    this.roots = new Int32Array(64);
    this.freeNode = 0;
    this.addNodes(64);
  }

  /** Empties all bins. */
  clear(): void {
    const count = this.nodes.length >>> RECORD;
    this.roots.fill(0);
    this.nodes = new Int32Array(0);
    this.freeNode = 0;
    this.addNodes(count);
  }

  /** Whether a bin has no keys. */
  isEmpty(bin: number): boolean {
    return bin >= this.roots.length || this.roots[bin] === 0;
  }

  /** The least key of a bin that is not empty. */
  least(bin: number): number {
    return this.nodes[(this.roots[bin] << RECORD) + KEY];
  }

  /** Puts a key into a bin. Returns its node, by which it is taken out. */
  add(bin: number, key: number): number {
    if (this.freeNode === 0) this.addNodes(this.nodes.length >>> RECORD);
    if (bin >= this.roots.length) this.addBins(bin + 1);
    const nodes = this.nodes;
    const node = this.freeNode;
    const at = node << RECORD;
    this.freeNode = nodes[at + NEXT];
    nodes[at + KEY] = key;
    nodes[at + CHILD] = 0;
    nodes[at + NEXT] = 0;
    nodes[at + PREVIOUS] = 0;
    const root = this.roots[bin];
    this.roots[bin] = root === 0 ? node : this.meld(root, node);
    return node;
  }

  /** Gives a node another key. Once all of a bin have theirs, the order among them must be what it was. */
  rename(node: number, key: number): void {
    this.nodes[(node << RECORD) + KEY] = key;
  }

  /** Takes a node out of its bin. */
  remove(bin: number, node: number): void {
    const nodes = this.nodes;
    const at = node << RECORD;
    const child = nodes[at + CHILD];
    const below = child === 0 ? 0 : this.meldSiblings(child);
    const root = this.roots[bin];
    if (root === node) {
      this.roots[bin] = below;
    } else {
      const next = nodes[at + NEXT];
      const previous = nodes[at + PREVIOUS];
      const up = previous << RECORD;
      nodes[up + (nodes[up + CHILD] === node ? CHILD : NEXT)] = next;
      if (next !== 0) nodes[(next << RECORD) + PREVIOUS] = previous;
      if (below !== 0) this.roots[bin] = this.meld(root, below);
    }
    nodes[at + NEXT] = this.freeNode;
    this.freeNode = node;
  }

  /** The least key of a bin for which `holds` says so, or -1: each key is looked at. */
  leastWhere(bin: number, holds: (key: number) => boolean): number {
    if (this.isEmpty(bin)) return -1;
    const nodes = this.nodes;
    let least = -1;
    const open = [this.roots[bin]];
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      const at = node << RECORD;
      const key = nodes[at + KEY];
      if ((least < 0 || key < least) && holds(key)) least = key;
      if (nodes[at + CHILD] !== 0) open.push(nodes[at + CHILD]);
      if (nodes[at + NEXT] !== 0) open.push(nodes[at + NEXT]);
    }
    return least;
  }

  /** Makes the root with the greater key the first child of the other. Both have no siblings. */
  private meld(a: number, b: number): number {
    const nodes = this.nodes;
    const first = nodes[(a << RECORD) + KEY] < nodes[(b << RECORD) + KEY];
    const above = first ? a : b;
    const below = first ? b : a;
    const up = above << RECORD;
    const at = below << RECORD;
    const child = nodes[up + CHILD];
    nodes[at + NEXT] = child;
    nodes[at + PREVIOUS] = above;
    if (child !== 0) nodes[(child << RECORD) + PREVIOUS] = below;
    nodes[up + CHILD] = below;
    return above;
  }

  /** Melds a chain of siblings into one heap: in pairs from left to right, then the pairs from right to left. */
  private meldSiblings(chain: number): number {
    const nodes = this.nodes;
    let pairs = 0;
    let rest = chain;
    while (rest !== 0) {
      const a = rest;
      const b = nodes[(a << RECORD) + NEXT];
      this.unlink(a);
      let pair = a;
      rest = 0;
      if (b !== 0) {
        rest = nodes[(b << RECORD) + NEXT];
        this.unlink(b);
        pair = this.meld(a, b);
      }
      nodes[(pair << RECORD) + NEXT] = pairs;
      pairs = pair;
    }
    let heap = pairs;
    pairs = nodes[(heap << RECORD) + NEXT];
    this.unlink(heap);
    while (pairs !== 0) {
      const pair = pairs;
      pairs = nodes[(pair << RECORD) + NEXT];
      this.unlink(pair);
      heap = this.meld(heap, pair);
    }
    return heap;
  }

  private unlink(node: number): void {
    this.nodes[(node << RECORD) + NEXT] = 0;
    this.nodes[(node << RECORD) + PREVIOUS] = 0;
  }

  /** As many nodes more, or 64. */
  private addNodes(more: number): void {
    const count = this.nodes.length >>> RECORD;
    const total = Math.max(64, count + more);
    this.nodes = grown(this.nodes, total << RECORD);
    for (let node = total - 1; node >= Math.max(1, count); node--) {
      this.nodes[(node << RECORD) + NEXT] = this.freeNode;
      this.freeNode = node;
    }
  }

  private addBins(least: number): void {
    let length = this.roots.length;
    while (length < least) length *= 2;
    this.roots = grown(this.roots, length);
  }
}
