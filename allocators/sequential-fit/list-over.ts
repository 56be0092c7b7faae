import { FitTree } from "./fit-tree.js";
import type { FreeList, PlaceList } from "./free-list.js";
import type { Fit, ResolvedFit } from "./options.js";
import { SizeList } from "./size-list.js";
import type { Sizes } from "./sizes.js";
import { SlotList } from "./slot-list.js";
import type { Tags } from "./tags.js";

/** The free list of a fit and an order, over the tags of a heap. */
export function listOver(fit: Fit, { order, cut }: ResolvedFit, tags: Tags): FreeList {
  const bySize = fit === "best" || fit === "worst";
  if (order === "address") {
    return bySize ? new SizeList(fit, tags.length) : new FitTree(fit, cut === "low" ? "past-block" : "at-block", tags);
  }
  const placesOver = (sizes: Sizes): PlaceList =>
    bySize ? new SizeList(fit, sizes.length) : new FitTree(fit, order, sizes);
  return new SlotList(order, tags.length, placesOver);
}
