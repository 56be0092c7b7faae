/** Which parts are emptied first. */
export type VictimOrder = "sparsest" | "highest";

/** Parts of a heap to empty, the sparsest first. */
export interface Victims<Block> {
  /** Parts in the order in which they are emptied. */
  readonly order: readonly number[];
  /** Place of a part in `order`, or -1. */
  readonly rankOf: Int32Array;
  /** For each place in `order`, what is to leave the part; filled by who knows the blocks. */
  readonly blocks: Block[][];
}

/**
 * The sparsest parts, as many as what is free in the others could take in: `live` of `capacity` is taken in each, none
 * where a part is not in use, and a part with something `fixed` in it cannot be emptied. Of equally sparse ones the
 * highest go first. With `highest` parts go from the last one down, however full they are.
 */
export function victimsOf<Block>(
  live: Float64Array,
  fixed: Uint8Array,
  capacity: number,
  first: VictimOrder = "sparsest",
): Victims<Block> {
  const used: number[] = [];
  let free = 0;
  for (let part = 0; part < live.length; part++) {
    if (live[part] <= 0) continue;
    free += Math.max(0, capacity - live[part]);
    if (fixed[part] === 0 && live[part] < capacity) used.push(part);
  }
  used.sort((a, b) => (first === "sparsest" ? live[a] - live[b] : 0) || b - a);
  const rankOf = new Int32Array(live.length).fill(-1);
  const order: number[] = [];
  let leaving = 0;
  for (const part of used) {
    free -= capacity - live[part];
    leaving += live[part];
    if (leaving > free) break;
    rankOf[part] = order.length;
    order.push(part);
  }
  return { order, rankOf, blocks: order.map(() => []) };
}
