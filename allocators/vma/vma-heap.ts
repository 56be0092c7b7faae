import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { none, type Ref } from "../allocator.js";
import { GrowingTable } from "../growing-table.js";
import { unitsFor } from "../handle-table/backing-heap.js";
import { HandleEntries } from "../handle-table/handle-entries.js";
import type { HandleHeap } from "../handle-table/handle-heap.js";
import type { TableOptions } from "../handle-table/table-options.js";
import { LISTS_BYTES } from "./free-lists.js";
import { MemoryBlock } from "./memory-block.js";
import { FREE, NIL, Nodes } from "./nodes.js";

/** Larger requests have no handle. */
const MAX_OBJECT = 0x40000000;
/** Blocks start at multiples of this; larger alignments get memory of their own. */
const BLOCK_ALIGNMENT = 65536;
const MAX_BLOCKS = 1 << 20;

export interface VmaHeapOptions extends TableOptions {
  /** Bytes of a memory block (preferredLargeHeapBlockSize). */
  blockBytes: number;
  /** Bytes that sizes and offsets are multiples of (minAllocationAlignment). */
  granule: number;
}

/**
 * VMA's memory blocks of one type (VmaBlockVector): a request goes to the first block that takes it, the fullest first,
 * for the blocks are bubbled into that order one swap at a time. The first blocks are an eighth, a quarter and a half of
 * the full size. One empty block is kept. What is larger than half a block has memory of its own, which never moves.
 *
 * Device memory has all its pages from the beginning. Records of ranges, of free lists and of allocations (the handles)
 * are in the memory of the host.
 */
export class VmaHeap implements HandleHeap {
  readonly entries: HandleEntries;
  readonly nodes: Nodes;
  /** Blocks by number; undefined for a number to be used again. */
  readonly blocks: (MemoryBlock | undefined)[] = [];
  /** Numbers of the blocks that requests are served from, in order. */
  readonly order: number[] = [];
  readonly unit: number;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly blockBytes: number;
  private readonly vacant: number[] = [];
  private readonly lists: GrowingTable;
  private mappedBytes = 0;
  /** Blocks in the order that hold nothing. */
  private empties = 0;
  private blockUnits = 0;
  private bytesAsked = 0;

  constructor(space: AddressSpace, options: VmaHeapOptions) {
    this.space = space;
    this.costs = space.costs;
    this.unit = options.granule;
    this.blockBytes = Math.ceil(options.blockBytes / (8 * BLOCK_ALIGNMENT)) * 8 * BLOCK_ALIGNMENT;
    this.entries = new HandleEntries(space, options);
    this.nodes = new Nodes(space);
    this.lists = new GrowingTable(space, LISTS_BYTES, MAX_BLOCKS);
  }

  allocate(size: number, alignment = 1): Ref {
    const { entries } = this;
    if (size > MAX_OBJECT || !entries.ready()) return none;
    const node = this.place(size, alignment, entries.peek());
    if (node < 0) {
      entries.unready();
      return none;
    }
    const code = alignment <= 16 ? 0 : 27 - Math.clz32(alignment);
    this.bytesAsked += size;
    return entries.refOf(entries.take(node, unitsFor(size), size, code));
  }

  free(ref: Ref): void {
    const index = this.entries.find(ref);
    if (index >= 0) this.freeEntry(index);
  }

  /** In place while the rounded size stays the same, else by a new allocation and a copy, as a program has to do. */
  reallocate(ref: Ref, size: number): Ref {
    const { entries } = this;
    const index = entries.find(ref);
    if (index < 0 || size > MAX_OBJECT) return none;
    const node = entries.blockOf(index);
    const asked = entries.askedOf(index);
    if (this.unitsFor(size) !== this.nodes.size[node]) {
      const moved = this.place(size, this.alignmentOf(index), index);
      if (moved < 0) return none;
      this.costs[Cost.bytesCopied] += Math.min(asked, size);
      this.release(node);
      entries.point(index, moved);
    }
    this.bytesAsked += size - asked;
    entries.setSize(index, unitsFor(size), size);
    return ref;
  }

  addressOf(ref: Ref): Address {
    this.costs[Cost.tableLoads] += 1;
    const index = this.entries.find(ref);
    return index < 0 ? 0 : this.addressAt(this.entries.blockOf(index));
  }

  capacityOf(ref: Ref): number {
    const index = this.entries.find(ref);
    return index < 0 ? 0 : this.nodes.size[this.entries.blockOf(index)] * this.unit;
  }

  walk(map: HeapMap): void {
    for (const block of this.blocks) if (block !== undefined) this.walkBlock(block, map);
    this.nodes.walk(map);
    this.lists.walk(map);
    this.entries.walk(map);
  }

  freeEntry(index: number): void {
    const { entries } = this;
    if (entries.isPinned(index)) {
      entries.doom(index);
      return;
    }
    this.bytesAsked -= entries.askedOf(index);
    this.release(entries.blockOf(index));
    entries.give(index);
  }

  /** Gives a range back; a second empty block goes with it (VmaBlockVector::Free). */
  release(node: number): void {
    const number = this.nodes.block[node];
    const block = this.blockAt(number);
    this.blockUnits -= this.nodes.size[node];
    const hadEmpty = this.empties > 0;
    block.release(node);
    if (block.count === 0 && !block.dedicated) this.empties++;
    if (block.dedicated || (block.count === 0 && hadEmpty)) this.drop(number);
    else if (hadEmpty) {
      const last = this.order[this.order.length - 1];
      if (this.blockAt(last).count === 0) this.drop(last);
    }
    this.sortOnce();
  }

