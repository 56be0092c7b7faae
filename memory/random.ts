/**
 * Random numbers that are the same bits on every Node version and every machine: xoshiro128** 1.1 (Blackman & Vigna,
 * "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021), seeded by SplitMix64 (Steele, Lea & Flood,
 * OOPSLA 2014) as its authors advise.
 */
import { InputError } from "./errors.js";

const TWO32 = 4294967296;
const TWO53 = 9007199254740992;
const MASK64 = 0xffffffffffffffffn;

/** The polynomial x^(2^64) modulo the characteristic polynomial of xoshiro128, in 32-bit words, lowest first. */
const JUMP = [0x8764000b, 0xf542d2d3, 0x6fa035c3, 0x77f2db5b] as const;

/** The output function of SplitMix64: a bijection of 64-bit words. */
function mix64(word: bigint): bigint {
  let z = word & MASK64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
  return z ^ (z >> 31n);
}

/** FNV-1a over the UTF-16 code units. */
function hashOf(name: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < name.length; i++) hash = ((hash ^ BigInt(name.charCodeAt(i))) * 0x100000001b3n) & MASK64;
  return hash;
}

function wordOf(seed: number): bigint {
  if (!Number.isSafeInteger(seed)) throw new InputError(`seed ${seed}: a seed is a whole number below 2^53`);
  return BigInt.asUintN(64, BigInt(seed));
}

/** A stream of random numbers, wholly determined by its seed. Not for secrets. */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  /**
   * `seed` is a whole number below 2^53 in magnitude, or a 64-bit word; different seeds give unrelated streams. Throws
   * an `InputError` for a number that is not whole.
   */
  constructor(seed: number | bigint) {
    const start = typeof seed === "bigint" ? seed : wordOf(seed);
    const low = mix64(start + 0x9e3779b97f4a7c15n);
    const high = mix64(start + 0x3c6ef372fe94f82an);
    this.a = Number(low & 0xffffffffn) | 0;
    this.b = Number(low >> 32n) | 0;
    this.c = Number(high & 0xffffffffn) | 0;
    this.d = Number(high >> 32n) | 0;
  }

  /** The generator that goes on from a `state()`. The four words must not all be 0. */
  static from(state: ArrayLike<number>): Random {
    const random = new Random(0);
    random.a = state[0] | 0;
    random.b = state[1] | 0;
    random.c = state[2] | 0;
    random.d = state[3] | 0;
    if ((random.a | random.b | random.c | random.d) === 0)
      throw new InputError("a random state of zeros yields only 0");
    return random;
  }

  /** The four words of state, as in the C code. */
  state(): Uint32Array {
    return Uint32Array.of(this.a, this.b, this.c, this.d);
  }

  /** A whole number in [0, 2^32). */
  u32(): number {
    const b = this.b;
    const x = Math.imul(b, 5);
    this.c ^= this.a;
    this.d ^= b;
    this.b = b ^ this.c;
    this.a ^= this.d;
    this.c ^= b << 9;
    this.d = (this.d << 11) | (this.d >>> 21);
    return Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
  }

  /** A multiple of 2^-53 in [0, 1), each equally likely. */
  double(): number {
    const high = this.u32() >>> 5;
    return (high * 67108864 + (this.u32() >>> 6)) * (1 / TWO53);
  }

  /** A whole number in [0, n), each equally likely; an `InputError` unless `n` is from 1 to 2^53. */
  below(n: number): number {
    return n >= 1 && n <= TWO32 ? this.belowWord(n) : this.belowWide(n);
  }

  /** A whole number from `a` to `b`, both included, each equally likely. */
  between(a: number, b: number): number {
    return a + this.below(b - a + 1);
  }

  /** Steps 2^64 times: 2^64 such jumps give as many streams that do not overlap. */
  jump(): void {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (const word of JUMP) {
      for (let bit = 0; bit < 32; bit++) {
        if (((word >>> bit) & 1) !== 0) {
          a ^= this.a;
          b ^= this.b;
          c ^= this.c;
          d ^= this.d;
        }
        this.u32();
      }
    }
    this.a = a;
    this.b = b;
    this.c = c;
    this.d = d;
  }

  /**
   * Lemire, "Fast random integer generation in an interval", ACM TOMACS 29(1), 2019: the high word of u32 * n, redrawn
   * where the low word lies in the surplus. The product has up to 64 bits, so it is made of two halves of n, which
   * doubles hold exactly.
   */
  private belowWord(n: number): number {
    for (;;) {
      const x = this.u32();
      const low = Math.imul(x, n) >>> 0;
      if (low >= n || low >= TWO32 % n) {
        const upper = Math.floor(n / 65536);
        const lower = n - upper * 65536;
        return Math.floor((x * upper + Math.floor((x * lower) / 65536)) / 65536);
      }
    }
  }

  private belowWide(n: number): number {
    if (!(n > TWO32 && n <= TWO53)) throw new InputError(`random below ${n}: the bound must be from 1 to 2^53`);
    const end = TWO53 - (TWO53 % n);
    for (;;) {
      const x = (this.u32() >>> 5) * 67108864 + (this.u32() >>> 6);
      if (x < end) return x % n;
    }
  }
}

/** The stream that is `stream` jumps of 2^64 steps away from the start of `seed`: streams of one seed never overlap. */
export function streamOf(seed: number, stream: number): Random {
  const random = new Random(seed);
  for (let i = 0; i < stream; i++) random.jump();
  return random;
}

/** The stream of its own that belongs to a name and a seed, whatever else is drawn and in whatever order. */
export function randomFor(name: string, seed: number): Random {
  return new Random(hashOf(name) ^ mix64(wordOf(seed)));
}
