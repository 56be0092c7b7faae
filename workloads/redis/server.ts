/** The part of a Redis server that allocates: insertion and eviction of keys, block by block. */
import type { Random } from "../../memory/random.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { KeySpace } from "./key-space.js";
import { ENTRY, embeddedBytes, OBJECT, type RedisVariant, stringBytes } from "./variants.js";
import { OldestVictims, SampledLru, UniformVictims, type Victims } from "./victims.js";

export interface RedisSettings {
  /** Keys in all, and how often keys will be inserted or touched. */
  readonly keys: number;
  readonly uses: number;
  readonly buckets: number;
  /** Accounted bytes before the hash table, and those above which keys are evicted. */
  readonly base: number;
  readonly limit: number;
  readonly victims: "sampled" | "uniform" | "oldest";
}

/** `asdf:` and the number, as DEBUG POPULATE names its keys. */
function nameLength(key: number): number {
  let digits = 1;
  for (let rest = key; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  return 5 + digits;
}

/** Blocks of a key: value string, value object, key string, dictionary entry. */
const BLOCKS = 4;

/** Writes what a server asks of its allocator into a trace. */
export class RedisServer {
  private readonly variant: RedisVariant;
  private readonly builder = new TraceBuilder("redis");
  private readonly keys: KeySpace;
  private readonly victims: Victims;
  private readonly buckets: number;
  private readonly limit: number;
  private readonly slots: Uint32Array;
  /** Length of each key's value. */
  private readonly values: Uint16Array;
  /** Accounted bytes of live blocks, and the base. */
  private used: number;

  constructor(variant: RedisVariant, random: Random, settings: RedisSettings) {
    this.variant = variant;
    this.buckets = settings.buckets;
    this.limit = settings.limit;
    this.used = settings.base;
    this.keys = new KeySpace(settings.keys, settings.buckets, random);
    this.victims =
      settings.victims === "uniform"
        ? new UniformVictims(this.keys, random)
        : settings.victims === "oldest"
          ? new OldestVictims(this.keys, settings.uses)
          : new SampledLru(this.keys, random, variant.samples, variant.reservoir);
    this.slots = new Uint32Array(settings.keys * BLOCKS);
    this.values = new Uint16Array(settings.keys);
  }

  mark(label: string): void {
    this.builder.phase(label);
  }

  /** Allocates the hash table, once and for good: 8 bytes a bucket. */
  start(): void {
    this.allocate(8 * this.buckets);
  }

  /** The LRU clock goes on by its resolution. */
  tick(): void {
    this.keys.now++;
  }

  /** db.c and debug.c, DEBUG POPULATE: a key that exists is only touched. */
  insert(key: number, value: number): void {
    const { keys, slots } = this;
    const length = nameLength(key);
    const temporary = this.builder.allocate(this.variant.prefix + embeddedBytes(length));
    if (keys.has(key)) keys.touch(key);
    else {
      const at = key * BLOCKS;
      this.values[key] = value;
      slots[at] = this.allocate(stringBytes(value));
      slots[at + 1] = this.allocate(OBJECT);
      slots[at + 2] = this.allocate(stringBytes(length));
      slots[at + 3] = this.allocate(ENTRY);
      keys.insert(key);
    }
    this.victims.used(key);
    this.builder.free(temporary);
  }

  /** evict.c, freeMemoryIfNeeded: evicts until the accounted memory is within the limit, at most `most` keys. */
  evict(most: number): void {
    for (let n = 0; n < most && this.used > this.limit; n++) {
      const victim = this.victims.choose();
      if (victim < 0) return;
      this.remove(victim);
    }
  }

  build(): Trace {
    return this.builder.build();
  }

  private remove(key: number): void {
    const { slots } = this;
    const length = nameLength(key);
    const at = key * BLOCKS;
    const temporary = this.builder.allocate(this.variant.prefix + embeddedBytes(length));
    this.free(slots[at + 2], stringBytes(length));
    this.free(slots[at], stringBytes(this.values[key]));
    this.free(slots[at + 1], OBJECT);
    this.free(slots[at + 3], ENTRY);
    this.keys.remove(key);
    this.builder.free(temporary);
  }

  private allocate(bytes: number): number {
    const size = this.variant.prefix + bytes;
    this.used += this.variant.accounted(size);
    return this.builder.allocate(size);
  }

  private free(slot: number, bytes: number): void {
    this.used -= this.variant.accounted(this.variant.prefix + bytes);
    this.builder.free(slot);
  }
}
