/**
 * The record of a free block, or of a list: start, units, next and previous. They are 16 bytes, so that none straddles a
 * cache line.
 */
export const RECORD_BITS = 2;
export const UNITS = 1;
export const NEXT = 2;
export const PREVIOUS = 3;

/** Start and end of no block, whatever its units. */
export const NOWHERE: number = -(1 << 30);

/** Lists by size class, which are records too; the last one takes everything above 2^15 bytes. */
export const CLASSES = 17;

const LAST_CLASS = CLASSES - 1;

/** Class of a block of `units`: the smallest i with payload <= 2^i, at most 16. */
export function classOf(units: number): number {
  const i = (36 - Math.clz32(units - 2)) | 0;
  return i < LAST_CLASS ? i : LAST_CLASS;
}
