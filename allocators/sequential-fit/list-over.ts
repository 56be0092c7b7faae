import { BestList } from "./best-list.js";
import { FitTree } from "./fit-tree.js";
import type { FreeList, PlaceList } from "./free-list.js";
import type { Fit, ResolvedFit } from "./options.js";
import { SlotList } from "./slot-list.js";

/** The free list of a fit and an order, over the tags of a heap. */
export function listOver(fit: Fit, { order, cut }: ResolvedFit, tags: Int32Array): FreeList {
  if (order === "address") {
    return fit === "best"
      ? new BestList(tags.length)
      : new FitTree(fit, cut === "low" ? "past-block" : "at-block", tags);
  }
  const placesOver = (sizes: Int32Array): PlaceList =>
    fit === "best" ? new BestList(sizes.length) : new FitTree(fit, "slots", sizes);
  return new SlotList(order, tags.length, placesOver);
}
