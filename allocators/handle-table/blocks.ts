import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapPages } from "./heap-pages.js";

/** "No block". */
export const END = -1;

// V8 folds a constant of the module, but loads and checks an imported or exported one at each use.
const NIL = END;
const LIST_HOPS = Cost.listHops;
const SPLITS = Cost.splits;
const COALESCES = Cost.coalesces;

/** Places of the other words of a block behind the first, its size. */
const BEFORE = 1;
const OWNER = 2;
const FLAGS = 3;
const NEXT = 2;
const PREVIOUS = 3;

/** Low bits of a block's flags that hold its alignment code; the bytes the program did not ask for lie above. */
const CODE_BITS = 5;
const CODE_MASK = 31;

/** Lists by size class; the last one takes everything above 2^15 bytes. */
const CLASSES = 17;

/** Class of a block of `units`: the smallest i with payload <= 2^i, at most 16. */
function classOf(units: number): number {
  const i = 36 - Math.clz32(units - 2);
  return i < CLASSES - 1 ? i : CLASSES - 1;
}

/**
 * A contiguous heap of blocks [0, top): boundary tags, and 17 LIFO lists of free blocks, segregated by size (Anchorage,
 * Alaska's tag asplos-24-revision). A block is named by the unit it starts at. Two words for each unit, so the four words
 * of the smallest block lie together, as they would in memory:
 *
 *     unit 0 (header)   size | size of the block before; negative while that is free
 *     unit 1            used: entry, flags        | free: next, previous free block of its list
 *
 * The modelled header is 16 bytes: both sizes, the 32-bit entry number and the flags; only the links of a free block lie
 * in its payload. The size of the block before `top` is kept where the header of the next block will be.
 */
export class Blocks {
  /** First unit above the last block. */
  top = 0;
  private readonly pages: HeapPages;
  private readonly costs: Costs;
  private readonly minSplit: number;
  /** Whether a search of the request's own class looks at the head alone. */
  private readonly headOnly: boolean;
  private readonly heads = new Int32Array(CLASSES).fill(NIL);
  /** Bit i is set while list i holds a block. */
  private filled = 0;
  private words = new Int32Array(16384);

  /** `minSplit` is the least rest, in units, that is worth a free block. */
  constructor(pages: HeapPages, costs: Costs, minSplit: number, headOnly: boolean) {
    this.pages = pages;
    this.costs = costs;
    this.minSplit = minSplit;
    this.headOnly = headOnly;
  }

  /** Units of the block, header included; negative for a free one. */
  sizeAt(block: number): number {
    return this.words[block << 1];
  }
  setSize(block: number, units: number): void {
    this.words[block << 1] = units;
  }

  /** Units of the block that ends where this one starts, negative for a free one; 0 for the first block. */
  beforeAt(block: number): number {
    return this.words[(block << 1) + BEFORE];
  }
  setBefore(block: number, units: number): void {
    this.words[(block << 1) + BEFORE] = units;
  }

  /** Entry of a used block. */
  ownerAt(block: number): number {
    return this.words[(block << 1) + OWNER];
  }
  setOwner(block: number, entry: number): void {
    this.words[(block << 1) + OWNER] = entry;
  }

  /** Alignment code of a used block: its payload starts at a multiple of 16 << code. */
  codeAt(block: number): number {
    return this.words[(block << 1) + FLAGS] & CODE_MASK;
  }
  /** Payload bytes of a used block that the program did not ask for. */
  unaskedAt(block: number): number {
    return this.words[(block << 1) + FLAGS] >>> CODE_BITS;
  }
  setFlags(block: number, unasked: number, code: number): void {
    this.words[(block << 1) + FLAGS] = (unasked << CODE_BITS) | code;
  }

  /** Raises the top to `units`. */
  raiseTop(units: number): void {
    this.top = units;
    const length = (units + 2) << 1;
    if (length > this.words.length) this.grow(length);
  }

