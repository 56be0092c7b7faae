/** Size classes of jemalloc 5 (sc.c, sz.h): four to a doubling, of bytes and of pages. */

export const PAGE = 4096;
/** Largest size that is a region of a slab (SC_SMALL_MAXCLASS). */
export const LARGEST_SMALL = 14336;
/** Smallest size with an extent of its own (SC_LARGE_MINCLASS). */
export const SMALLEST_LARGE = 16384;
/** Requests up to this many bytes find their class in a table. */
const LARGEST_TABLE = LARGEST_SMALL;

/** The class of a request: the smallest size of a class that is not smaller (sz_s2u). */
export function classSize(size: number, quantum: number): number {
  if (size <= 8) return 8;
  if (size <= 2 * quantum) return Math.ceil(size / quantum) * quantum;
  let half = 1;
  for (let n = size - 1; n >= 2; n /= 2) half *= 2;
  const delta = Math.max(quantum, half / 4);
  return Math.ceil(size / delta) * delta;
}

/** The classes of slabs, and by them the layout of a slab. */
export class SmallClasses {
  /** Bytes of a region, pages of a slab and regions in it, by class. */
  readonly size: Int32Array;
  readonly pages: Int32Array;
  readonly regions: Int32Array;
  /** Class of each request of n bytes, at (n + 7) >> 3. */
  readonly ofRequest: Uint8Array;

  constructor(quantum: number) {
    const sizes: number[] = [];
    for (let size = 1; size <= LARGEST_TABLE; size = (sizes.at(-1) ?? 0) + 1) sizes.push(classSize(size, quantum));
    this.size = Int32Array.from(sizes);
    // The fewest pages that hold a whole number of regions: a slab has no tail.
    this.pages = this.size.map((size) => {
      let pages = 1;
      while ((pages * PAGE) % size !== 0) pages++;
      return pages;
    });
    this.regions = this.size.map((size, i) => (this.pages[i] * PAGE) / size);
    this.ofRequest = new Uint8Array((LARGEST_TABLE >> 3) + 1);
    for (let i = 0, sizeClass = 0; i < this.ofRequest.length; i++) {
      if (8 * i > this.size[sizeClass]) sizeClass++;
      this.ofRequest[i] = sizeClass;
    }
  }
}

/** Page classes, in pages: 1 to 4, then four to a doubling up to 2^31 bytes and more. */
const pageClasses: readonly number[] = Array.from({ length: 112 }, (_, i) =>
  i < 4 ? i + 1 : (5 + (i & 3)) * (1 << ((i >> 2) - 1)),
);

/** Number of page classes. */
export const PAGE_CLASSES = pageClasses.length;

/** Pages of a page class. */
export function pagesOfClass(index: number): number {
  return pageClasses[index];
}

/** The smallest page class that is not smaller (sz_psz2ind). */
export function pageClass(pages: number): number {
  if (pages <= 4) return pages - 1;
  const lg = 31 - Math.clz32(pages - 1);
  return 4 * (lg - 1) + ((pages - 1) >> (lg - 2)) - 4;
}

/** Pages of the largest request class, padding included, that an extent of so many pages holds. */
function quantizeFloor(pages: number, pad: number): number {
  const above = pageClass(pages - pad + 1);
  return above === 0 ? pages : pageClasses[above - 1] + pad;
}

/** The bin that an unused extent waits in (sz_psz_quantize_floor). */
export function binOf(pages: number, pad: number): number {
  return pageClass(quantizeFloor(pages, pad));
}

/** The first bin in which every extent has at least `pages` pages (sz_psz_quantize_ceil). */
export function firstBinFor(pages: number, pad: number): number {
  const floor = quantizeFloor(pages, pad);
  return pageClass(floor < pages ? pageClasses[pageClass(floor - pad + 1)] + pad : floor);
}
