import { describe, expect, it } from "vitest";
import { power } from "../../memory/exact-math.js";
import { blocksOf, markOf, meanOf } from "../block-list.properties.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { type AstBuilderOptions, astBuilder } from "./ast-builder.js";
import { type CacheOptions, cache } from "./cache.js";
import { type GcSurvivorsOptions, gcSurvivors } from "./gc-survivors.js";
import { type LarsonOptions, larson } from "./larson.js";
import { type MessageQueueOptions, messageQueue } from "./message-queue.js";

describe("larson", () => {
  const run = (given: Partial<LarsonOptions>): Trace => larson.generate(3, { ...larson.defaults, ...given }) as Trace;

  it.each([0.5, 1, 3])(
    "frees most blocks by another thread than asked: (1 - e^-r) / r of them with r = %d",
    (rounds) => {
      const trace = run({ threads: 2, blocks: 1000, rounds, turn: 10, events: 400_000 });
      const freed = blocksOf(trace).filter((block) => block.freedBy >= 0);
      const foreign = freed.filter((block) => block.thread !== block.freedBy).length / freed.length;
      expect(Math.abs(foreign - (1 - Math.exp(-rounds)) / rounds)).toBeLessThan(0.01);
    },
  );

  it("holds the same number of uniform blocks all the time", () => {
    const trace = run({ threads: 3, blocks: 500, smallest: 10, largest: 500 });
    const sizes = blocksOf(trace).map((block) => block.size);
    const sorted = sizes.toSorted((a, b) => a - b);
    expect([sorted[0], sorted.at(-1)]).toEqual([10, 500]);
    const sd = Math.sqrt((491 * 491 - 1) / 12 / sizes.length);
    expect(Math.abs(meanOf(sizes) - 255)).toBeLessThan(4 * sd);
    expect(trace.slots).toBe(1500);
  });
});

/** Hit ratio under independent requests: LRU by Che et al., JSAC 20(7), 2002; random and FIFO by Gelenbe 1973. */
function hitRatio(keys: number, entries: number, exponent: number, lru: boolean): number {
  const weights = Array.from({ length: keys }, (_, i) => power(i + 1, -exponent));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const inCache = (p: number, time: number): number => (lru ? 1 - Math.exp(-p * time) : (p * time) / (1 + p * time));
  const filled = (time: number): number => weights.reduce((sum, w) => sum + inCache(w / total, time), 0);
  let low = 0;
  let high = 1e9;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (filled(middle) < entries) low = middle;
    else high = middle;
  }
  return weights.reduce((sum, w) => sum + (w / total) * inCache(w / total, low), 0);
}

describe("cache", () => {
  const run = (given: Partial<CacheOptions>): Trace => cache.generate(3, { ...cache.defaults, ...given }) as Trace;
  const small = { keys: 5000, entries: 500, writes: 0, events: 400_000 };

  it.each(["lru", "random", "fifo"] as const)("hits as often as theory says with %s", (eviction) => {
    const trace = run({ ...small, eviction });
    const steady = trace.op.subarray(markOf(trace, "full"));
    const count = (op: number): number => steady.reduce((sum, code) => sum + ((code & OP_MASK) === op ? 1 : 0), 0);
    const hits = count(Op.access);
    const misses = count(Op.allocate) / 2;
    expect(Math.abs(hits / (hits + misses) - hitRatio(5000, 500, 0.9, eviction === "lru"))).toBeLessThan(0.01);
  });

  it("evicts in the order of birth with fifo", () => {
    const freed = blocksOf(run({ ...small, eviction: "fifo", values: "fixed" })).filter(
      (block) => block.size === 56 && block.freedBy >= 0,
    );
    const deaths = freed.map((block) => block.freedEvent);
    expect(deaths).toEqual([...deaths].sort((a, b) => a - b));
    expect(deaths.length).toBeGreaterThan(1000);
  });

  it("holds a node and a value for each entry, and stores new values before it frees the old", () => {
    expect(run({ ...small, writes: 0 }).slots).toBe(1000);
    expect(run({ ...small, writes: 0.5 }).slots).toBe(1001);
  });
});

