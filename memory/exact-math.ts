/**
 * Elementary functions with the same bits on every Node version and machine: only + - * / and square roots, which IEEE
 * 754 rounds exactly. `Math.exp`, `Math.log` and powers differ between versions of V8 (docs/limits.md).
 *
 * They work in double-double where it counts: a value is an unevaluated sum of a double and a small correction (Dekker,
 * "A floating-point technique for extending the available precision", Numer. Math. 18, 1971). The errors stated are
 * bounds that no argument tried has reached; the tests compare with exact arithmetic.
 */

/** ln 2 as a sum: 42 bits, so that products with an exponent are exact, and the rest. */
const LN2_HIGH = 0.6931471805598903;
const LN2_LOW = 5.497923018708371e-14;
/** 1 / ln 2 as a sum. */
const PER_LN2 = Math.LOG2E;
const PER_LN2_LOW = 2.0355273740931033e-17;

/** 2/3 as a sum. */
const TWO_THIRDS = 2 / 3;
const TWO_THIRDS_LOW = 3.700743415417188e-17;

const LEAST_NORMAL = 2.2250738585072014e-308;
const TWO32 = 4294967296;
const TWO53 = 9007199254740992;
const TWO54 = 18014398509481984;

/** Beyond these exp is Infinity and 0: 1024 ln 2, and ln of half the least subnormal number. */
const OVERFLOW = 709.782712893384;
const UNDERFLOW = -745.1332191019412;

const bits = new DataView(new ArrayBuffer(8));

/** 2^(i - 1074) at each i: all powers of two that doubles hold. */
const powersOfTwo = new Float64Array(2098);
for (let i = 0, value = Number.MIN_VALUE; i < powersOfTwo.length; i++, value *= 2) powersOfTwo[i] = value;

/** 2^n for n from -1074 to 1023. */
function twoTo(n: number): number {
  return powersOfTwo[n + 1074];
}

/** Upper half of the bits of a double (Veltkamp): products of two halves are exact. |x| < 2^996. */
function upperHalf(x: number): number {
  const wide = x * 134217729;
  return wide - (wide - x);
}

/** What rounding took from the product `rounded` = a * b, exactly (Dekker). */
function productError(a: number, b: number, rounded: number): number {
  const a1 = upperHalf(a);
  const b1 = upperHalf(b);
  const a2 = a - a1;
  const b2 = b - b1;
  return a2 * b2 - (rounded - a1 * b1 - a2 * b1 - a1 * b2);
}

/** Low part of the last `lnParts`. A module variable, since a pair would be allocated for each call. */
let lnLow = 0;

/**
 * ln of a positive finite number: returns the high part and leaves the low part in `lnLow`; the sum has a relative
 * error below 2^-62. With x = m 2^e, 1/sqrt 2 <= m < sqrt 2 and s = (m - 1)/(m + 1): ln x = e ln 2 + 2 (s + s^3/3 +
 * s^5/5 + ...), |s| < 0.172. The terms in s and s^3 are in double-double.
 */
function lnParts(x: number): number {
  const normal = x < LEAST_NORMAL ? x * TWO54 : x;
  bits.setFloat64(0, normal);
  const biased = bits.getUint32(0) >>> 20;
  const fraction = normal * twoTo(1023 - biased);
  const halved = fraction > Math.SQRT2;
  const exponent = biased - (normal === x ? 1023 : 1077) + (halved ? 1 : 0);
  const f = (halved ? fraction * 0.5 : fraction) - 1;

  const divisor = 2 + f;
  const s = f / divisor;
  const product = s * divisor;
  const sLow = (f - product - productError(s, divisor, product) - s * (f - (divisor - 2))) / divisor;
  const z = s * s;
  const zLow = productError(s, s, z) + 2 * s * sLow;
  const cube = s * z;
  const cubeLow = productError(s, z, cube) + s * zLow + sLow * z;
  const third = cube * TWO_THIRDS;
  const thirdLow = productError(cube, TWO_THIRDS, third) + cube * TWO_THIRDS_LOW + cubeLow * TWO_THIRDS;
  const far = 1 / 11 + z * (1 / 13 + z * (1 / 15 + z * (1 / 17 + z * (1 / 19 + z * (1 / 21 + z * (1 / 23))))));
  const higher = 2 * cube * z * (1 / 5 + z * (1 / 7 + z * (1 / 9 + z * far)));

  const whole = exponent * LN2_HIGH;
  const start = whole + 2 * s;
  const startLow = exponent === 0 ? 0 : 2 * s - (start - whole);
  const high = start + third;
  const low = third - (high - start) + startLow + (higher + thirdLow + 2 * sLow + exponent * LN2_LOW);
  const result = high + low;
  lnLow = low - (result - high);
  return result;
}

