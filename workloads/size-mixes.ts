/** Named mixes of block sizes that workloads offer as an option. */
import { type Distribution, histogram, logNormal, logUniform, mixture, point, uniform } from "./distributions.js";

const mixes = {
  /** The classical synthetic load (Shore 1975, and Knuth 2.5 with other bounds). */
  uniform: () => uniform(1, 100),
  /** One size: no external fragmentation is possible. */
  fixed: () => point(64),
  /** Small objects of a dynamic language: 1 to 512 bytes, the range of pymalloc. */
  small: () => logNormal(64, 0.9, 1, 512),
  /** Two modes far apart: nodes and their buffers. */
  bimodal: () =>
    mixture([
      [0.9, logNormal(32, 0.3, 8, 128)],
      [0.1, logNormal(1024, 0.3, 256, 4096)],
    ]),
  /** Few distinct sizes, as Johnstone & Wilson 1998 find: 90 % of all objects have one of 6 sizes. */
  few: () => histogram([16, 24, 32, 48, 64, 96, 160, 264, 520, 1032], [22, 20, 18, 14, 10, 6, 4, 3, 2, 1]),
  /** Small objects, some pages, few large blocks up to 64 KiB. */
  mixed: () =>
    mixture([
      [0.8, logNormal(64, 0.9, 1, 512)],
      [0.15, logUniform(513, 4096)],
      [0.05, logUniform(4097, 65536)],
    ]),
} as const;

export type SizeMix = keyof typeof mixes;

/** Names of the mixes. */
export const sizeMixNames = Object.keys(mixes) as readonly SizeMix[];

/** A mix by its name. */
export function sizeMix(name: SizeMix): Distribution {
  return mixes[name]();
}
