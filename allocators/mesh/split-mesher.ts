import type { Random } from "../../memory/random.js";

/** Half of the candidates at most: kMaxSplitListSize. */
const LONGEST = 16384;

function shuffle(list: Int32Array, random: Random): void {
  for (let i = list.length - 1; i > 0; i--) {
    const other = random.below(i + 1);
    const one = list[i];
    list[i] = list[other];
    list[other] = one;
  }
}

/** Pairs found, and how many pairs were compared. */
export interface Pairs {
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly compared: number;
}

/**
 * SplitMesher (PLDI 2019, section 3.3; meshing.h: halfSplit, shiftedSplitting): deals the candidates into two halves,
 * shuffles both, and compares each of the left with `probes` of the right, from its own position on. A pair that fits is
 * out of the search. Finds at least n (1 - e^-2k) / 4 pairs on average, k = probes * the chance that two fit.
 */
export function splitMesher(
  candidates: readonly number[],
  fits: (a: number, b: number) => boolean,
  random: Random,
  probes: number,
  mostPairs: number,
): Pairs {
  const dealt = Math.min(candidates.length, 2 * LONGEST);
  const left = Int32Array.from({ length: Math.ceil(dealt / 2) }, (_, i) => candidates[2 * i]);
  const right = Int32Array.from({ length: Math.floor(dealt / 2) }, (_, i) => candidates[2 * i + 1]);
  shuffle(left, random);
  shuffle(right, random);
  const limit = Math.min(probes, right.length);
  const found = { left: [] as number[], right: [] as number[], compared: 0 };
  for (let j = 0; j < left.length && found.left.length < mostPairs; j++) {
    for (let i = 0, at = j % Math.max(1, right.length); i < limit; i++, at = at + 1 === right.length ? 0 : at + 1) {
      if (right[at] < 0) continue;
      found.compared++;
      if (!fits(left[j], right[at])) continue;
      found.left.push(left[j]);
      found.right.push(right[at]);
      right[at] = -1;
      break;
    }
  }
  return found;
}
