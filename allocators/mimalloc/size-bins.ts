/** Size bins of mimalloc 2 (page-queue.c, mi_bin): exact to 64 bytes, then four to a doubling. */

/** Largest size with a page of 64 KiB, and of 512 KiB (MI_SMALL_OBJ_SIZE_MAX, MI_MEDIUM_OBJ_SIZE_MAX). */
export const LARGEST_SMALL = 8192;
export const LARGEST_MEDIUM = 65536;

/** The bin of a size up to `LARGEST_MEDIUM`; bins 3, 5 and 7 are never used, as sizes are multiples of 16 from 9 on. */
export function binOf(size: number): number {
  const words = (size + 7) >> 3;
  if (words <= 1) return 1;
  if (words <= 8) return (words + 1) & ~1;
  const last = words - 1;
  const lg = 31 - Math.clz32(last);
  return (lg << 2) + ((last >> (lg - 2)) & 3) - 3;
}

/** Number of bins, bin 0 included. */
export const BINS = binOf(LARGEST_MEDIUM) + 1;

/** Bytes of the blocks of each bin: the largest size in it. */
export const binSizes: Int32Array = (() => {
  const sizes = new Int32Array(BINS);
  for (let size = 8; size <= LARGEST_MEDIUM; size += 8) sizes[binOf(size)] = size;
  return sizes;
})();

/** What a size beyond `LARGEST_MEDIUM` is rounded up to (_mi_os_good_alloc_size): at most an eighth more. */
export function goodSize(size: number): number {
  const step =
    size < 524288 ? 4096 : size < 2097152 ? 65536 : size < 8388608 ? 262144 : size < 33554432 ? 1048576 : 4194304;
  return Math.ceil(size / step) * step;
}
