import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ceilPowerOfTwo, exp, isPowerOfTwo, ln, log2, log2Floor, power } from "./exact-math.js";

// The reference: fixed point with 1400 bits behind the point, enough for the least double and for 60 digits of it.
const POINT = 1400n;
const ONE = 1n << POINT;

/** A finite double, exactly. */
function fixed(x: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const word = view.getBigUint64(0);
  const biased = (word >> 52n) & 2047n;
  const mantissa = (word & 0xfffffffffffffn) | (biased === 0n ? 0n : 1n << 52n);
  const shift = POINT - 1075n + (biased === 0n ? 1n : biased);
  const magnitude = shift >= 0n ? mantissa << shift : mantissa >> -shift;
  return x < 0 ? -magnitude : magnitude;
}

function times(a: bigint, b: bigint): bigint {
  return (a * b) >> POINT;
}

function atanhSeries(s: bigint): bigint {
  let sum = 0n;
  let term = s;
  for (let k = 1n; term !== 0n && term !== -1n; k += 2n) {
    sum += term / k;
    term = times(times(term, s), s);
  }
  return sum;
}

const LN2 = 2n * atanhSeries(ONE / 3n);

function lnExactly(x: number): bigint {
  let m = fixed(x);
  let exponent = BigInt(m.toString(2).length) - POINT - 1n;
  m = exponent >= 0n ? m >> exponent : m << -exponent;
  if (m > (3n * ONE) / 2n) {
    m >>= 1n;
    exponent++;
  }
  return exponent * LN2 + 2n * atanhSeries(((m - ONE) << POINT) / (m + ONE));
}

function expExactly(x: bigint): bigint {
  const k = x / LN2;
  const r = x - k * LN2;
  let sum = 0n;
  let term = ONE;
  for (let n = 1n; term !== 0n && term !== -1n; n++) {
    sum += term;
    term = times(term, r) / n;
  }
  return k >= 0n ? sum << k : sum >> -k;
}

/** How far a result is off, in units of its last place: the step from its magnitude to the next double. */
function ulpsOff(got: number, exactly: bigint): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, Math.abs(got));
  view.setBigUint64(0, view.getBigUint64(0) + 1n);
  const ulp = fixed(view.getFloat64(0)) - fixed(Math.abs(got));
  const off = fixed(got) - exactly;
  return Number(((off < 0n ? -off : off) * 1000n) / ulp) / 1000;
}

const positive = fc.double({ min: Number.MIN_VALUE, max: Number.MAX_VALUE, noNaN: true, noDefaultInfinity: true });
const near = (a: number, b: number): fc.Arbitrary<number> => fc.double({ min: a, max: b, noNaN: true });

describe("exp", () => {
  it("is within 0.7 ulp of the exact value, 0.8 where it is subnormal", () => {
    const x = fc.oneof(near(-745.1, 709.7), near(-40, 40), near(-1, 1), near(-745.1, -708));
    fc.assert(
      fc.property(x, (x) => {
        const bound = x < -708.3 ? 0.8 : 0.7;
        expect(ulpsOff(exp(x), expExactly(fixed(x)))).toBeLessThan(bound);
      }),
      { numRuns: 1500 },
    );
  });

  it("is within 2 ulp of Math.exp", () => {
    let worst = 0;
    for (let x = -700; x < 700; x += 0.0371) worst = Math.max(worst, Math.abs(exp(x) / Math.exp(x) - 1));
    expect(worst).toBeLessThan(4.5e-16);
  });

  it("is exact where the value is, and saturates where a double does", () => {
    expect([exp(0), exp(-0), exp(1), exp(-1)]).toEqual([1, 1, Math.E, 1 / Math.E]);
    expect([exp(Infinity), exp(-Infinity), exp(Number.NaN)]).toEqual([Infinity, 0, Number.NaN]);
    expect([exp(709.782712893384), exp(709.7827128933841)]).toEqual([1.7976931348622732e308, Infinity]);
    expect([exp(-745.1332191019411), exp(-745.1332191019412), exp(-745.14)]).toEqual([5e-324, 0, 0]);
  });
});

