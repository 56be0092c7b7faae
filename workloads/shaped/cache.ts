import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { type Random, randomFor } from "../../memory/random.js";
import { type Distribution, zipf } from "../distributions.js";
import { eventsOption } from "../events-option.js";
import { type SizeMix, sizeMix, sizeMixNames } from "../size-mixes.js";
import type { Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import type { WorkloadSpec } from "../workload.js";
import { CachedKeys, type EvictionKind, evictionKinds } from "./evictions.js";

export interface CacheOptions {
  events: number;
  keys: number;
  entries: number;
  popularity: number;
  writes: number;
  eviction: EvictionKind;
  values: SizeMix;
}

const options: OptionTable<CacheOptions> = {
  events: eventsOption,
  keys: { kind: "integer", min: 2, max: 1 << 20, default: 100_000, help: "keys that are asked for" },
  entries: { kind: "integer", min: 1, max: 1 << 20, default: 10_000, help: "entries that the cache holds" },
  popularity: { kind: "number", min: 0, max: 4, default: 0.9, help: "exponent of Zipf's law over the keys" },
  writes: { kind: "number", min: 0, max: 1, default: 0.1, help: "share of the hits that store a new value" },
  eviction: { kind: "choice", values: evictionKinds, default: "lru", help: "entry that a full cache gives up" },
  values: { kind: "choice", values: sizeMixNames, default: "mixed", help: "mix of the sizes of values" },
};

/** Bytes of an entry: two links of the list, one of the bucket, key pointer, value pointer, hash and length. */
const NODE = 56;

class Cache {
  private readonly builder: TraceBuilder;
  private readonly random: Random;
  private readonly given: CacheOptions;
  private readonly sizes: Distribution;
  private readonly cached: CachedKeys;
  private readonly nodes: Int32Array;
  private readonly values: Int32Array;

  constructor(builder: TraceBuilder, random: Random, given: CacheOptions) {
    this.builder = builder;
    this.random = random;
    this.given = given;
    this.sizes = sizeMix(given.values);
    this.cached = new CachedKeys(given.eviction, given.keys, random);
    this.nodes = new Int32Array(given.keys);
    this.values = new Int32Array(given.keys);
  }

  get full(): boolean {
    return this.cached.size >= this.given.entries;
  }

  private get over(): boolean {
    return this.builder.length >= this.given.events;
  }

  request(key: number): void {
    if (this.cached.has(key)) this.hit(key);
    else this.miss(key);
  }

  private hit(key: number): void {
    const { builder, values, random } = this;
    this.cached.touch(key);
    if (random.double() >= this.given.writes) {
      builder.access(values[key]);
      return;
    }
    // The new value is there before the old one goes.
    const old = values[key];
    values[key] = builder.allocate(this.sizes.draw(random));
    if (!this.over) builder.free(old);
  }

  private miss(key: number): void {
    const { builder, random } = this;
    if (this.full) {
      const victim = this.cached.evict();
      builder.free(this.values[victim]);
      if (!this.over) builder.free(this.nodes[victim]);
    }
    if (this.over) return;
    this.nodes[key] = builder.allocate(NODE);
    if (this.over) return;
    this.values[key] = builder.allocate(this.sizes.draw(random));
    this.cached.add(key);
  }
}

function generate(seed: number, given: CacheOptions): Trace {
  const random = randomFor("cache", seed);
  const builder = new TraceBuilder("cache");
  const cache = new Cache(builder, random, given);
  const ranks = zipf(given.keys, given.popularity);
  builder.phase("fill");
  let full = false;
  while (builder.length < given.events) {
    if (!full && cache.full) {
      full = true;
      builder.phase("full");
    } else cache.request(ranks.draw(random) - 1);
  }
  return builder.build();
}

/**
 * A cache of key and value under independent requests by Zipf's law: a hit reads the value or stores a new one, a miss evicts
 * an entry and inserts another, each a node and a value. So by the rule of eviction the lifetimes follow popularity (LRU),
 * order of birth (FIFO) or neither. Hits are access events.
 */
export const cache: WorkloadSpec<CacheOptions> = {
  name: "cache",
  title: "Key-value cache",
  source:
    "King, Analysis of demand paging algorithms, 1971 and Gelenbe, IEEE TC 22(6), 1973 (independent references); memcached",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { eviction: "random", entries: 2000, keys: 20_000 },
    { eviction: "fifo", entries: 2000, keys: 20_000, values: "bimodal", writes: 0 },
    { entries: 500, keys: 5000, popularity: 0.5 },
  ],
  generate,
};