/** e^(x + low), |low| at most a few ulps of x. With x = k ln 2 + r, |r| <= 0.35: 2^k times the series of e^r. */
function expOfSum(x: number, low: number): number {
  if (x > OVERFLOW) return Infinity;
  if (x < UNDERFLOW) return 0;
  const k = Math.floor(x * PER_LN2 + 0.5);
  const high = x - k * LN2_HIGH;
  const shift = low - k * LN2_LOW;
  const r = high + shift;
  const rLow = high - r + shift;
  const far =
    1 / 40320 + r * (1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600 + r / 6227020800))));
  const near = 1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * far)))));
  const sum = 1 + r;
  const value = sum + (r - (sum - 1) + (rLow + rLow * r + r * r * near));
  const half = k >> 1;
  return value * twoTo(half) * twoTo(k - half);
}

/** e^x, within 0.7 ulp (0.8 where subnormal); Infinity from 709.79 up, 0 from -745.14 down. */
export function exp(x: number): number {
  return expOfSum(x, 0);
}

/** The natural logarithm, within 0.51 ulp; -Infinity for 0, NaN below 0. */
export function ln(x: number): number {
  if (x > 0 && x < Infinity) return lnParts(x);
  return x === 0 ? -Infinity : x > 0 ? x : Number.NaN;
}

/** The binary logarithm, within 0.51 ulp and exact for powers of two; -Infinity for 0, NaN below 0. */
export function log2(x: number): number {
  if (!(x > 0 && x < Infinity)) return ln(x);
  const high = lnParts(x);
  const low = lnLow;
  const product = high * PER_LN2;
  return product + (productError(high, PER_LN2, product) + (high * PER_LN2_LOW + low * PER_LN2));
}

/** base^exponent where both are whole and the result is below 2^53, hence exact; else NaN. */
function wholePower(base: number, exponent: number): number {
  let result = 1;
  for (let n = exponent, square = base; ; square *= square) {
    if (n % 2 === 1) result *= square;
    n = Math.floor(n / 2);
    if (n === 0) return Math.abs(result) <= TWO53 ? result : Number.NaN;
    if (Math.abs(square) > TWO53) return Number.NaN;
  }
}

/** base^exponent for a base above 0, as exp(exponent ln base) with the logarithm in double-double. */
function realPower(base: number, exponent: number): number {
  const high = lnParts(base);
  const low = lnLow;
  const product = exponent * high;
  if (product > 800) return Infinity;
  if (product < -800) return 0;
  return expOfSum(product, productError(exponent, high, product) + exponent * low);
}

/**
 * base^exponent, with the special values of `Math.pow`. Whole powers of whole numbers are exact up to 2^53 and powers
 * of two always; else within 0.75 ulp for results between 2^-64 and 2^64 and within 2 ulp beyond.
 */
export function power(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  if (exponent === 1) return base;
  if (Number.isNaN(base) || Number.isNaN(exponent)) return Number.NaN;
  const whole = Number.isInteger(exponent);
  const magnitude = Math.abs(base);
  if (!Number.isFinite(exponent)) return limitPower(magnitude, exponent);
  if (base < 0 && !whole && magnitude !== Infinity) return Number.NaN;
  const negative = (base < 0 || Object.is(base, -0)) && whole && Math.abs(exponent) % 2 === 1;
  return negative ? -positivePower(magnitude, exponent) : positivePower(magnitude, exponent);
}

/** base^±Infinity. */
function limitPower(base: number, exponent: number): number {
  if (base === 1) return Number.NaN;
  return base > 1 === exponent > 0 ? Infinity : 0;
}

/** base^exponent for a base from 0 to Infinity and a finite exponent that is not 0. */
function positivePower(base: number, exponent: number): number {
  if (base === 0 || base === Infinity) return (base === 0) === exponent > 0 ? 0 : Infinity;
  if (exponent === 0.5) return Math.sqrt(base);
  if (exponent === 2) return base * base;
  if (exponent > 0 && Number.isInteger(exponent) && Number.isInteger(base)) {
    const exact = wholePower(base, exponent);
    if (!Number.isNaN(exact)) return exact;
  }
  return realPower(base, exponent);
}

/** The largest k with 2^k <= n, for a whole number from 1 to 2^53. */
export function log2Floor(n: number): number {
  return n < TWO32 ? 31 - Math.clz32(n) : 63 - Math.clz32(n / TWO32);
}

/** The least power of two that is n or more, for a whole number from 1 to 2^53. */
export function ceilPowerOfTwo(n: number): number {
  return n <= 1 ? 1 : twoTo(log2Floor(n - 1) + 1);
}

/** Whether a number is 2^k for a whole k from 0 to 53. */
export function isPowerOfTwo(n: number): boolean {
  return n >= 1 && n <= TWO53 && Number.isInteger(n) && ceilPowerOfTwo(n) === n;
}
