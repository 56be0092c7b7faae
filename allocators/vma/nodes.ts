import type { AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { GrowingTable } from "../growing-table.js";

/** sizeof(VmaBlockMetadata_TLSF::Block): offset, size, four links and the allocation (general knowledge). */
const NODE_BYTES = 48;
const MAX_NODES = 1 << 28;
export const NIL = -1;
/** Owners of a range: nobody, or a move that has not been made yet. */
export const FREE = -1;
export const RESERVED = -2;

/**
 * The ranges of all memory blocks, in use or free: VMA keeps a record of each in the memory of the host, because what it
 * manages is that of the device. Records are reused; their table never shrinks. Offsets and sizes are in units.
 */
export class Nodes {
  offset = new Int32Array(1024);
  size = new Int32Array(1024);
  /** Neighbours in the block, by offset. */
  before = new Int32Array(1024);
  after = new Int32Array(1024);
  /** Neighbours in the list of free ranges. */
  next = new Int32Array(1024);
  previous = new Int32Array(1024);
  /** Entry of the allocation, `FREE` or `RESERVED`. */
  owner = new Int32Array(1024);
  /** Number of the memory block. */
  block = new Int32Array(1024);
  /** When a free range came into its list, ascending. */
  stamp = new Float64Array(1024);
  private used = 0;
  private live = 0;
  private firstFree = NIL;
  private readonly table: GrowingTable;

  constructor(space: AddressSpace) {
    this.table = new GrowingTable(space, NODE_BYTES, MAX_NODES);
  }

  /** Makes sure that `count` records can be taken. `false` without memory for them. */
  ensure(count: number): boolean {
    return this.live + count < MAX_NODES && this.table.ensure(this.live + count);
  }

  /** A record for a range of a block. `ensure` must have said yes. */
  take(block: number, offset: number, size: number, owner: number): number {
    let node = this.firstFree;
    if (node >= 0) this.firstFree = this.next[node];
    else node = this.used++;
    if (node === this.offset.length) this.grow();
    this.live++;
    this.block[node] = block;
    this.offset[node] = offset;
    this.size[node] = size;
    this.owner[node] = owner;
    return node;
  }

  give(node: number): void {
    this.live--;
    this.next[node] = this.firstFree;
    this.firstFree = node;
  }

  /** Puts a new range in front of another of its block, `NIL` for the first of a block. */
  link(node: number, after: number): void {
    const before = after < 0 ? NIL : this.before[after];
    this.before[node] = before;
    this.after[node] = after;
    if (before >= 0) this.after[before] = node;
    if (after >= 0) this.before[after] = node;
  }

  /** Makes `node` reach over the range behind it, which goes. */
  absorbAfter(node: number): void {
    const gone = this.after[node];
    this.size[node] += this.size[gone];
    this.after[node] = this.after[gone];
    if (this.after[gone] >= 0) this.before[this.after[gone]] = node;
    this.give(gone);
  }

  walk(map: HeapMap): void {
    this.table.walk(map);
  }

  private grow(): void {
    const length = 2 * this.offset.length;
    this.offset = grown(this.offset, length);
    this.size = grown(this.size, length);
    this.before = grown(this.before, length);
    this.after = grown(this.after, length);
    this.next = grown(this.next, length);
    this.previous = grown(this.previous, length);
    this.owner = grown(this.owner, length);
    this.block = grown(this.block, length);
    this.stamp = grown(this.stamp, length);
  }
}
