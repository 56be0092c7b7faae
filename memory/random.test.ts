import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "./errors.js";
import { Random, randomFor, streamOf } from "./random.js";

const MASK = 0xffffffffn;

/** xoshiro128** 1.1 and SplitMix64 as their papers write them, on BigInt. */
class Reference {
  s: bigint[];

  constructor(seed: bigint) {
    const outputs: bigint[] = [];
    for (let i = 1n; i <= 2n; i++) {
      let z = BigInt.asUintN(64, seed + i * 0x9e3779b97f4a7c15n);
      z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
      z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
      outputs.push(z ^ (z >> 31n));
    }
    this.s = outputs.flatMap((z) => [z & MASK, z >> 32n]);
  }

  next(): number {
    const rotate = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & MASK;
    const [a, b, c, d] = this.s;
    const c1 = c ^ a;
    const d1 = d ^ b;
    this.s = [a ^ d1, b ^ c1, c1 ^ ((b << 9n) & MASK), rotate(d1, 11n)];
    return Number((rotate((b * 5n) & MASK, 7n) * 9n) & MASK);
  }
}

/** The state after 2^64 steps: one step is linear over GF(2), so its matrix (as 128 columns) is squared 64 times. */
function stateAfterJump(state: ArrayLike<number>): number[] {
  const toBits = (words: readonly bigint[]): bigint =>
    words.reduce((sum, word, i) => sum | (word << BigInt(32 * i)), 0n);
  const apply = (columns: readonly bigint[], vector: bigint): bigint => {
    let sum = 0n;
    for (let i = 0; i < 128; i++) if (((vector >> BigInt(i)) & 1n) !== 0n) sum ^= columns[i];
    return sum;
  };
  let columns = Array.from({ length: 128 }, (_, i) => {
    const generator = new Reference(0n);
    generator.s = [0, 1, 2, 3].map((word) => (i >> 5 === word ? 1n << BigInt(i & 31) : 0n));
    generator.next();
    return toBits(generator.s);
  });
  for (let i = 0; i < 64; i++) {
    const square = columns.map((column) => apply(columns, column));
    columns = square;
  }
  const after = apply(columns, toBits(Array.from(state, BigInt)));
  return [0n, 1n, 2n, 3n].map((word) => Number((after >> (32n * word)) & MASK));
}

function take(random: Random, n: number): number[] {
  return Array.from({ length: n }, () => random.u32());
}

