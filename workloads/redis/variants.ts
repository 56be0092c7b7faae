/** The two servers that the papers ran, as far as their allocations tell them apart. */

export interface RedisVariant {
  /** Bytes that Redis' allocation layer puts in front of each block, part of the size it asks for. */
  readonly prefix: number;
  /** Bytes that the server counts for a block of `size` bytes. */
  readonly accounted: (size: number) => number;
  /** Bytes that the server counts before the first key, hash table apart. */
  readonly base: number;
  /** `maxmemory-samples`. */
  readonly samples: number;
  /** Whether the sampler finishes the chain it is in (Redis 7.2). */
  readonly reservoir: boolean;
  /** Whether the LRU clock ticks between the first eviction and the second insertion. */
  readonly tick: boolean;
  /** Evictions between the two insertions: all that are due, or what fits in the time that one command may evict for. */
  readonly burst: number;
}

/** glibc's malloc_usable_size for a request. */
function glibcUsable(size: number): number {
  return Math.max(24, ((size + 23) & ~15) - 8);
}

/** jemalloc's malloc_usable_size for a request: its size class, 8 bytes apart at the low end in Redis' copy. */
function jemallocUsable(size: number): number {
  if (size <= 32) return (size + 7) & ~7;
  let half = 16;
  while (2 * half < size) half *= 2;
  return Math.ceil(size / (half / 4)) * (half / 4);
}

/**
 * `mesh402`: Redis 4.0.2 as patched for Mesh's test suite, whose allocation layer prefixes each block with its size,
 * for every allocator alike. Its memory limit is kept by sizes asked for.
 *
 * `mesh402je`: the same server built with its own jemalloc 4.0.3, which keeps its limit by usable sizes. The base is what
 * the counts of a measured run leave: 208,001 keys, 92,046 of them inserted by the second populate, at the limit.
 *
 * `alaska72`: Redis 7.2.4 with glibc, which reports usable sizes. From 6.2 on a command evicts for at most 500
 * microseconds, then goes on in a timer: the second insertion starts with almost everything still there. 180 evictions
 * stand for the 500 microseconds; a measured server inserted 129 keys then, this model about 44.
 */
export const redisVariants = {
  mesh402: {
    prefix: 8,
    accounted: (size) => size,
    base: 885_760,
    samples: 10,
    reservoir: false,
    tick: true,
    burst: Number.POSITIVE_INFINITY,
  },
  mesh402je: {
    prefix: 8,
    accounted: jemallocUsable,
    base: 919_728,
    samples: 10,
    reservoir: false,
    tick: true,
    burst: Number.POSITIVE_INFINITY,
  },
  alaska72: {
    prefix: 0,
    accounted: glibcUsable,
    base: 1_101_600,
    samples: 1,
    reservoir: true,
    tick: false,
    burst: 180,
  },
} as const satisfies Readonly<Record<string, RedisVariant>>;

/** Bytes of a Redis string (sds.h) of `length` characters: header by length, and a NUL behind. */
export function stringBytes(length: number): number {
  return (length < 32 ? 1 : length < 256 ? 3 : 5) + length + 1;
}

/** `robj`, and a string embedded in it, which always has the 3-byte header (object.c: createEmbeddedStringObject). */
export const OBJECT = 16;
export const embeddedBytes = (length: number): number => OBJECT + 3 + length + 1;

/** `dictEntry`: key, value, next. */
export const ENTRY = 24;
