/** What an arena of jemalloc asks of the pages below it, in version 5 extents, in version 4 runs in chunks. */
import type { Address } from "../../memory/address-space.js";
import type { HeapMap } from "../../memory/heap-map.js";
import type { ExtentColumns } from "./extent-cache.js";

/** What the pages of a run are, at its first and last page; pages inside a run may hold anything. */
export const State = { none: 0, active: 1, dirty: 2, retained: 3, header: 4 } as const;

/** Runs of pages, numbered from `base`, in use or not. Columns are by page. */
export interface PageRuns extends ExtentColumns {
  readonly base: Address;
  /** Largest block, in bytes, that gets the pad page. */
  readonly largestPadded: number;
  /** Pages mapped, and the end of the highest page ever handed out. */
  readonly end: number;
  readonly used: number;
  /** Unused pages that have not been given back, and pages in use. */
  readonly dirty: number;
  readonly active: number;
  /** By last page, and by every page of a slab: its first page. */
  readonly first: Int32Array;
  /** A run of `pages` pages at a multiple of `alignment` pages: its first page, or -1 where there is no memory. */
  allocate(pages: number, alignment: number): number;
  /** Takes a run back: it is dirty, or purged where dirty pages are `unwanted`. */
  free(at: number, unwanted: boolean): void;
  /** Gives the pages beyond the first `pages` back; `false` where that cannot be. */
  shrink(at: number, pages: number, unwanted: boolean): boolean;
  /** Extends a run into unused pages behind it; `false` where those are too few. */
  expand(at: number, pages: number): boolean;
  /** Gives dirty pages back, the ones unused for longest first, until `limit` or fewer are left. */
  purgeTo(limit: number): void;
  /** Calls `visit` for each run, and each header, in address order. */
  forEach(visit: (at: number, pages: number, state: number) => void): void;
  /** Adds what is kept outside of the runs. */
  walkDescriptors(map: HeapMap): void;
}
