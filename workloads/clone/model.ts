/** A generator fitted to a trace: what `cloneOf` draws from. Plain data without order, names or sites of the original. */

/**
 * When something happens to a block: from 0 up, in the phase of its birth, the step (`lifeStep`) of the births since its own;
 * below 0, in the later phase `-1 - when`; Infinity, never.
 */
export type When = number;

/** What becomes of a block: its reallocations in order, with the new sizes, and its end. */
export interface Fate {
  readonly moves: readonly (readonly [when: When, size: number])[];
  readonly end: When;
}

/** Something with the number of times that it occurs. */
export type Counted<Thing> = readonly (readonly [Thing, number])[];

/** One of the equal stretches that the events are cut into. */
export interface ModelPhase {
  /** Sizes of allocations. */
  readonly sizes: Counted<number>;
  /** For each class of sizes (`classOf`), what becomes of the blocks. */
  readonly fates: ReadonlyMap<number, Counted<Fate>>;
}

export interface CloneModel {
  readonly phases: readonly ModelPhase[];
  /** Numbers in it: sizes and fates that differ, and the reallocations of those fates. */
  readonly parameters: number;
}

/** Class of a size: four for each doubling, so that lifetimes may depend on the size. */
export function classOf(size: number): number {
  return stepOf(size, 4);
}

/** Step of a lifetime in births: 16 for each doubling. */
export function lifeStep(births: number): number {
  return stepOf(births, 16);
}

/** The least whole number of a lifetime's step, and the least of the next. */
export function lifeBounds(step: number): { readonly low: number; readonly high: number } {
  const start = (one: number): number => {
    if (one < 16) return one;
    let power = 1;
    for (let doublings = Math.floor(one / 16) - 1; doublings > 0; doublings--) power *= 2;
    return (16 + (one % 16)) * power;
  };
  return { low: start(step), high: start(step + 1) };
}

/** Index of a geometric step: whole numbers below `steps` have one each, then there are `steps` for each doubling. */
function stepOf(value: number, steps: number): number {
  let doublings = 0;
  let rest = value;
  while (rest >= 2 * steps) {
    rest /= 2;
    doublings++;
  }
  return Math.floor(rest) + doublings * steps;
}
