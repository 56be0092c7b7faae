import { describe, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import { resolveOptions } from "../memory/options.js";
import { type AnyWorkloadSpec, programs, workloads } from "./registry.js";
import { OP_MASK, Op, type Trace } from "./trace.js";
import { summarise, type TraceSummary } from "./trace-summary.js";

async function traceOf(name: string, given: object, seed = 1): Promise<Trace> {
  const spec: AnyWorkloadSpec = workloads[name];
  return spec.generate(seed, resolveOptions(name, spec.options, given as Record<string, unknown>));
}
const summaryOf = async (name: string, given: object): Promise<TraceSummary> => summarise(await traceOf(name, given));

describe("the attack on best fit", () => {
  it("has the published number of operations and never more than K + 4m - 10 words live", async () => {
    for (const [largest, pairs] of [
      [8, 20],
      [8, 50],
      [32, 100],
    ]) {
      const { peakLiveBytes, endLiveBlocks } = await summaryOf("best-fit-attack", { largest, pairs, word: 1 });
      expect(peakLiveBytes).toBe(pairs + 4 * largest - 10);
      expect(endLiveBlocks).toBe(pairs + 1);
    }
    expect((await traceOf("best-fit-attack", { largest: 32, pairs: 400 })).length).toBe(802_401);
  });

  it("asks for five sizes only, in words", async () => {
    const trace = await traceOf("best-fit-attack", { largest: 32, pairs: 10, word: 4096 });
    const sizes = new Set(Array.from(trace.size).filter((size) => size > 0));
    expect([...sizes].sort((a, b) => a - b)).toEqual([1, 2, 27, 30, 32].map((words) => words * 4096));
  });
});

describe("doubling sizes", () => {
  it("keep half of the live bytes and fill up again, up to half of them in one block", async () => {
    const trace = await traceOf("hasan", { live: 1024, smallest: 16 });
    const { peakLiveBytes, endLiveBytes, distinctSizes } = summarise(trace);
    expect([peakLiveBytes, endLiveBytes, distinctSizes.all]).toEqual([1024, 1024, 6]);
  });

  it("refuse what is no power of two, and less than two blocks", async () => {
    await expect(async () => traceOf("hasan", { live: 1000 })).rejects.toThrow(/option live: 1000 is not a power/);
    await expect(async () => traceOf("hasan", { live: 64, smallest: 64 })).rejects.toThrow(InputError);
  });
});

describe("random survivors", () => {
  it("leave the share that was asked for, other blocks for another seed", async () => {
    const given = { blocks: 40_000, survivors: 0.1 };
    const [one, two] = await Promise.all([1, 2].map((seed) => traceOf("random-survivors", given, seed)));
    expect(one.digest).not.toBe(two.digest);
    // Three standard deviations of a binomial.
    expect(Math.abs(summarise(one).endLiveBlocks - 4000)).toBeLessThan(3 * 60);
  });

  it("leave all or none at the ends of the range", async () => {
    expect((await summaryOf("random-survivors", { blocks: 100, survivors: 1 })).endLiveBlocks).toBe(100);
    expect((await summaryOf("random-survivors", { blocks: 100, survivors: 0 })).endLiveBlocks).toBe(0);
  });

  it("are the same blocks whether some of them are pinned or not, and only they are pinned", async () => {
    const given = { blocks: 10_000, survivors: 0.5 };
    const slots = (trace: Trace, wanted: number): number[] =>
      [...trace.slot].filter((_, i) => (trace.op[i] & OP_MASK) === wanted);
    const plain = await traceOf("random-survivors", given, 1);
    const trace = await traceOf("random-survivors", { ...given, pinned: 0.1 }, 1);
    const freed = new Set(slots(trace, Op.free));
    expect([...freed]).toEqual(slots(plain, Op.free));
    const pins = slots(trace, Op.pin);
    expect(pins.filter((slot) => freed.has(slot))).toEqual([]);
    expect(slots(plain, Op.pin)).toEqual([]);
    // Three standard deviations of a binomial.
    expect(Math.abs(pins.length - 500)).toBeLessThan(3 * 22);
  });

  it("with a pin in each row of blocks are pinned there, though they would die", async () => {
    const trace = await traceOf("random-survivors", { blocks: 1000, survivors: 0, pinEvery: 64 }, 1);
    const pins = [...trace.slot].filter((_, i) => (trace.op[i] & OP_MASK) === Op.pin);
    expect(pins).toEqual(Array.from({ length: 16 }, (_, i) => 64 * i));
    expect(summarise(trace).endLiveBlocks).toBe(16);
  });
});

describe("programs", () => {
  const heap = { moves: 0, allocate: () => 0, free: () => undefined, addressOf: () => 0, phase: () => undefined };
  it.each([
    ["robson", { largest: 24 }, /option largest: 24 is not a power of two/],
    ["robson", { live: 100, largest: 64 }, /option live: 100 is not a multiple of largest/],
    ["pool-pinning", { pool: 5000 }, /option pool: 5000 is not a power of two/],
    ["pool-pinning", { step: 64, largest: 32 }, /option largest: 32 is below the step 64/],
  ])("%s refuses %j", (name, given, message) => {
    const spec = programs[name];
    const run = (): void => spec.run(heap, 1, resolveOptions(name, spec.options, given));
    expect(run).toThrow(InputError);
    expect(run).toThrow(message);
  });
});
