/** Sizes of the synthetic workload, around a `size` that a phase may shift. */

import { power } from "../../memory/exact-math.js";
import { type Distribution, histogram, logNormal, mixture, point, uniform } from "../distributions.js";
import { cutProfile, profileNamed, type SizeProfile } from "../profiles/profiles.js";

export const sizeKinds = ["point", "uniform", "log-normal", "bimodal", "observed", "zipf"] as const;
export type SizeKind = (typeof sizeKinds)[number];

export interface SizeOptions {
  sizes: SizeKind;
  size: number;
  sigma: number;
  zipf: number;
  observed: string;
}

/** Sizes of log-normal parts lie within this factor of their median. */
const REACH = 16;
/** The second mode of `bimodal` is this many times the first, and one block in ten has it. */
const FAR = 32;
const FAR_SHARE = 0.1;
/** Sizes of observed mixes end here, so that no block is as large as the heap. */
const LARGEST_OBSERVED = 65_536;

function logNormalAbout(median: number, sigma: number): Distribution {
  const centre = Math.max(1, Math.round(median));
  return logNormal(centre, sigma, Math.max(1, Math.floor(centre / REACH)), centre * REACH);
}

function observedProfile(name: string): SizeProfile {
  return cutProfile(profileNamed("tcmalloc", name), LARGEST_OBSERVED);
}

/** Multiplies drawn sizes, which stay at least 1. */
function scaled(inner: Distribution, factor: number): Distribution {
  return factor === 1 ? inner : { draw: (random) => Math.max(1, Math.round(inner.draw(random) * factor)) };
}

/** Zipf's law over the sizes of a profile, the most frequent first; of two equally frequent ones the smaller. */
function zipfOver(profile: SizeProfile, exponent: number): Distribution {
  const ranks = Array.from(profile.sizes, (_, i) => i).sort((a, b) => profile.rates[b] - profile.rates[a] || a - b);
  return histogram(
    ranks.map((i) => profile.sizes[i]),
    ranks.map((_, rank) => power(rank + 1, -exponent)),
  );
}

/**
 * The distribution of sizes when all are `factor` times as large as usual. `size` is the value of `point`, the mean of
 * `uniform` and the median of `log-normal` and of the lower mode of `bimodal`; the observed mixes have sizes of their own.
 */
export function sizesOf(given: SizeOptions, factor: number): Distribution {
  const size = Math.max(1, Math.round(given.size * factor));
  switch (given.sizes) {
    case "point":
      return point(size);
    case "uniform":
      return uniform(1, 2 * size - 1);
    case "log-normal":
      return logNormalAbout(size, given.sigma);
    case "bimodal":
      return mixture([
        [1 - FAR_SHARE, logNormalAbout(size, given.sigma)],
        [FAR_SHARE, logNormalAbout(FAR * size, given.sigma)],
      ]);
    case "observed": {
      const { sizes, rates } = observedProfile(given.observed);
      return scaled(histogram(sizes, rates), factor);
    }
    case "zipf":
      return scaled(zipfOver(observedProfile(given.observed), given.zipf), factor);
  }
}
