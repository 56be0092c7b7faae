import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { BINS, binAbove as binAboveSize, binBelow as binBelowSize } from "./small-float.js";

const binAbove = binAboveSize;
const binBelow = binBelowSize;
const NONE = -1;
/** Columns of a node in one record, so that they share a cache line. */
const OFFSET = 0;
const SIZE = 1;
const BIN_PREVIOUS = 2;
const BIN_NEXT = 3;
const PREVIOUS = 4;
const NEXT = 5;
const USED = 6;
const RECORD = 8;

/** Index of the lowest set bit. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/**
 * OffsetAllocator itself: nodes for used and free ranges of [0, size), linked with their neighbours, and free ones in
 * 256 bins, the last put in first. It knows nothing of the memory that the offsets are in.
 */
export class Nodes {
  /** Nodes that have ever been in use at the same time, plus one. */
  high: number;
  /** The range at offset 0. */
  first: number;
  private readonly costs: Costs;
  private readonly limit: number;
  private nodes: Int32Array;
  /** Free nodes below `high`, the last first. */
  private spare: Int32Array;
  private spares: number;
  private readonly bins = new Int32Array(BINS).fill(NONE);
  private readonly leaves = new Uint8Array(BINS / 8);
  private tops = 0;

  /** One free range of `size` units; at most `limit` nodes, 0 for any number. */
  constructor(size: number, limit: number, costs: Costs) {
    this.limit = limit;
    this.nodes = new Int32Array(1024 * RECORD);
    this.spare = new Int32Array(1024);
    this.spares = 0;
    this.high = 0;
    this.first = 0;
    this.costs = costs;
    this.insert(0, size, NONE, NONE);
  }

  /**
   * The node of a range of a size, from the low end of the first in the lowest bin that surely fits; -1 where there is
   * none, or no node is left. As in the original the last node but one is the last to be handed out.
   */
  allocate(size: number): number {
    if (this.limit > 0 && this.limit - this.high + this.spares <= 1) return NONE;
    const bin = this.lowestUsedBin(binAbove(size));
    if (bin < 0) return NONE;
    const node = this.bins[bin];
    const at = node * RECORD;
    const total = this.nodes[at + SIZE];
    this.unbin(node);
    this.nodes[at + SIZE] = size;
    this.nodes[at + USED] = 1;
    if (total > size) {
      this.costs[Cost.splits] += 1;
      const next = this.nodes[at + NEXT];
      this.insert(this.nodes[at + OFFSET] + size, total - size, node, next);
    }
    return node;
  }

  /** The range of a node is free, and merged with free neighbours. */
  free(node: number): void {
    const { nodes } = this;
    const at = node * RECORD;
    let offset = nodes[at + OFFSET];
    let size = nodes[at + SIZE];
    let previous = nodes[at + PREVIOUS];
    let next = nodes[at + NEXT];
    if (previous >= 0 && nodes[previous * RECORD + USED] === 0) {
      const before = previous * RECORD;
      offset = nodes[before + OFFSET];
      size += nodes[before + SIZE];
      this.release(previous);
      previous = nodes[before + PREVIOUS];
    }
    if (next >= 0 && nodes[next * RECORD + USED] === 0) {
      const after = next * RECORD;
      size += nodes[after + SIZE];
      this.release(next);
      next = nodes[after + NEXT];
    }
    this.giveNode(node);
    this.insert(offset, size, previous, next);
  }

  offsetOf(node: number): number {
    return this.nodes[node * RECORD + OFFSET];
  }

  sizeOf(node: number): number {
    return this.nodes[node * RECORD + SIZE];
  }

  isUsed(node: number): boolean {
    return this.nodes[node * RECORD + USED] === 1;
  }

  /** The range behind, or -1. */
  next(node: number): number {
    return this.nodes[node * RECORD + NEXT];
  }

  /** A free range that is merged with another: out of its bin, its node free. */
  private release(node: number): void {
    this.costs[Cost.coalesces] += 1;
    this.unbin(node);
    this.giveNode(node);
  }

  private lowestUsedBin(from: number): number {
    if (from >= BINS) return -1;
    const leaves = this.leaves[from >> 3] & (-1 << (from & 7));
    if (leaves !== 0) return (from & -8) | lowestBit(leaves);
    const tops = this.tops & (-2 << (from >> 3));
    if (tops === 0) return -1;
    const top = lowestBit(tops);
    return (top << 3) | lowestBit(this.leaves[top]);
  }

  /** A free range between two neighbours gets a node and is put first in its bin. */
  private insert(offset: number, size: number, previous: number, next: number): void {
    const node = this.takeNode();
    const { nodes, bins } = this;
    const bin = binBelow(size);
    const first = bins[bin];
    const at = node * RECORD;
    nodes[at + OFFSET] = offset;
    nodes[at + SIZE] = size;
    nodes[at + BIN_PREVIOUS] = NONE;
    nodes[at + BIN_NEXT] = first;
    nodes[at + PREVIOUS] = previous;
    nodes[at + NEXT] = next;
    nodes[at + USED] = 0;
    if (first >= 0) nodes[first * RECORD + BIN_PREVIOUS] = node;
    if (previous >= 0) nodes[previous * RECORD + NEXT] = node;
    if (next >= 0) nodes[next * RECORD + PREVIOUS] = node;
    bins[bin] = node;
    this.leaves[bin >> 3] |= 1 << (bin & 7);
    this.tops |= 1 << (bin >> 3);
    if (previous < 0) this.first = node;
  }

  private unbin(node: number): void {
    const { nodes } = this;
    const at = node * RECORD;
    const previous = nodes[at + BIN_PREVIOUS];
    const next = nodes[at + BIN_NEXT];
    if (next >= 0) nodes[next * RECORD + BIN_PREVIOUS] = previous;
    if (previous >= 0) {
      nodes[previous * RECORD + BIN_NEXT] = next;
      return;
    }
    const bin = binBelow(nodes[at + SIZE]);
    this.bins[bin] = next;
    if (next >= 0) return;
    this.leaves[bin >> 3] &= ~(1 << (bin & 7));
    if (this.leaves[bin >> 3] === 0) this.tops &= ~(1 << (bin >> 3));
  }

  private takeNode(): number {
    if (this.spares > 0) return this.spare[--this.spares];
    const node = this.high++;
    if (this.high * RECORD > this.nodes.length) {
      this.nodes = grown(this.nodes, this.nodes.length * 2);
    }
    return node;
  }

  private giveNode(node: number): void {
    if (this.spares === this.spare.length) {
      this.spare = grown(this.spare, this.spares * 2);
    }
    this.spare[this.spares++] = node;
  }
}