describe("ln and log2", () => {
  it("are within 0.51 ulp of the exact value, for subnormal numbers and next to 1 too", () => {
    const x = fc.oneof(positive, near(0.5, 2), near(0.999, 1.001), near(5e-324, 3e-308), near(1, 1e9));
    const property = fc.property(x, (x) => {
      const exactly = lnExactly(x);
      expect(ulpsOff(ln(x), exactly)).toBeLessThan(0.51);
      expect(ulpsOff(log2(x), (exactly << POINT) / LN2)).toBeLessThan(0.51);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it("agree with Math.log to 2 ulp", () => {
    let worst = 0;
    for (let x = 1e-9; x < 1e300; x *= 1.0037) worst = Math.max(worst, Math.abs(ln(x) / Math.log(x) - 1));
    expect(worst).toBeLessThan(4.5e-16);
  });

  it("have the special values of the standard", () => {
    for (const f of [ln, log2]) {
      expect([f(0), f(-0), f(-1), f(Infinity), f(-Infinity), f(Number.NaN)]).toEqual([
        -Infinity,
        -Infinity,
        Number.NaN,
        Infinity,
        Number.NaN,
        Number.NaN,
      ]);
      expect(f(1)).toBe(0);
    }
    expect(ln(Math.E)).toBe(1);
  });

  it("never fall where x grows", () => {
    fc.assert(
      fc.property(positive, positive, (a, b) => {
        expect(ln(Math.min(a, b))).toBeLessThanOrEqual(ln(Math.max(a, b)));
      }),
    );
  });
});

/** 2^k, by doubling or halving. */
function twoToThe(k: number): number {
  let result = 1;
  for (let i = 0; i < Math.abs(k); i++) result = k > 0 ? result * 2 : result / 2;
  return result;
}

describe("power", () => {
  it("is within 0.75 ulp of the exact value where results are ordinary, within 2 anywhere", () => {
    const exponent = fc.oneof(near(-3, 3), near(-40, 40), near(-1100, 1100));
    const property = fc.property(fc.oneof(positive, near(0.01, 100), near(0.7, 1.42)), exponent, (base, y) => {
      const logarithm = times(fixed(y), lnExactly(base));
      const rough = Number(logarithm >> (POINT - 20n)) / 1048576;
      fc.pre(Math.abs(rough) < 700);
      expect(ulpsOff(power(base, y), expExactly(logarithm))).toBeLessThan(Math.abs(rough) < 45 ? 0.75 : 2);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  it("is exact for whole powers of whole numbers up to 2^53", () => {
    for (let base = 2; base <= 60; base++) {
      let expected = 1;
      for (let n = 0; expected <= Number.MAX_SAFE_INTEGER; n++, expected *= base) {
        expect(power(base, n)).toBe(expected);
        expect(power(-base, n)).toBe(n % 2 === 0 ? expected : -expected);
      }
    }
  });

  it("is exact for all powers of two, and inverts them", () => {
    for (let k = -1074; k <= 1023; k++) expect(power(2, k)).toBe(twoToThe(k));
    for (let k = -1022; k <= 1022; k++) expect([power(0.5, k), log2(twoToThe(k))]).toEqual([twoToThe(-k), k]);
    expect([power(2, 1024), power(2, -1075), power(2, 1e300), power(0.5, 1e300)]).toEqual([Infinity, 0, Infinity, 0]);
  });

  it("squares and takes roots as the machine does", () => {
    fc.assert(
      fc.property(near(0, 1e150), (x) => {
        expect([power(x, 2), power(x, 0.5), power(x, 1)]).toEqual([x * x, Math.sqrt(x), x]);
      }),
    );
  });

  it("has the special values of Math.pow", () => {
    const values = [
      0,
      -0,
      1,
      -1,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      1.5,
      -1.5,
      7,
      1e300,
      -1e300,
      Infinity,
      -Infinity,
      Number.NaN,
    ];
    for (const base of values) {
      for (const y of values) {
        // biome-ignore lint/nursery/noJsRestrictedProperties: special values do not differ between versions
        const expected = Math.pow(base, y);
        const got = power(base, y);
        if (Number.isFinite(expected) && expected !== 0) expect(Math.abs(got / expected - 1)).toBeLessThan(1e-15);
        else expect([base, y, got]).toEqual([base, y, expected]);
      }
    }
  });
});

describe("whole logarithms", () => {
  it("bracket a number between two powers of two", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.integer({ min: 1, max: 70000 }),
          fc.maxSafeNat().map((n) => n + 1),
        ),
        (n) => {
          const floor = twoToThe(log2Floor(n));
          expect(floor <= n && n < floor * 2).toBe(true);
          const ceil = ceilPowerOfTwo(n);
          expect(ceil >= n && ceil / 2 < n && twoToThe(log2Floor(ceil)) === ceil).toBe(true);
          expect(isPowerOfTwo(n)).toBe(floor === n);
        },
      ),
      { numRuns: 1000 },
    );
    for (let k = 0; k <= 53; k++) {
      const n = twoToThe(k);
      expect([log2Floor(n), ceilPowerOfTwo(n), isPowerOfTwo(n)]).toEqual([k, n, true]);
      if (k > 1) expect([log2Floor(n - 1), ceilPowerOfTwo(n - 1), isPowerOfTwo(n - 1)]).toEqual([k - 1, n, false]);
      if (k > 1 && k < 53)
        expect([log2Floor(n + 1), ceilPowerOfTwo(n + 1), isPowerOfTwo(n + 1)]).toEqual([k, n * 2, false]);
    }
  });

  it("call nothing else a power of two", () => {
    expect([0, -2, 0.5, 1.5, 6, Number.NaN, Infinity, 18014398509481984].map(isPowerOfTwo)).toEqual(
      Array(8).fill(false),
    );
  });
});

describe("bits", () => {
  it("are these, on every version of Node", () => {
    const hex = (x: number): string => Buffer.from(new Float64Array([x]).buffer).toString("hex");
    let sum = 0;
    for (let i = 1; i <= 20000; i++) sum += exp(-i / 1777) + ln(i / 3) + power(i, -1.1) + log2(i);
    expect(hex(sum)).toBe("2e0055282e511941");
  });
});
