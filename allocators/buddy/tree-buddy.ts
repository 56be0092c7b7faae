import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import type { Allocator, Ref } from "../allocator.js";
import { none } from "../allocator.js";
import { relocate } from "../relocate.js";
import type { BuddyOptions } from "./options.js";
import { Runs } from "./runs.js";
import { type SplitRule, SplitTree } from "./split-tree.js";
import { TreeBlocks } from "./tree-blocks.js";
import { CLASS, INSIDE, LEAD } from "./tree-walk.js";

const ALIGNMENT = 16;
const HEADER = 16;
// An imported constant is looked up at each use (V8 11), a module's own is folded.
const IS_INSIDE = INSIDE;
const ITS_CLASS = CLASS;

/**
 * A buddy system over any `SplitRule`, with eager or lazy merging, told like the binary one in `binary-buddy.ts`: chunks, runs
 * for larger blocks, headers, touching and bookkeeping are the same, and with `halves` so is every placement.
 *
 * **Splitting** goes on in the smaller of two parts that suffices, the lower where they are equal, down to the class
 * asked for. **Chunks** are the largest size that fits the option; what it lacks of a whole page is the chunk's tail.
 * **Lazy** blocks are in no merging until the slack of their class is used up (`lazy-blocks.ts`) or memory has run out.
 * Out of band they cost a bit for each smallest block, in band their links are written in them.
 *
 * **Bookkeeping** without headers is a bit for each possible split of a chunk, by which the way from the chunk down to
 * a block, and so its class and its buddy, is found, and the free blocks' bits. With headers it is in the 16 bytes,
 * where Hinds 1975 and Cranston & Thomas 1975 need two bits for Fibonacci sizes and Shen & Peterson 1974 two for weighted.
 *
 * **Alignment** beyond 16 bytes is had from a class whose blocks all lie at such multiples where there is one; else the
 * program's bytes start at a multiple inside a larger block.
 */
export class TreeBuddy implements Allocator {
  readonly base: Address;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly header: number;
  private readonly unit: number;
  private readonly perUnit: number;
  /** Bytes of a whole chunk. */
  private readonly largest: number;
  private readonly blocks: TreeBlocks;
  private readonly runs: Runs;
  private readonly runsBase: Address;

  /** `beyond` gives the sizes of blocks larger than a chunk, if not `rule`. */
  constructor(space: AddressSpace, given: BuddyOptions, rule: SplitRule, beyond?: SplitRule) {
    this.space = space;
    this.costs = space.costs;
    this.header = given.header === "in" ? HEADER : 0;
    this.blocks = new TreeBlocks(space, given, rule, this.header);
    const { tree, unit } = this.blocks;
    this.unit = unit;
    this.perUnit = 1 / unit;
    this.largest = tree.sizes[tree.root] * unit;
    const sizes = beyond === undefined ? tree : new SplitTree(beyond, given.chunk / unit);
    const roundUp = (bytes: number): number => sizes.roundUp(Math.ceil(bytes / unit)) * unit;
    this.runs = new Runs(space, given.chunk, this.header, roundUp);
    this.base = this.blocks.base;
    this.runsBase = this.runs.base;
  }

  allocate(size: number, alignment = ALIGNMENT): Ref {
    if (alignment > ALIGNMENT) return this.allocateAligned(size, alignment);
    const bytes = size + this.header;
    if (bytes > this.largest) return this.runs.allocate(size, alignment, this.header) as Ref;
    const { blocks } = this;
    const at = blocks.take(blocks.classFor(bytes));
    if (at < 0) return none;
    blocks.touch(at, bytes);
    return (this.base + at * this.unit + this.header) as Ref;
  }

  free(ref: Ref): void {
    if (ref >= this.runsBase) {
      this.runs.free(ref);
      return;
    }
    const { blocks } = this;
    const inside = this.unitOf(ref);
    const mark = blocks.state[inside];
    const at = this.startOf(inside, mark);
    if (at !== inside) blocks.state[inside] = 0;
    blocks.free(at, mark & ITS_CLASS);
  }

