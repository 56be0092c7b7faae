import { Cost, type Costs } from "../memory/costs.js";
import type { Allocator, Ref } from "./allocator.js";
import { none } from "./allocator.js";

/**
 * Reallocates a block of `capacity` bytes that cannot keep its place, as every realloc does in the end: another block is
 * allocated, what both have room for is copied, and the old one is freed. `none` where there is no memory, and the block
 * stays as it was.
 */
export function relocate(heap: Allocator, costs: Costs, ref: Ref, capacity: number, size: number): Ref {
  const moved = heap.allocate(size);
  if (moved === none) return none;
  costs[Cost.bytesCopied] += Math.min(size, capacity);
  heap.free(ref);
  return moved;
}
