import type { Address, AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { bytesBeside, Chunks } from "./chunks.js";
import { ClassBitmaps, ClassLists } from "./class-blocks.js";
import type { FreeBlocks } from "./free-blocks.js";
import { LazyBlocks } from "./lazy-blocks.js";
import type { BuddyOptions } from "./options.js";
import { type SplitRule, SplitTree } from "./split-tree.js";
import { FREE, LAZY, LIVE, walkTreeChunk } from "./tree-walk.js";

const LINKS = 16;
const PAGE_SHIFT = 12;
const PAGE = 1 << PAGE_SHIFT;
// An imported constant is looked up at each use (V8 11), a module's own is folded.
const IS_LIVE = LIVE;
const IS_FREE = FREE;

/** The blocks of a buddy system over any `SplitRule`: chunks, splitting, merging. Positions and sizes are in units. */
export class TreeBlocks {
  readonly base: Address;
  readonly tree: SplitTree;
  readonly unit: number;
  /** At the first unit of a block what `tree-walk.ts` says; the marks INSIDE and LEAD are the owner's. */
  state: Uint16Array;
  private readonly costs: Costs;
  private readonly minOrder: number;
  private readonly pageShift: number;
  private readonly strideShift: number;
  private readonly mask: number;
  readonly header: number;
  /** Bytes that are written at the start of a free block. */
  private readonly tag: number;
  private readonly release: BuddyOptions["release"];
  private readonly chunks: Chunks;
  private readonly blocks: FreeBlocks;
  private readonly lazy: LazyBlocks | undefined;
  /** For each chunk the end of the highest block handed out since it was mapped. */
  private used: Int32Array;

  /** No blocks yet; a block has `header` bytes of its own at its start. */
  constructor(space: AddressSpace, given: BuddyOptions, rule: SplitRule, header: number) {
    const inBand = given.header === "in";
    const lowest = given.policy === "lowest";
    this.costs = space.costs;
    this.minOrder = inBand ? Math.max(given.minOrder, 5) : given.minOrder;
    this.unit = 1 << this.minOrder;
    this.pageShift = PAGE_SHIFT - this.minOrder;
    this.strideShift = 31 - Math.clz32(given.chunk) - this.minOrder;
    this.mask = (1 << this.strideShift) - 1;
    this.tree = new SplitTree(rule, 1 << this.strideShift);
    this.header = header;
    this.tag = header + (lowest ? 0 : LINKS);
    this.release = given.release;
    const { root, leaves, sizes } = this.tree;
    this.lazy = given.merge === "lazy" ? new LazyBlocks(root + 1) : undefined;
    const lazyBits = this.lazy === undefined || inBand ? 0 : Math.ceil(leaves / 8);
    const beside = bytesBeside(leaves, lowest, inBand) + lazyBits;
    this.chunks = new Chunks(space, given.chunk, this.unit, beside, sizes[root] * this.unit);
    this.base = this.chunks.base;
    this.blocks = lowest ? new ClassBitmaps(root + 1) : new ClassLists(root + 1);
    this.state = new Uint16Array(1 << this.strideShift);
    this.used = new Int32Array(1);
  }

  /** The smallest class for a number of bytes, which is at most a chunk. */
  classFor(bytes: number): number {
    return this.tree.classFor(bytes === 0 ? 1 : ((bytes - 1) >>> this.minOrder) + 1);
  }

  /** A block of a class, marked live; -1 where there is no memory. */
  take(block: number): number {
    if (this.lazy !== undefined) {
      const at = this.lazy.take(block);
      if (at >= 0) {
        this.state[at] = IS_LIVE | block;
        return at;
      }
      this.lazy.gain(block);
    }
    let from = this.blocks.smallest(block);
    if (from < 0) {
      if (!this.addChunk() && !this.mergeLazyFor(block)) {
        this.lazy?.lose(block);
        return -1;
      }
      from = this.blocks.smallest(block);
    }
    let at = this.blocks.take(from);
    if (from > block) at = this.split(at, from, block);
    this.state[at] = IS_LIVE | block;
    this.markUsed(at + this.tree.sizes[block]);
    return at;
  }

  /** Frees the live block of a class at `at`. */
  free(at: number, block: number): void {
    if (this.lazy === undefined) this.coalesce(at, block);
    else this.freeLazily(this.lazy, at, block);
  }

  /** Changes the class of the live block at `at`, which stays where it is; `false` where it cannot grow there. */
  resize(at: number, before: number, block: number): boolean {
    if (block > before && !this.extend(at, before, block)) return false;
    if (block < before) this.shorten(at, before, block);
    this.state[at] += block - before;
    if (this.lazy !== undefined && block !== before) this.changeClass(this.lazy, before, block);
    return true;
  }

  /** Adds the chunks and the bookkeeping beside them to a map. */
  walk(map: HeapMap): void {
    for (let place = 0; place < this.chunks.places; place++) {
      if (this.chunks.isMapped(place)) walkTreeChunk(map, this, place << this.strideShift, this.used[place]);
    }
    this.chunks.walkTable(map);
  }

  /** The start of the block of a class that covers a unit. */
  startOf(inside: number, block: number): number {
    const offset = inside & this.mask;
    return inside - offset + this.tree.startOf(offset, block);
  }

  /** The first `bytes` bytes of a block at `at` are written. A block of a page or less lies in two pages at most. */
  touch(at: number, bytes: number): void {
    const { resident } = this.chunks;
    const last = (at + ((bytes - 1) >> this.minOrder)) >> this.pageShift;
    if (bytes > PAGE || resident[at >> this.pageShift] === 0 || resident[last] === 0) {
      this.chunks.touch(at * this.unit, bytes);
    }
  }

  private markUsed(end: number): void {
    const place = (end - 1) >>> this.strideShift;
    if (end > this.used[place]) this.used[place] = end;
  }

  /** Splits a block down to a class and adds the other parts to the free blocks. Returns where the block is. */
  private split(start: number, from: number, block: number): number {
    const { sizes, rights } = this.tree;
    let at = start;
    for (let k = from; k > block; ) {
      const right = rights[k];
      const upper = at + sizes[k - 1];
      this.costs[Cost.splits] += 1;
      if (right >= block && right < k - 1) {
        this.addFree(at, k - 1);
        at = upper;
        k = right;
      } else {
        this.addFree(upper, right);
        k -= 1;
      }
    }
    return at;
  }

  /** Splits a block in use down to a class and keeps its start. */
  private shorten(at: number, before: number, block: number): void {
    for (let k = before; k > block; k--) {
      this.costs[Cost.splits] += 1;
      this.addFree(at + this.tree.sizes[k - 1], this.tree.rights[k]);
    }
  }

  private addFree(at: number, block: number): void {
    this.state[at] = IS_FREE | block;
    this.blocks.add(block, at);
    if (this.tag > 0) this.touch(at, this.tag);
  }

  private freeLazily(lazy: LazyBlocks, at: number, block: number): void {
    if (lazy.add(block, at)) {
      this.state[at] = LAZY | block;
      this.touch(at, this.header + LINKS);
      return;
    }
    this.coalesce(at, block);
    const other = lazy.lose(block);
    if (other >= 0) this.coalesce(other, block);
  }

  private changeClass(lazy: LazyBlocks, before: number, block: number): void {
    lazy.gain(block);
    const other = lazy.lose(before);
    if (other >= 0) this.coalesce(other, before);
  }

  /** Memory has run out: merges lazy blocks until there is a free one of a class or above; `false` where none comes. */
  private mergeLazyFor(block: number): boolean {
    for (let found = this.lazy?.reclaim(); found !== undefined; found = this.lazy?.reclaim()) {
      this.coalesce(found.unit, found.block);
      if (this.blocks.smallest(block) >= 0 || this.addChunk()) return true;
    }
    return false;
  }

  /** Adds a block to the free ones, merging it with its buddy as long as that is free and whole. */
  private coalesce(start: number, first: number): void {
    const { state, tree, blocks } = this;
    const { sizes, rights, origins, root } = tree;
    const chunk = start & ~this.mask;
    let at = start;
    let block = first;
    let merges = 0;
    while (block < root) {
      const origin = origins[at - chunk];
      const lower = block < (origin & 255);
      const parent = lower ? block + 1 : origin >> 8;
      const other = lower ? rights[parent] : parent - 1;
      const buddy = lower ? at + sizes[block] : at - sizes[other];
      if (state[buddy] !== (IS_FREE | other)) break;
      blocks.remove(other, buddy);
      state[lower ? buddy : at] = 0;
      if (!lower) at = buddy;
      block = parent;
      merges += 1;
    }
    this.costs[Cost.coalesces] += merges;
    if (block === root && this.releases()) {
      state[at] = 0;
      this.chunks.unmap(at >>> this.strideShift);
      return;
    }
    state[at] = IS_FREE | block;
    blocks.add(block, at);
  }

  private releases(): boolean {
    if (this.release === "never") return false;
    return this.release === "always" || this.blocks.smallest(this.tree.root) >= 0;
  }

  /** Extends a block upwards, where it is the lower part each time and the upper one is free and whole. */
  private extend(at: number, before: number, block: number): boolean {
    const { sizes, rights, origins } = this.tree;
    if (block > (origins[at & this.mask] & 255)) return false;
    for (let k = before; k < block; k++) {
      if (this.state[at + sizes[k]] !== (IS_FREE | rights[k + 1])) return false;
    }
    for (let k = before; k < block; k++) {
      this.blocks.remove(rights[k + 1], at + sizes[k]);
      this.state[at + sizes[k]] = 0;
    }
    this.costs[Cost.coalesces] += block - before;
    this.markUsed(at + sizes[block]);
    return true;
  }

  private addChunk(): boolean {
    const place = this.chunks.map();
    if (place < 0) return false;
    const at = place << this.strideShift;
    if (at + this.mask >= this.state.length) this.growColumns();
    this.used[place] = at;
    this.addFree(at, this.tree.root);
    return true;
  }

  private growColumns(): void {
    this.state = grown(this.state, this.state.length * 2);
    this.used = grown(this.used, this.used.length * 2);
  }
}
