import type { Ref } from "../allocator.js";
import { type Layout, layoutOf } from "../sequential-fit/layout.js";

/** Blocks are what the program gets, in granules of 16 bytes, and the first is at position 0. */
export const layout: Layout = { ...layoutOf("none", 16), lead: 0 };
const { granule, perGranule } = layout;
export const GRANULE = granule;
export const PER_GRANULE = perGranule;

/** Positions and sizes are in granules from the base of the heap. */
export interface Manager {
  /** End of the highest block. */
  readonly top: number;
  /** Whether it would move blocks first, if it could, to serve this request. */
  wantsToMove(need: number): boolean;
  /** Takes `need` granules at a multiple of 2^step granules; -1 without memory. */
  place(need: number, step: number): number;
  release(at: number, size: number): void;
  /** Moves blocks for a request of `need` granules, at most `budget` and one block less; returns what was moved. */
  move(need: number, budget: number, moved: Moved): number;
}

/** Told of each move: entry, where from, where to, granules. */
export type Moved = (entry: number, from: number, to: number, size: number) => void;

/** A ref is an entry and 1, since 0 is no ref. */
export const refOf = (entry: number): Ref => (entry + 1) as Ref;
export const entryOf = (ref: Ref): number => ref - 1;

/** The first position from `at` on at which an address is a multiple of 2^step granules. */
export function aligned(base: number, at: number, step: number): number {
  if (step === 0) return at;
  const unit = (1 << step) * GRANULE;
  return (Math.ceil((base + at * GRANULE) / unit) * unit - base) * PER_GRANULE;
}
