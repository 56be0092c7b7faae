/** Which key is evicted next: Redis' approximated LRU, and two rules to compare it with. */
import type { Random } from "../../memory/random.js";
import type { KeySpace } from "./key-space.js";

export interface Victims {
  /** The key to evict, which is in the key space; -1 where that is empty. */
  choose(): number;
  /** A key was inserted or touched. */
  used(key: number): void;
}

/** EVPOOL_SIZE of evict.c. */
const POOL = 16;

/**
 * Redis' sampled LRU (dict.c: dictGetSomeKeys, evict.c: evictionPoolPopulate and freeMemoryIfNeeded). A walk from a
 * random bucket collects `samples` keys, each of which may enter a pool of the 16 longest idle; the victim is the best of
 * the pool that still exists. Up to 7.0 the walk stops in mid-chain, so that heads of chains, which are the newest keys,
 * are taken more often; later it finishes the chain and samples it evenly (`reservoir`).
 */
export class SampledLru implements Victims {
  private readonly keys: KeySpace;
  private readonly random: Random;
  private readonly samples: number;
  private readonly reservoir: boolean;
  private readonly found: Int32Array;
  /** Ascending by idle time; -1 for an empty place, and empty places are behind all others. */
  private readonly pool = new Int32Array(POOL).fill(-1);
  private readonly idle = new Int32Array(POOL);

  constructor(keys: KeySpace, random: Random, samples: number, reservoir: boolean) {
    this.keys = keys;
    this.random = random;
    this.samples = samples;
    this.reservoir = reservoir;
    this.found = new Int32Array(samples);
  }

  choose(): number {
    const { keys, pool } = this;
    while (keys.size > 0) {
      const found = this.sample();
      for (let i = 0; i < found; i++) this.offer(this.found[i]);
      for (let k = POOL - 1; k >= 0; k--) {
        const key = pool[k];
        pool[k] = -1;
        if (key >= 0 && keys.has(key)) return key;
      }
    }
    return -1;
  }

  used(): void {}

  /** Fills `found`; the walk ends without enough keys after 10 buckets for each key wanted. */
  private sample(): number {
    const { keys, random, found, reservoir } = this;
    const wanted = Math.min(this.samples, keys.size);
    const mask = keys.buckets - 1;
    let bucket = random.u32() & mask;
    let empty = 0;
    let seen = 0;
    for (let steps = 10 * wanted; steps > 0 && seen < wanted; steps--) {
      let key = keys.heads[bucket];
      if (key >= 0) empty = 0;
      else if (++empty >= 5 && empty > wanted) {
        bucket = random.u32() & mask;
        empty = 0;
      }
      for (; key >= 0 && (reservoir || seen < wanted); key = keys.next[key]) {
        if (seen < wanted) found[seen] = key;
        else {
          const place = random.below(seen + 1);
          if (place < wanted) found[place] = key;
        }
        seen++;
      }
      bucket = (bucket + 1) & mask;
    }
    return Math.min(seen, wanted);
  }

  /** Puts a key into the pool, which drops its shortest idle when it is full; one idle no longer than that stays out. */
  private offer(key: number): void {
    const { pool, idle } = this;
    const age = this.keys.now - this.keys.stamps[key];
    let k = 0;
    while (k < POOL && pool[k] >= 0 && idle[k] < age) k++;
    const full = pool[POOL - 1] >= 0;
    if (k === 0 && full) return;
    if (full) {
      k--;
      pool.copyWithin(0, 1, k + 1);
      idle.copyWithin(0, 1, k + 1);
    } else if (pool[k] >= 0) {
      pool.copyWithin(k + 1, k, POOL - 1);
      idle.copyWithin(k + 1, k, POOL - 1);
    }
    pool[k] = key;
    idle[k] = age;
  }
}

/** Any key with the same chance: no gradient by age. */
export class UniformVictims implements Victims {
  private readonly keys: KeySpace;
  private readonly random: Random;

  constructor(keys: KeySpace, random: Random) {
    this.keys = keys;
    this.random = random;
  }

  choose(): number {
    const { keys, random } = this;
    if (keys.size === 0) return -1;
    for (;;) {
      const key = random.below(keys.keys);
      if (keys.has(key)) return key;
    }
  }

  used(): void {}
}

/** The key used longest ago, exactly: what an LRU without sampling and with a fine clock would take. */
export class OldestVictims implements Victims {
  private readonly keys: KeySpace;
  /** Keys in the order of use; an entry that is not its key's latest is out of date. */
  private readonly order: Int32Array;
  private readonly latest: Int32Array;
  private first = 0;
  private end = 0;

  /** `uses`: how often `used` will be called at most. */
  constructor(keys: KeySpace, uses: number) {
    this.keys = keys;
    this.order = new Int32Array(uses);
    this.latest = new Int32Array(keys.keys);
  }

  choose(): number {
    while (this.first < this.end) {
      const at = this.first++;
      const key = this.order[at];
      if (this.latest[key] === at && this.keys.has(key)) return key;
    }
    return -1;
  }

  used(key: number): void {
    this.latest[key] = this.end;
    this.order[this.end++] = key;
  }
}
