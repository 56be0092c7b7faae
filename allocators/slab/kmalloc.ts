/** Linux's kmalloc caches and SLUB's rule for the order of their slabs, as pure functions of sizes. */

export const PAGE = 4096;
/** kmalloc-8 to kmalloc-8k: sizes above go to the page allocator (KMALLOC_MAX_CACHE_SIZE, two pages). */
export const cacheSizes: readonly number[] = [8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192];
export const LARGEST_CACHED = 8192;

/** What an order is chosen by. */
export interface OrderRule {
  /** slub_min_objects: 4 * (fls(CPUs) + 1) by default, 8 for one CPU and 16 for four to seven. */
  readonly minObjects: number;
  /** slub_max_order. */
  readonly maxOrder: number;
}

/** The smallest order of pages that holds so many bytes (get_order). */
export function orderOf(bytes: number): number {
  return bytes <= PAGE ? 0 : 32 - Math.clz32(Math.ceil(bytes / PAGE) - 1);
}

/** The smallest order with room for some objects whose tail is at most a fraction of the slab (slab_order). */
function fittingOrder(size: number, objects: number, { maxOrder }: OrderRule, fraction: number): number {
  let order = orderOf(objects * size);
  while (order <= maxOrder && (PAGE << order) % size > (PAGE << order) / fraction) order += 1;
  return order;
}

/**
 * Order of a slab of objects of a size (calculate_order, Linux 2.6.23 to 6.6): tails of 1/16, 1/8 and 1/4 are tried with
 * the fewest objects wanted, then with one less, and so on; at last one object with any tail.
 */
export function slabOrder(size: number, rule: OrderRule): number {
  const most = Math.floor((PAGE << rule.maxOrder) / size);
  for (let objects = Math.min(rule.minObjects, most); objects > 1; objects--) {
    for (let fraction = 16; fraction >= 4; fraction /= 2) {
      const order = fittingOrder(size, objects, rule, fraction);
      if (order <= rule.maxOrder) return order;
    }
  }
  return orderOf(size);
}
