/** The records of a tree over places, as `PlaceTree` lays them out: the largest blocks of four children, and their counts. */

/** Index of the lowest set bit of a word that is not 0. */
export function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** Maximum of two granule counts without a branch: blocks come in no order that could be predicted. */
export function larger(a: number, b: number): number {
  const over = (a - b) | 0;
  return (a - (over & (over >> 31))) | 0;
}

/** Where the largest block of an entry stands in its node's record; its count is 4 words on. */
export function wordOf(entry: number): number {
  return (entry + (entry & -4)) | 0;
}

/** Fills the record of an entry that is no leaf from those of its children. */
export function sumUp(nodes: Int32Array, entry: number): void {
  const word = wordOf(entry);
  const below = entry * 8 + 8;
  nodes[word] = larger(larger(nodes[below], nodes[below + 1]), larger(nodes[below + 2], nodes[below + 3]));
  nodes[word + 4] = nodes[below + 4] + nodes[below + 5] + nodes[below + 6] + nodes[below + 7];
}