describe("message-queue", () => {
  const run = (given: Partial<MessageQueueOptions>): Trace =>
    messageQueue.generate(3, { ...messageQueue.defaults, node: 1000, messages: "small", ...given }) as Trace;

  /** Messages that each departing message leaves behind; nodes are told by their size. */
  function leftBehind(trace: Trace): number[] {
    const left: number[] = [];
    let waiting = 0;
    const isNode = new Uint8Array(trace.slots);
    for (let i = 0; i < trace.length; i++) {
      const slot = trace.slot[i];
      if ((trace.op[i] & OP_MASK) === Op.allocate) {
        isNode[slot] = trace.size[i] === 1000 ? 1 : 0;
        waiting += isNode[slot];
      } else if ((trace.op[i] & OP_MASK) === Op.free && isNode[slot] === 1) left.push(--waiting);
    }
    return left;
  }

  it.each([
    [0.5, 1],
    [0.8, 1],
    [0.8, 10],
    [0.5, 100],
  ])("is as long as bulk queues are at load %d with batches of %d", (load, batch) => {
    // A departure leaves what an arrival finds (level crossing): load batch / (1 - load) in the mean, and those before it in its batch.
    const left = leftBehind(run({ load, batch, events: 2_000_000 }));
    const expected = (load * batch) / (1 - load) + batch - 1;
    expect(Math.abs(meanOf(left) / expected - 1)).toBeLessThan(0.08);
  });

  it("is served in order, by another thread than fills it", () => {
    const freed = blocksOf(run({})).filter((block) => block.freedBy >= 0);
    expect(freed.every((block) => block.thread === 0 && block.freedBy === 1)).toBe(true);
    const deaths = freed.filter((block) => block.size === 1000).map((block) => block.freedEvent);
    expect(deaths).toEqual([...deaths].sort((a, b) => a - b));
  });
});

describe("ast-builder", () => {
  const run = (given: Partial<AstBuilderOptions>): Trace =>
    astBuilder.generate(3, { ...astBuilder.defaults, ...given }) as Trace;

  it("grows trees of a branching process", () => {
    const nodes = 10;
    const sizes = blocksOf(run({ nodes, events: 1_500_000, names: 1 })).map((block) => block.size);
    const count = (size: number): number => sizes.filter((one) => one === size).length;
    const all = count(40) + count(48) + count(56);
    const mean = 1 - 1 / nodes;
    // Some names have the size of a node: a few in a thousand.
    expect(Math.abs(count(40) / all - (1 - (2 * mean) / 3))).toBeLessThan(0.006);
    expect(Math.abs(count(56) / all - mean / 3)).toBeLessThan(0.006);
    // A stack and an instruction for each node have 64 bytes; the variance of a tree is that of a node's children / (1 - mean)^3.
    const trees = count(64) - all;
    const sd = Math.sqrt(((5 / 3) * mean - mean * mean) / power(1 - mean, 3) / trees);
    expect(Math.abs(all / trees - nodes)).toBeLessThan(4 * sd);
  });

  it("forgets each module but for its names and the trees that are kept", () => {
    const trace = run({ keep: 0, names: 500, events: 400_000 });
    const last = markOf(trace, trace.labels.at(-1) as string);
    const alive = blocksOf(trace).filter((block) => block.event < last && block.freedEvent > last);
    expect(alive.length).toBeLessThanOrEqual(500);
    expect(alive.length).toBeGreaterThan(400);
    expect(alive.every((block) => block.size <= 65)).toBe(true);
  });
});

describe("gc-survivors", () => {
  const run = (given: Partial<GcSurvivorsOptions>): Trace =>
    gcSurvivors.generate(3, { ...gcSurvivors.defaults, ...given }) as Trace;

  it("keeps as many objects after each full collection as live ones by Little's law", () => {
    const trace = run({ major: 1, lifetime: 2000, nursery: 5000 });
    const after: number[] = [];
    let live = 0;
    trace.op.forEach((op, i) => {
      if (op === Op.allocate) live++;
      else if (op === Op.free) live--;
      else if (trace.labels[trace.slot[i]] === "mutate") after.push(live);
    });
    const steady = after.slice(5, -1);
    // Of exponential lifetimes m - 1 objects are older than the last allocation; the number is nearly Poisson.
    expect(Math.abs(meanOf(steady) - 1999)).toBeLessThan(4 * Math.sqrt(2000 / steady.length));
  });

  it("lets a share (m - 1) (1 - (1 - 1/m)^T) / T of the young survive a minor collection", () => {
    const [m, T] = [1000, 4000];
    const trace = run({ major: 1000, lifetime: m, nursery: T });
    const blocks = blocksOf(trace);
    const whole = blocks.slice(0, Math.floor(blocks.length / T - 1) * T);
    const share = whole.filter((block) => block.freedBy < 0).length / whole.length;
    const expected = ((m - 1) * (1 - power(1 - 1 / m, T))) / T;
    expect(Math.abs(share - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / whole.length));
  });

  it("frees nothing between collections, and sweeps in the order of birth", () => {
    const trace = run({ major: 1, events: 100_000 });
    const first = markOf(trace, "major collection");
    expect(trace.op.subarray(1, first).every((op) => op === Op.allocate)).toBe(true);
    const deaths = blocksOf(trace)
      .filter((block) => block.event < first && block.death <= first)
      .map((block) => block.freedEvent);
    expect(deaths).toEqual([...deaths].sort((a, b) => a - b));
    expect(deaths.length).toBeGreaterThan(5000);
  });
});
