/** Exact quantiles without sorting everything: values are counted by their leading bits, and only buckets that matter sorted. */

/** Leading bits of a double from 0 up that tell buckets apart: the exponent and 8 bits of the fraction, in order of value. */
const SHIFT = 12;
const BUCKETS = 1 << (31 - SHIFT);

/** The double whose leading bits are looked at, as two words. */
const scratch = new Float64Array(1);
const words = new Uint32Array(scratch.buffer);
/** Which of the words holds the leading bits. */
const HIGH = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

function bucketOf(value: number): number {
  scratch[0] = value;
  return words[HIGH] >>> SHIFT;
}

/** Ranks from 0 that the shares mean: of n values the least that at least share n of them do not exceed. */
function ranksOf(count: number, shares: readonly number[]): number[] {
  return shares.map((share) => Math.max(0, Math.ceil(share * count) - 1));
}

/** The values that stand at so many shares of the first `count` of `values`, all from 0 up; 0 where there are none. */
export function quantilesAt(values: Float64Array, count: number, shares: readonly number[]): number[] {
  if (count === 0) return shares.map(() => 0);
  const sizes = new Uint32Array(BUCKETS);
  for (let i = 0; i < count; i++) sizes[bucketOf(values[i])]++;
  const wanted = ranksOf(count, shares);
  // The bucket of each rank, and the rank within it.
  const places = wanted.map((rank) => {
    let bucket = 0;
    let before = 0;
    while (before + sizes[bucket] <= rank) before += sizes[bucket++];
    return { bucket, rank: rank - before };
  });
  const members = new Map(places.map(({ bucket }) => [bucket, new Float64Array(sizes[bucket])]));
  const filled = new Uint32Array(BUCKETS);
  const isWanted = new Uint8Array(BUCKETS);
  for (const bucket of members.keys()) isWanted[bucket] = 1;
  for (let i = 0; i < count; i++) {
    const bucket = bucketOf(values[i]);
    if (isWanted[bucket] === 1) (members.get(bucket) as Float64Array)[filled[bucket]++] = values[i];
  }
  for (const values of members.values()) values.sort();
  return places.map(({ bucket, rank }) => (members.get(bucket) as Float64Array)[rank]);
}

/** Sizes below this are counted each for itself. */
const SMALL = 65_536;

/** How often each whole number from 0 up occurs, made for sizes: most are small. */
export class Counts {
  private readonly small = new Float64Array(SMALL);
  private readonly large = new Map<number, number>();
  total = 0;

  add(value: number): void {
    this.total++;
    if (value < SMALL) this.small[value]++;
    else this.large.set(value, (this.large.get(value) ?? 0) + 1);
  }

  /** Values in ascending order with their counts. */
  sorted(): { readonly values: Float64Array; readonly counts: Float64Array } {
    const large = [...this.large].sort(([a], [b]) => a - b);
    const distinct = this.small.reduce((sum, count) => sum + (count > 0 ? 1 : 0), large.length);
    const values = new Float64Array(distinct);
    const counts = new Float64Array(distinct);
    let next = 0;
    const put = (value: number, count: number): void => {
      values[next] = value;
      counts[next++] = count;
    };
    this.small.forEach((count, value) => {
      if (count > 0) put(value, count);
    });
    for (const [value, count] of large) put(value, count);
    return { values, counts };
  }
}

/** As `quantilesAt`, of values with their counts in ascending order of the values. */
export function quantilesOfCounts(
  { values, counts }: { readonly values: Float64Array; readonly counts: Float64Array },
  shares: readonly number[],
): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return shares.map(() => 0);
  return ranksOf(total, shares).map((rank) => {
    let before = 0;
    let i = 0;
    while (before + counts[i] <= rank) before += counts[i++];
    return values[i];
  });
}
