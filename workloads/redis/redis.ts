import { InputError } from "../../memory/errors.js";
import { isPowerOfTwo } from "../../memory/exact-math.js";
import { defaultsOf, type OptionTable } from "../../memory/options.js";
import { type Random, randomFor } from "../../memory/random.js";
import type { Trace } from "../trace.js";
import type { WorkloadSpec } from "../workload.js";
import { RedisServer } from "./server.js";
import { type RedisVariant, redisVariants } from "./variants.js";

export interface RedisOptions {
  variant: keyof typeof redisVariants;
  scale: number;
  value: number;
  newValue: number;
  victims: "sampled" | "uniform" | "oldest";
  samples: number;
  reservoir: "variant" | "yes" | "no";
  tick: "variant" | "yes" | "no";
  burst: number;
  prefix: "variant" | "0" | "8" | "16";
}

const byVariant = ["variant", "yes", "no"] as const;

const options: OptionTable<RedisOptions> = {
  variant: {
    kind: "choice",
    values: Object.keys(redisVariants),
    default: "mesh402",
    help: "whose server: Redis 4.0.2 of Mesh (8-byte prefix, 10 samples), the same on its jemalloc, or 7.2.4 of Alaska (1 sample)",
  },
  scale: {
    kind: "integer",
    min: 1,
    max: 64,
    default: 16,
    help: "divides keys, buckets, memory limit and base alike; a power of two, 1 for the papers' size (8.3e6 events)",
  },
  value: { kind: "integer", min: 1, max: 65535, default: 240, help: "bytes of a value of the first insertion" },
  newValue: { kind: "integer", min: 1, max: 65535, default: 492, help: "bytes of a value of the second insertion" },
  victims: {
    kind: "choice",
    values: ["sampled", "uniform", "oldest"],
    default: "sampled",
    help: "key to evict: Redis' sampled LRU, any with the same chance, or the one used longest ago",
  },
  samples: {
    kind: "integer",
    min: 0,
    max: 64,
    default: 0,
    help: "keys that the sampler looks at for each eviction (maxmemory-samples); 0: as the variant",
  },
  reservoir: { kind: "choice", values: byVariant, default: "variant", help: "the sampler finishes the chain it is in" },
  tick: {
    kind: "choice",
    values: byVariant,
    default: "variant",
    help: "the LRU clock ticks before the second insertion, so the second eviction spares its keys",
  },
  burst: {
    kind: "integer",
    min: 0,
    max: Number.POSITIVE_INFINITY,
    default: 0,
    help: "most evictions between the two insertions, at full scale; 0: as the variant, Infinity: all that are due",
  },
  prefix: {
    kind: "choice",
    values: ["variant", "0", "8", "16"],
    default: "variant",
    help: "bytes in front of each block",
  },
};

/** The papers' sizes. */
const BUCKETS = 1_048_576;
const KEYS = 700_000;
const NEW_KEYS = 170_000;
const LIMIT = 104_857_600;

/** The variant with the options that override it. */
function serverOf(given: RedisOptions): RedisVariant {
  const variant: RedisVariant = redisVariants[given.variant];
  const flag = (option: "variant" | "yes" | "no", usual: boolean): boolean =>
    option === "variant" ? usual : option === "yes";
  return {
    ...variant,
    prefix: given.prefix === "variant" ? variant.prefix : Number(given.prefix),
    samples: given.samples === 0 ? variant.samples : given.samples,
    reservoir: flag(given.reservoir, variant.reservoir),
    tick: flag(given.tick, variant.tick),
    burst: given.burst === 0 ? variant.burst : given.burst,
  };
}

/** Eviction runs before a command is executed and never inside one, so the phases do not overlap. */
function generate(seed: number, given: RedisOptions): Trace {
  const { scale } = given;
  if (!isPowerOfTwo(scale)) {
    throw new InputError(
      `redis: option scale: ${scale} is not a power of two, as the hash table's size must be: give 1, 2, 4, ... 64`,
    );
  }
  const keys = Math.floor(KEYS / scale);
  const newKeys = Math.floor(NEW_KEYS / scale);
  const variant = serverOf(given);
  const random: Random = randomFor("redis", seed);
  const server = new RedisServer(variant, random, {
    keys,
    uses: keys + newKeys,
    buckets: BUCKETS / scale,
    base: variant.base / scale,
    limit: LIMIT / scale,
    victims: given.victims,
  });
  server.mark("A insert");
  server.start();
  for (let key = 0; key < keys; key++) server.insert(key, given.value);
  server.mark("B evict");
  server.evict(Math.round(variant.burst / scale));
  if (variant.tick) server.tick();
  server.mark("C insert");
  for (let key = 0; key < newKeys; key++) server.insert(key, given.newValue);
  server.mark("D evict");
  server.evict(Number.POSITIVE_INFINITY);
  server.mark("idle");
  return server.build();
}

/**
 * The experiment of the Mesh and Alaska papers: fill a Redis of 100 MiB with 700,000 small values, let it evict down to
 * its limit, insert values of twice the size, let it evict again. What the program asks of its allocator is made here
 * event by event, the same for every allocator: memory is limited by a fixed accounting, not by the allocator's.
 */
export const redis: WorkloadSpec<RedisOptions> = {
  name: "redis",
  title: "Redis with an LRU limit",
  source:
    "Powers et al., Mesh, PLDI 2019, section 6; Wanninger et al., Alaska, ASPLOS 2024, section 5: DEBUG POPULATE and allkeys-lru",
  seeded: true,
  options,
  defaults: defaultsOf(options),
  variants: [
    { variant: "alaska72" },
    { variant: "mesh402je", scale: 64 },
    { tick: "no", value: 150, newValue: 300 },
    { victims: "uniform", scale: 32 },
    { victims: "oldest", scale: 64 },
  ],
  generate,
};