  /** A range of the block for a move or an entry; -1 where it has none. */
  placeIn(number: number, units: number, step: number, owner: number): number {
    if (!this.nodes.ensure(2)) return NIL;
    const node = this.blockAt(number).place(units, step, owner);
    if (node >= 0) this.took(number, units);
    return node;
  }

  /** A range cut from a certain free one. */
  carveIn(number: number, found: number, units: number, step: number, owner: number): number {
    if (!this.nodes.ensure(2)) return NIL;
    const node = this.blockAt(number).carve(found, units, step, owner);
    this.took(number, units);
    return node;
  }

  blockAt(number: number): MemoryBlock {
    return this.blocks[number] as MemoryBlock;
  }

  addressAt(node: number): Address {
    return this.blockAt(this.nodes.block[node]).base + this.nodes.offset[node] * this.unit;
  }

  /** Units that the allocation of an entry must start at a multiple of. */
  stepOf(index: number): number {
    return Math.max(1, this.alignmentOf(index) / this.unit);
  }

  extent(): number {
    return this.mappedBytes;
  }

  liveBytes(): number {
    return this.blockUnits * this.unit;
  }

  asked(): number {
    return this.bytesAsked;
  }

  /** A block goes when it is empty. */
  releasePages(): void {}

  /** A range of `units` was taken in a block. */
  private took(number: number, units: number): void {
    const block = this.blockAt(number);
    this.blockUnits += units;
    if (block.count === 1 && !block.dedicated) this.empties--;
  }

  private alignmentOf(index: number): number {
    const code = this.entries.codeOf(index);
    return code === 0 ? this.unit : 16 * (1 << code);
  }

  private unitsFor(size: number): number {
    return Math.max(1, Math.ceil(size / this.unit));
  }

  /** A range for `owner`, in a new block if none takes it (AllocatePage); -1 without memory. */
  private place(size: number, alignment: number, owner: number): number {
    const units = this.unitsFor(size);
    const bytes = units * this.unit;
    if (bytes > this.blockBytes / 2 || alignment > BLOCK_ALIGNMENT) {
      const number = this.create(bytes, Math.max(BLOCK_ALIGNMENT, alignment), true);
      return number < 0 ? NIL : this.placeIn(number, units, 1, owner);
    }
    const step = Math.max(1, alignment / this.unit);
    for (const number of this.order) {
      const node = this.placeIn(number, units, step, owner);
      if (node < 0) continue;
      this.sortOnce();
      return node;
    }
    const number = this.grow(bytes);
    if (number < 0) return NIL;
    const node = this.placeIn(number, units, step, owner);
    this.sortOnce();
    return node;
  }

  /** A new block for a request of `bytes`: of the full size, but the first ones smaller, and so when memory is short. */
  private grow(bytes: number): number {
    let size = this.blockBytes;
    let halvings = 0;
    const largest = Math.max(0, ...this.order.map((number) => this.blockAt(number).bytes));
    for (; halvings < 3 && size / 2 > largest && size / 2 >= 2 * bytes; halvings++) size /= 2;
    let number = this.create(size, BLOCK_ALIGNMENT, false);
    for (; number < 0 && halvings < 3 && size / 2 >= bytes; halvings++) {
      size /= 2;
      number = this.create(size, BLOCK_ALIGNMENT, false);
    }
    return number;
  }

  private create(bytes: number, alignment: number, dedicated: boolean): number {
    const { space, nodes, vacant, blocks } = this;
    const number = vacant.length > 0 ? vacant[vacant.length - 1] : blocks.length;
    if (number >= MAX_BLOCKS || !this.lists.ensure(number + 1) || !nodes.ensure(3)) return -1;
    const whole = Math.ceil(bytes / space.pageSize) * space.pageSize;
    const base = space.map(whole, alignment, Use.heap);
    if (base === 0) return -1;
    space.touch(base, whole);
    vacant.pop();
    blocks[number] = new MemoryBlock(number, base, whole, this.unit, dedicated, nodes, this.costs);
    this.mappedBytes += whole;
    if (dedicated) return number;
    this.order.push(number);
    this.empties++;
    return number;
  }

  private drop(number: number): void {
    const block = this.blockAt(number);
    this.nodes.give(block.tail);
    this.space.unmap(block.base, block.bytes);
    this.mappedBytes -= block.bytes;
    this.blocks[number] = undefined;
    this.vacant.push(number);
    if (block.dedicated) return;
    this.order.splice(this.order.indexOf(number), 1);
    this.empties--;
  }

  /** IncrementallySortBlocks: at most one swap towards the order of free bytes, ascending. */
  private sortOnce(): void {
    const { order } = this;
    for (let i = 1; i < order.length; i++) {
      if (this.blockAt(order[i - 1]).free <= this.blockAt(order[i]).free) continue;
      [order[i - 1], order[i]] = [order[i], order[i - 1]];
      return;
    }
  }

  private walkBlock(block: MemoryBlock, map: HeapMap): void {
    const { nodes, entries, unit } = this;
    const spans: number[] = [];
    for (let node = block.tail; node >= 0; node = nodes.before[node]) spans.push(node);
    for (let i = spans.length - 1; i >= 0; i--) {
      const node = spans[i];
      const at = block.base + nodes.offset[node] * unit;
      const bytes = nodes.size[node] * unit;
      const owner = nodes.owner[node];
      if (node === block.tail) {
        const fresh = Math.max(0, Math.min(bytes, block.base + block.bytes - at, block.bytes - block.used * unit));
        map.add(at, bytes - fresh, Kind.free);
        map.add(at + bytes - fresh, fresh, Kind.fresh);
      } else if (owner === FREE) map.add(at, bytes, Kind.free);
      else if (entries.isDoomed(owner)) map.add(at, bytes, Kind.padding);
      else map.add(at, bytes, Kind.live, entries.refOf(owner));
    }
  }
}
