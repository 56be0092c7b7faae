import type { AllocatorSpec } from "../allocator.js";
import {
  type Fit,
  resolveFit,
  type SequentialFitOptions,
  sequentialFitDefaults,
  sequentialFitOptions,
} from "./options.js";
import { SequentialFit } from "./sequential-fit.js";

/** The registry entry of a sequential fit. */
export function fitSpec(
  fit: Fit,
  title: string,
  source: string,
  variants: readonly Partial<SequentialFitOptions>[],
): AllocatorSpec<SequentialFitOptions> {
  const name = `${fit}-fit`;
  return {
    name,
    title,
    source,
    indirect: false,
    // 16 with headers; what the granule says without.
    alignment: 1,
    options: sequentialFitOptions,
    defaults: sequentialFitDefaults,
    variants,
    create: (space, given) => new SequentialFit(space, fit, resolveFit(name, given)),
  };
}
