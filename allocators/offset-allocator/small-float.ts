/**
 * OffsetAllocator's bins: sizes as floats of 8 bits, 5 of exponent and 3 of mantissa, so that bins are at most an eighth
 * apart. Sizes are whole numbers below 2^31.
 */
const MANTISSA_BITS = 3;
const MANTISSA_VALUE = 1 << MANTISSA_BITS;

/** Bins of 8 bits. */
export const BINS = 256;

/** The bin that holds free blocks of a size: the largest whose size is not above it (uintToFloatRoundDown). */
export function binBelow(size: number): number {
  if (size < MANTISSA_VALUE) return size;
  const shift = 31 - Math.clz32(size) - MANTISSA_BITS;
  return ((shift + 1) << MANTISSA_BITS) | ((size >>> shift) & (MANTISSA_VALUE - 1));
}

/** The first bin whose every block has at least a size (uintToFloatRoundUp). */
export function binAbove(size: number): number {
  if (size < MANTISSA_VALUE) return size;
  const shift = 31 - Math.clz32(size) - MANTISSA_BITS;
  const bin = ((shift + 1) << MANTISSA_BITS) + ((size >>> shift) & (MANTISSA_VALUE - 1));
  return (size & ((1 << shift) - 1)) === 0 ? bin : bin + 1;
}

/** The smallest size of a bin (floatToUint). */
export function sizeOfBin(bin: number): number {
  if (bin < MANTISSA_VALUE) return bin;
  return ((bin & (MANTISSA_VALUE - 1)) | MANTISSA_VALUE) << ((bin >> MANTISSA_BITS) - 1);
}
