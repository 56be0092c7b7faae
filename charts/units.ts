/**
 * Ticks that read well: bytes in powers of 1024, counts in powers of 1000, steps of 1, 2, 2.5 or 5. Vega's own ticks on
 * bytes are decimal, so they come out as 95.4 MiB, and its SI labels as 0M.
 */

/** Where an axis is labelled, and the text of each label without its unit. */
export interface Ticks {
  readonly values: readonly number[];
  readonly labels: readonly string[];
  /** Unit of the labels, "" where they carry it themselves. */
  readonly unit: string;
  /** Vega expression that gives the label of `datum.value`. */
  readonly expression: string;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const countUnits = ["", "k", "M", "G", "T", "P"];

/** The largest power of `base` that is at most `max` (the last of the units at most). */
function powerOf(max: number, base: number, units: readonly string[]): { scale: number; unit: string } {
  let scale = 1;
  let i = 0;
  while (i + 1 < units.length && max >= scale * base) {
    scale *= base;
    i++;
  }
  return { scale, unit: units[i] };
}

/** Steps that read well, in tenths. */
const mantissas = [10, 20, 25, 50];

/**
 * Multiples from 0 to `max` of the least good step of which at most `count` fit: 1, 2, 2.5 or 5 times a power of ten.
 * Each is the quotient of two integers, so 0.6 is not 0.6000000000000001. There are two at least, as no good step is
 * more than twice the one before.
 */
function multiples(max: number, count: number): number[] {
  const above = (max / (Math.max(1, Math.floor(count)) + 1)) * (1 + 1e-9);
  let multiplier = 1;
  let divisor = 10;
  while (10 * multiplier <= above) multiplier *= 10;
  while (above * divisor <= 10 && divisor < 1e9) divisor *= 10;
  const mantissa = mantissas.find((m) => (m * multiplier) / divisor > above) ?? 100;
  const step = mantissa * multiplier;
  const values: number[] = [];
  for (let i = 0; i * step <= max * divisor * (1 + 1e-9); i++) values.push((i * step) / divisor);
  return values;
}

/** Six digits: more than the eye can see in a chart, and a short spec. */
export const sixDigits = (value: number): number => Number(value.toPrecision(6));

/** A number as `format(x, '~r')` writes it: six digits, no exponent, no trailing zeros. */
const label = (value: number): string => String(sixDigits(value));

/** Ticks for bytes up to `max`, in the unit that suits it: "0", "20", "40" with the unit "MiB". */
export function byteTicks(max: number, count: number): Ticks {
  const { scale, unit } = powerOf(max, 1024, byteUnits);
  const values = multiples(max / scale, scale === 1 ? Math.min(count, max) : count);
  return {
    values: values.map((value) => value * scale),
    labels: values.map(label),
    unit,
    expression: `format(datum.value / ${scale}, '~r')`,
  };
}

/** Powers of two from 1 B, this far apart, labelled each with its unit. */
const byteSteps = [2, 4, 8, 32, 1024];

/** Ticks for a log axis of bytes from `low` to `high`: at most `count` powers of 2, 4, 8, 32 or 1024 (at least one). */
export function logByteTicks(low: number, high: number, count: number): Ticks {
  const powers = (step: number): number[] => {
    const values: number[] = [];
    for (let value = 1; value <= high; value *= step) if (value >= low) values.push(value);
    return values;
  };
  const sets = byteSteps.map(powers).filter((values) => values.length > 0);
  const values = sets.find((set) => set.length <= count) ?? [sets.at(-1)?.[0] ?? high];
  const labels = values.map((value) => {
    const { scale, unit } = powerOf(value, 1024, byteUnits);
    return `${label(value / scale)} ${unit}`;
  });
  const cases = byteUnits.map((unit, i) => {
    const scale = 1024 ** i;
    const text = `format(datum.value / ${scale}, '~r') + ' ${unit}'`;
    return i === byteUnits.length - 1 ? text : `datum.value < ${scale * 1024} ? ${text} : `;
  });
  return { values, labels, unit: "", expression: cases.join("") };
}

/** Ticks for a count up to `max`: "0", "200k", "400k". */
export function countTicks(max: number, count: number): Ticks {
  const { scale, unit } = powerOf(max, 1000, countUnits);
  const values = multiples(max / scale, scale === 1 ? Math.min(count, max) : count);
  return {
    values: values.map((value) => value * scale),
    labels: values.map((value) => (value === 0 ? "0" : label(value) + unit)),
    unit: "",
    expression: `datum.value === 0 ? '0' : format(datum.value / ${scale}, '~r') + '${unit}'`,
  };
}

/** Ticks for a percentage up to `max`. */
export function percentTicks(max: number, count: number): Ticks {
  const values = multiples(max, count);
  return { values, labels: values.map(label), unit: "%", expression: "format(datum.value, '~r')" };
}

/** Steps for a log axis of ratios, from the finest to whole powers of two. */
const ratioSteps: readonly (readonly number[])[] = [
  [0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1, 1.01, 1.02, 1.03, 1.04, 1.05, 1.06],
  [0.9, 0.95, 1, 1.05, 1.1],
  [1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3],
  [0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5],
  [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2],
  [0.25, 0.5, 1, 1.5, 2, 3, 4],
  [0.125, 0.25, 0.5, 1, 2, 4, 8, 16],
  [0.0625, 0.25, 1, 4, 16, 64],
  [0.015625, 0.125, 1, 8, 64, 512, 4096],
  [1, 32, 1024, 32768, 1048576],
];

/**
 * Ticks for a log axis of ratios from `low` to `high`, with 1 among them: the set with the most ticks in which
 * neighbours differ at least by the factor `apart`.
 */
export function ratioTicks(low: number, high: number, apart: number): Ticks {
  const candidates = ratioSteps
    .filter((steps) => high <= (steps[0] > 0.85 && steps[0] < 1 ? 1 : 1.3) * (steps.at(-1) ?? 1))
    .map((steps) => steps.filter((value) => value >= low && value <= high))
    .filter((values) => values.every((value, i) => i === 0 || value >= values[i - 1] * apart));
  const values = candidates.reduce((best, set) => (set.length > best.length ? set : best), [1]);
  return { values, labels: values.map(label), unit: "", expression: "format(datum.value, '~r')" };
}

/** The factor that lies `distance` px apart on a log axis of `length` px from `low` to `high`. */
export function factorApart(low: number, high: number, distance: number, length: number): number {
  return Math.exp((Math.log(high / low) * distance) / length);
}
