/** Redis' main dictionary: chained buckets, keys numbered from 0, and the clock stamp of each key. */
import type { Random } from "../../memory/random.js";

/** Keys 0 upwards in a hash table of a fixed size, a power of two; a key that comes in becomes the head of its chain. */
export class KeySpace {
  /** Keys that could be in it. */
  readonly keys: number;
  readonly buckets: number;
  /** First key of each bucket's chain, -1 for none, and the key behind each key. */
  readonly heads: Int32Array;
  readonly next: Int32Array;
  /** When each key was last touched, in ticks of the clock. */
  readonly stamps: Int32Array;
  /** Ticks so far: Redis' clock has a resolution of one second and stands still while a command runs. */
  now = 0;
  private readonly bucketOf: Int32Array;
  private readonly present: Uint8Array;
  private count = 0;

  /** An empty table. The bucket of each key is drawn once: Redis seeds its hash function at random. */
  constructor(keys: number, buckets: number, random: Random) {
    this.keys = keys;
    this.buckets = buckets;
    this.heads = new Int32Array(buckets).fill(-1);
    this.next = new Int32Array(keys);
    this.stamps = new Int32Array(keys);
    this.present = new Uint8Array(keys);
    this.bucketOf = Int32Array.from({ length: keys }, () => random.u32() & (buckets - 1));
  }

  /** Keys that are in it. */
  get size(): number {
    return this.count;
  }

  has(key: number): boolean {
    return this.present[key] === 1;
  }

  insert(key: number): void {
    const bucket = this.bucketOf[key];
    this.next[key] = this.heads[bucket];
    this.heads[bucket] = key;
    this.present[key] = 1;
    this.count++;
    this.touch(key);
  }

  touch(key: number): void {
    this.stamps[key] = this.now;
  }

  remove(key: number): void {
    const bucket = this.bucketOf[key];
    if (this.heads[bucket] === key) this.heads[bucket] = this.next[key];
    else {
      let before = this.heads[bucket];
      while (this.next[before] !== key) before = this.next[before];
      this.next[before] = this.next[key];
    }
    this.present[key] = 0;
    this.count--;
  }
}