/** Pearson's statistic against equal expectations. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  return counts.reduce((sum, n) => sum + ((n - expected) * (n - expected)) / expected, 0);
}

describe("the generator", () => {
  it("yields what the C code of xoshiro128** 1.1 yields from the state 1, 2, 3, 4", () => {
    const known = [11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804];
    expect(take(Random.from([1, 2, 3, 4]), 10)).toEqual(known);
  });

  it("agrees with the reference from any seed", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (seed) => {
        const reference = new Reference(BigInt(seed));
        expect(take(new Random(seed), 40)).toEqual(Array.from({ length: 40 }, () => reference.next()));
      }),
    );
  });

  it("goes on from a saved state", () => {
    const random = new Random(5);
    take(random, 3);
    const state = random.state();
    expect(take(Random.from(state), 9)).toEqual(take(random, 9));
    expect(() => Random.from([0, 0, 0, 0])).toThrow(InputError);
  });

  it("refuses a seed that is not whole", () => {
    for (const seed of [0.5, Number.NaN, Infinity, 9007199254740992])
      expect(() => new Random(seed)).toThrow(InputError);
    expect(() => new Random(1.5)).toThrow(new InputError("seed 1.5: a seed is a whole number below 2^53"));
    expect(take(new Random(-1), 4)).toEqual(take(new Random(0xffffffffffffffffn), 4));
  });
});

describe("a jump", () => {
  it("is 2^64 steps", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (seed) => {
        const random = new Random(seed);
        const expected = stateAfterJump(random.state());
        random.jump();
        expect([...random.state()]).toEqual(expected);
      }),
      { numRuns: 3 },
    );
  });

  it("makes stream k the k-th jump from the seed", () => {
    const random = new Random(42);
    for (let stream = 0; stream < 4; stream++) {
      expect([...streamOf(42, stream).state()]).toEqual([...random.state()]);
      random.jump();
    }
  });
});

describe("named streams", () => {
  it("depend on the name and the seed and on nothing else", () => {
    const streams = ["churn", "ramp", "churn2", "", "hcurn"].flatMap((name) =>
      [0, 1, 2, -1].map((seed) => randomFor(name, seed)),
    );
    const first = streams.map((random) => take(random, 4).join());
    expect(new Set(first).size).toBe(20);
    expect(take(randomFor("churn", 0), 4).join()).toBe(first[0]);
  });

  it("are these, on every version of Node", () => {
    expect(take(randomFor("churn", 1), 3)).toEqual([3676167963, 1502986743, 1770379522]);
    expect([randomFor("ramp", 2).double(), randomFor("ramp", 2).below(1000000)]).toEqual([0.44762499019313595, 447624]);
  });
});

describe("draws", () => {
  it("from an interval are what exact arithmetic makes of the words", () => {
    const n = fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 4294967296 }),
      fc.integer({ min: 4294960000, max: 4294967296 }),
    );
    fc.assert(
      fc.property(n, fc.nat(), (n, seed) => {
        const words = new Random(seed);
        const surplus = (1n << 32n) % BigInt(n);
        let product = BigInt(words.u32()) * BigInt(n);
        while ((product & MASK) < surplus) product = BigInt(words.u32()) * BigInt(n);
        const random = new Random(seed);
        expect(random.below(n)).toBe(Number(product >> 32n));
        expect([...random.state()]).toEqual([...words.state()]);
      }),
      { numRuns: 1000 },
    );
  });

  it("stay inside and reach both ends", () => {
    const random = new Random(3);
    const seen = new Set(Array.from({ length: 200 }, () => random.between(-2, 3)));
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
    const wide = Array.from({ length: 2000 }, () => random.below(4294967297 * 3));
    expect(wide.every((x) => Number.isInteger(x) && x >= 0 && x < 4294967297 * 3)).toBe(true);
    expect(Math.max(...wide)).toBeGreaterThan(4294967297 * 2.9);
    expect([random.below(1), random.between(7, 7)]).toEqual([0, 7]);
  });

  it("from no interval are refused", () => {
    const random = new Random(3);
    for (const n of [0, -1, Number.NaN, 9007199254740994, Infinity]) expect(() => random.below(n)).toThrow(InputError);
    expect(() => random.between(2, 1)).toThrow(InputError);
  });

  it("are uniform: words bit by bit, intervals, doubles and pairs by chi square", () => {
    const random = new Random(2024);
    const draws = 200000;
    const ones = new Array<number>(32).fill(0);
    for (let i = 0; i < draws; i++)
      for (let word = random.u32(), bit = 0; word !== 0; word >>>= 1, bit++) ones[bit] += word & 1;
    // 5 standard deviations of a binomial count
    for (const count of ones) expect(Math.abs(count - draws / 2)).toBeLessThan(5 * Math.sqrt(draws / 4));
    const binned = (bins: number, draw: () => number): number => {
      const counts = new Array<number>(bins).fill(0);
      for (let i = 0; i < draws; i++) counts[draw()]++;
      return chiSquare(counts);
    };
    // The 0.1 % and 99.9 % points of chi square with 99 and 9 degrees of freedom
    const cases: [number, () => number][] = [
      [100, () => random.below(100)],
      [100, () => Math.floor(random.double() * 100)],
      [100, () => random.below(10) * 10 + random.below(10)],
      [100, () => Math.floor(random.below(8589934592) / 85899346)],
      [100, () => random.between(5, 104) - 5],
    ];
    for (const [bins, draw] of cases) {
      const statistic = binned(bins, draw);
      expect(statistic).toBeGreaterThan(60.0);
      expect(statistic).toBeLessThan(148.2);
    }
  });

  it("of doubles are multiples of 2^-53 below 1", () => {
    const random = new Random(1);
    for (let i = 0; i < 10000; i++) {
      const x = random.double();
      expect(x >= 0 && x < 1 && Number.isInteger(x * 9007199254740992)).toBe(true);
    }
  });
});
