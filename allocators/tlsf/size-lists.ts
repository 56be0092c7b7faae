/**
 * TLSF's two levels of free lists: the first by powers of two, the second in 32 equal steps between them. Sizes are in
 * granules of 8 bytes. A free block is named by the index of its header; its links are in the two words behind.
 */

/** SL_INDEX_COUNT: lists of a first level. */
const STEPS = 32;
const STEPS_LOG2 = 5;
/** FL_INDEX_COUNT: first levels, the lowest for blocks below SMALL_BLOCK_SIZE, 256 bytes. */
const LEVELS = 25;

/** The list, 32 * first level + step, that holds free blocks of a size (mapping_insert). */
export function listOf(size: number): number {
  if (size < STEPS) return size;
  const highest = 31 - Math.clz32(size);
  return (highest - 4) * STEPS + ((size >>> (highest - STEPS_LOG2)) ^ STEPS);
}

/** The lowest list whose every block has at least a size (mapping_search). */
export function searchListOf(size: number): number {
  return listOf(size < STEPS ? size : size + (1 << (31 - Math.clz32(size) - STEPS_LOG2)) - 1);
}

/** Index of the lowest set bit. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** The lists and their bitmaps: control_t. */
export class SizeLists {
  /** The heap's words: the owner replaces them when it grows. */
  words: Int32Array;
  /** Header of the first block of each list, or -1. */
  private readonly heads = new Int32Array(LEVELS * STEPS).fill(-1);
  private readonly steps = new Int32Array(LEVELS);
  private levels = 0;

  constructor(words: Int32Array) {
    this.words = words;
  }

  /** Puts the block of a size at `block` first in its list (insert_free_block). */
  insert(block: number, size: number): void {
    const { words, heads } = this;
    const list = listOf(size);
    const next = heads[list];
    words[block + 1] = next;
    words[block + 2] = -1;
    if (next >= 0) words[next + 2] = block;
    heads[list] = block;
    const level = list >>> STEPS_LOG2;
    this.levels |= 1 << level;
    this.steps[level] |= 1 << (list & (STEPS - 1));
  }

  /** Takes a listed block out (remove_free_block). */
  remove(block: number, size: number): void {
    const { words } = this;
    const next = words[block + 1];
    const previous = words[block + 2];
    if (next >= 0) words[next + 2] = previous;
    if (previous >= 0) words[previous + 1] = next;
    else this.setHead(listOf(size), next);
  }

  /** The first block of the lowest list that surely fits a size, still listed; -1 where there is none. */
  find(size: number): number {
    const list = searchListOf(size);
    const level = list >>> STEPS_LOG2;
    if (level >= LEVELS) return -1;
    const steps = this.steps[level] & (-1 << (list & (STEPS - 1)));
    if (steps !== 0) return this.heads[level * STEPS + lowestBit(steps)];
    const levels = this.levels & (-2 << level);
    if (levels === 0) return -1;
    const above = lowestBit(levels);
    return this.heads[above * STEPS + lowestBit(this.steps[above])];
  }

  private setHead(list: number, block: number): void {
    this.heads[list] = block;
    if (block >= 0) return;
    const level = list >>> STEPS_LOG2;
    const steps = this.steps[level] & ~(1 << (list & (STEPS - 1)));
    this.steps[level] = steps;
    if (steps === 0) this.levels &= ~(1 << level);
  }
}