  /** A free block of at least `units`, still in its list; `END` where the policy finds none. */
  find(units: number): number {
    const { words, costs } = this;
    const own = classOf(units);
    for (let block = this.heads[own]; block !== NIL; block = words[(block << 1) + NEXT]) {
      costs[LIST_HOPS] += 1;
      if (-words[block << 1] >= units) return block;
      if (this.headOnly) break;
    }
    // In every list above, even the smallest block is large enough.
    const above = this.filled & (-2 << own);
    if (above === 0) return NIL;
    costs[LIST_HOPS] += 1;
    return this.heads[31 - Math.clz32(above & -above)];
  }

  /**
   * Makes a used block of `units` at the start of a free one. What is left behind it stays free if it is worth a block,
   * else it is slack. Returns the units handed out.
   */
  carve(hole: number, units: number): number {
    const { words } = this;
    const at = hole << 1;
    const found = -words[at];
    const rest = found - units;
    this.remove(words, hole, found);
    if (rest < this.minSplit) {
      words[at] = found;
      words[((hole + found) << 1) + BEFORE] = found;
      return found;
    }
    const end = hole + units;
    words[at] = units;
    words[(end << 1) + BEFORE] = units;
    this.costs[SPLITS] += 1;
    this.push(words, end, rest);
    this.pages.touchFree(end);
    return units;
  }

  /** Cuts a free block in two, the lower one of `units`. */
  cut(hole: number, units: number): void {
    const { words } = this;
    const found = -words[hole << 1];
    this.costs[SPLITS] += 1;
    this.remove(words, hole, found);
    this.push(words, hole, units);
    this.push(words, hole + units, found - units);
  }

  /** Makes [block, block + units) a free block; its neighbours are used. */
  addFree(block: number, units: number): void {
    this.push(this.words, block, units);
    this.pages.touchFree(block);
  }

  /** Frees a used place: merges it with free neighbours, and gives it to the top if it comes to lie there. */
  vacate(block: number, units: number): void {
    const { words } = this;
    let start = block;
    let end = block + units;
    const after = end < this.top ? words[end << 1] : 0;
    if (after < 0) {
      this.costs[COALESCES] += 1;
      this.remove(words, end, -after);
      end -= after;
    }
    const before = words[(block << 1) + BEFORE];
    if (before < 0) {
      this.costs[COALESCES] += 1;
      start += before;
      this.remove(words, start, -before);
    }
    if (end === this.top) {
      this.top = start;
      return;
    }
    // The links need no new page: the header and the first bytes of a used place have been written.
    this.push(words, start, end - start);
  }

  /** Marks a used place as dead: free, but neither merged nor listed. */
  kill(block: number, units: number): void {
    this.setSize(block, -units);
    this.setBefore(block + units, -units);
  }

  /** Calls `visit` for each block in the lists, from class `own` upwards. */
  eachListed(own: number, visit: (block: number, units: number, own: number) => void): void {
    for (let i = own; i < CLASSES; i++) {
      for (let block = this.heads[i]; block !== NIL; block = this.words[(block << 1) + NEXT]) {
        visit(block, -this.words[block << 1], i);
      }
    }
  }

  /** Forgets all lists. */
  unlist(): void {
    this.heads.fill(NIL);
    this.filled = 0;
  }

  /** Tags a free block and puts it at the head of its list. */
  private push(words: Int32Array, block: number, units: number): void {
    const { heads } = this;
    const own = classOf(units);
    const next = heads[own];
    const at = block << 1;
    words[at] = -units;
    words[((block + units) << 1) + BEFORE] = -units;
    words[at + NEXT] = next;
    words[at + PREVIOUS] = NIL;
    if (next !== NIL) words[(next << 1) + PREVIOUS] = block;
    heads[own] = block;
    this.filled |= 1 << own;
  }

  /** Takes a free block of `units` out of its list. */
  private remove(words: Int32Array, block: number, units: number): void {
    const next = words[(block << 1) + NEXT];
    const previous = words[(block << 1) + PREVIOUS];
    if (next !== NIL) words[(next << 1) + PREVIOUS] = previous;
    if (previous !== NIL) {
      words[(previous << 1) + NEXT] = next;
      return;
    }
    const own = classOf(units);
    this.heads[own] = next;
    if (next === NIL) this.filled &= ~(1 << own);
  }

  private grow(length: number): void {
    const grown = new Int32Array(Math.max(length, this.words.length * 2));
    grown.set(this.words);
    this.words = grown;
  }
}
