import type { Ref } from "../allocator.js";
import { UNIT as BYTES_PER_UNIT } from "./heap-pages.js";

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const UNIT = BYTES_PER_UNIT;

/**
 * The state of a table entry, 32 bits. The low 20 are its generation. Of an object of at most 512 bytes that is nothing
 * special, 5 bits for the units of its block and 6 for the bytes of payload that the program did not ask for follow. Of every
 * other, which is WIDE, two flags and the alignment code, and the sizes and pins are in a record of its own; of a free
 * entry only whether it is worn out.
 */
export const WIDE: number = 1 << 20;
export const GENERATION: number = WIDE - 1;
export const PINNED: number = WIDE | (1 << 21);
/** Freed while pinned. */
export const DOOMED: number = WIDE | (1 << 22);
export const CODE_SHIFT = 23;
export const WORN: number = 1 << 21;

const UNITS_SHIFT = 21;
const UNITS_MASK = 31;
const SLACK_SHIFT = 26;
const MAX_SLACK = 63;
/** Every block has these. */
const LEAST_UNITS = 2;
const MAX_UNITS = UNITS_MASK + LEAST_UNITS;
const UNIT_BITS = 4;

/** Bytes of payload that the program did not ask for, of a block of `units`. */
export function slackOf(units: number, asked: number): number {
  return ((units << UNIT_BITS) - UNIT - asked) | 0;
}

/** Whether a state has room for the units of a block and its slack. */
export function isNarrow(units: number, slack: number): boolean {
  return units <= MAX_UNITS && slack <= MAX_SLACK;
}

/** They as bits of a state. */
export function narrowOf(units: number, slack: number): number {
  return ((units - LEAST_UNITS) << UNITS_SHIFT) | (slack << SLACK_SHIFT);
}

/** Units of the block, from a state that is not wide. */
export function unitsIn(state: number): number {
  return (((state >>> UNITS_SHIFT) & UNITS_MASK) + LEAST_UNITS) | 0;
}

/** Bytes that the program asked for, from a state that is not wide. */
export function askedIn(state: number): number {
  return (((state >>> UNITS_SHIFT) & UNITS_MASK) + LEAST_UNITS - 1) * UNIT - (state >>> SLACK_SHIFT);
}

/** Refs step by this from one generation of an entry to the next. */
export const GENERATION_STEP = 0x100000000;
export const PER_GENERATION: number = 1 / GENERATION_STEP;

/** The entry that a ref names. */
export function entryOf(ref: Ref): number {
  return ((ref | 0) - 1) | 0;
}
