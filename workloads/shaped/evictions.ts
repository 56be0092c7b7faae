/** Which entry a cache gives up. */
import { InputError } from "../../memory/errors.js";
import type { Random } from "../../memory/random.js";

export const evictionKinds = ["lru", "random", "fifo"] as const;
export type EvictionKind = (typeof evictionKinds)[number];

/**
 * The keys that are in a cache. For `lru` and `fifo` they stand in a ring by last use or by arrival, for `random` in a table.
 * Every operation takes constant time.
 */
export class CachedKeys {
  private readonly kind: EvictionKind;
  private readonly random: Random;
  /** Neighbours in the ring, whose anchor is the key `keys`; the oldest is behind the anchor. */
  private readonly newer: Int32Array;
  private readonly older: Int32Array;
  /** For `random`: the keys, and where each stands. */
  private readonly table: Int32Array;
  private count = 0;

  constructor(kind: EvictionKind, keys: number, random: Random) {
    this.kind = kind;
    this.random = random;
    this.newer = new Int32Array(keys + 1).fill(-1);
    this.older = new Int32Array(keys + 1).fill(-1);
    this.table = new Int32Array(kind === "random" ? keys : 0);
    this.newer[keys] = keys;
    this.older[keys] = keys;
  }

  get size(): number {
    return this.count;
  }

  has(key: number): boolean {
    return this.newer[key] >= 0;
  }

  add(key: number): void {
    if (this.kind === "random") {
      this.table[this.count] = key;
      this.newer[key] = this.count;
    } else this.link(key);
    this.count++;
  }

  /** A key that is in the cache was used. */
  touch(key: number): void {
    if (this.kind !== "lru") return;
    this.unlink(key);
    this.link(key);
  }

  /** Removes and returns the key to give up. Throws an `InputError` where there is none. */
  evict(): number {
    if (this.count === 0) throw new InputError("cache: nothing to evict");
    this.count--;
    if (this.kind === "random") {
      const at = this.random.below(this.count + 1);
      const key = this.table[at];
      const last = this.table[this.count];
      this.table[at] = last;
      this.newer[last] = at;
      this.newer[key] = -1;
      return key;
    }
    const oldest = this.newer[this.newer.length - 1];
    this.unlink(oldest);
    this.newer[oldest] = -1;
    return oldest;
  }

  /** As the newest. */
  private link(key: number): void {
    const anchor = this.newer.length - 1;
    const newest = this.older[anchor];
    this.newer[newest] = key;
    this.older[key] = newest;
    this.newer[key] = anchor;
    this.older[anchor] = key;
  }

  private unlink(key: number): void {
    const { newer, older } = this;
    newer[older[key]] = newer[key];
    older[newer[key]] = older[key];
  }
}
