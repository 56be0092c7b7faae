/**
 * The two indices of free page blocks that Linux shows in /sys/kernel/debug/extfrag (mm/vmstat.c: unusable_free_index
 * and __fragmentation_index), in thousandths and with its integer division. `blocks[order]` counts the free blocks of
 * 2^order pages.
 */
import { type HeapMap, Kind } from "../../memory/heap-map.js";

/** Orders that Linux has: NR_PAGE_ORDERS is 11 with 4 KiB pages. */
export const ORDERS = 11;

interface FreePages {
  readonly pages: number;
  readonly blocks: number;
  /** Blocks of the order asked for that those of it and above could be cut into. */
  readonly suitable: number;
}

function freePages(blocks: readonly number[], order: number): FreePages {
  let [pages, count, suitable] = [0, 0, 0];
  blocks.forEach((n, k) => {
    pages += n * (1 << k);
    count += n;
    if (k >= order) suitable += n * (1 << (k - order));
  });
  return { pages, blocks: count, suitable };
}

/** Share of the free pages that a request of 2^order pages cannot use; 0 where nothing is free. */
export function unusableFreeIndex(blocks: readonly number[], order: number): number {
  const { pages, suitable } = freePages(blocks, order);
  return pages === 0 ? 0 : Math.floor(((pages - suitable * (1 << order)) * 1000) / pages);
}

/**
 * Why a request of 2^order pages fails: towards 0 for lack of memory, towards 1000 for fragmentation. -1000 where it does
 * not fail, 0 where nothing is free.
 */
export function fragmentationIndex(blocks: readonly number[], order: number): number {
  const { pages, blocks: count, suitable } = freePages(blocks, order);
  if (count === 0) return 0;
  if (suitable > 0) return -1000;
  return 1000 - Math.floor((1000 + Math.floor((pages * 1000) / (1 << order))) / count);
}

/** The whole free pages of a heap as Linux would list them: naturally aligned blocks of 2^order pages, the largest first. */
export function freeBlocks(map: HeapMap, pageSize: number): number[] {
  const blocks = new Array<number>(ORDERS).fill(0);
  let start = 0;
  let end = -1;
  const count = (): void => {
    let page = Math.ceil(start / pageSize);
    const last = Math.floor(end / pageSize);
    while (page < last) {
      let order = ORDERS - 1;
      while (page % (1 << order) !== 0 || page + (1 << order) > last) order--;
      blocks[order]++;
      page += 1 << order;
    }
  };
  for (let i = 0; i < map.length; i++) {
    const kind = map.kind[i];
    if (kind !== Kind.free && kind !== Kind.fresh) continue;
    if (map.start[i] !== end) {
      if (end >= 0) count();
      start = map.start[i];
    }
    end = map.start[i] + map.bytes[i];
  }
  if (end >= 0) count();
  return blocks;
}