  reallocate(ref: Ref, size: number): Ref {
    if (this.resize(ref, size)) return ref;
    const moved = relocate(this, this.costs, ref, this.capacityOf(ref), size);
    return moved === none && this.shortenRun(ref, size) ? ref : moved;
  }

  /** Changes a block's size where it is; `false` where it has to move, as a run does whose bytes fit a chunk. */
  resize(ref: Ref, size: number): boolean {
    if (ref >= this.runsBase) return size + this.header > this.largest && this.shortenRun(ref, size);
    const { blocks } = this;
    const inside = this.unitOf(ref);
    const mark = blocks.state[inside];
    const at = this.startOf(inside, mark);
    const bytes = ref - this.base - at * this.unit + Math.max(size, 1);
    if (bytes > this.largest) return false;
    const block = blocks.classFor(bytes);
    if (!blocks.resize(at, mark & ITS_CLASS, block)) return false;
    if (inside !== at) blocks.state[inside] = IS_INSIDE | block;
    this.space.touch(ref, size);
    return true;
  }

  /** Shortens a run that has room for `size` bytes, and stays a run; `false` where it has none. */
  shortenRun(ref: Ref, size: number): boolean {
    if (ref < this.runsBase || size > this.runs.capacityOf(ref)) return false;
    this.costs[Cost.splits] += this.runs.shorten(ref, size);
    this.space.touch(ref, size);
    return true;
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    if (ref >= this.runsBase) return this.runs.capacityOf(ref);
    const { blocks } = this;
    const inside = this.unitOf(ref);
    const mark = blocks.state[inside];
    const end = this.startOf(inside, mark) + blocks.tree.sizes[mark & ITS_CLASS];
    return this.base + end * this.unit - ref;
  }

  walk(map: HeapMap): void {
    this.blocks.walk(map);
    this.runs.walk(map);
  }

  /** Bytes of the block that holds `size` bytes here, Infinity where no chunk does: what the double buddy compares. */
  sizeFor(size: number): number {
    const bytes = size + this.header;
    if (bytes > this.largest) return Number.POSITIVE_INFINITY;
    return this.blocks.tree.sizes[this.blocks.classFor(bytes)] * this.unit;
  }

  private unitOf(ref: Ref): number {
    return ((ref - this.base) * this.perUnit) | 0;
  }

  /** The first unit of the block in which the unit `inside`, of that state, starts the program's bytes. */
  private startOf(inside: number, mark: number): number {
    return (mark & IS_INSIDE) === 0 ? inside : this.blocks.startOf(inside, mark & ITS_CLASS);
  }

  private allocateAligned(size: number, alignment: number): Ref {
    const { header, unit, blocks } = this;
    const { tree } = blocks;
    const step = Math.max(alignment, unit);
    const lead = header === 0 ? 0 : step;
    for (let block = 0; block <= tree.root; block++) {
      if (tree.sizes[block] * unit < lead + Math.max(size, 1) || tree.natural[block] * unit < alignment) continue;
      return this.handOut(blocks.take(block), lead, size);
    }
    const bytes = header + Math.max(size, 1) + step - ALIGNMENT;
    if (bytes > this.largest) return this.runs.allocate(size, alignment, lead) as Ref;
    const at = blocks.take(blocks.classFor(bytes));
    const start = this.base + at * unit;
    return this.handOut(at, Math.ceil((start + header) / step) * step - start, size);
  }

  /** Hands the block at `at` out, or none for -1, with the program's bytes `lead` behind its start. */
  private handOut(at: number, lead: number, size: number): Ref {
    if (at < 0) return none;
    const { state } = this.blocks;
    if (lead > this.header) {
      state[at + lead * this.perUnit] = IS_INSIDE | (state[at] & ITS_CLASS);
      state[at] |= LEAD;
    }
    const start = this.base + at * this.unit;
    this.space.touch(start, this.header);
    this.space.touch(start + lead - this.header, this.header + size);
    return (start + lead) as Ref;
  }
}
