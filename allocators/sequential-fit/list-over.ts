import { FitTree, type Roving } from "./fit-tree.js";
import type { FreeList, PlaceList } from "./free-list.js";
import type { Fit, ResolvedFit } from "./options.js";
import { SizeList } from "./size-list.js";
import type { Sizes } from "./sizes.js";
import { SlotList } from "./slot-list.js";
import type { Tags } from "./tags.js";
import { WorstList } from "./worst-list.js";

/** The free list of a fit and an order, over the tags of a heap. */
export function listOver(fit: Fit, { order, cut }: ResolvedFit, tags: Tags): FreeList {
  if (order === "address") return placesOver(fit, cut === "low" ? "past-block" : "at-block", tags);
  return new SlotList(order, tags.length, (sizes) => placesOver(fit, order, sizes));
}

function placesOver(fit: Fit, roving: Roving, sizes: Sizes): PlaceList {
  if (fit === "worst") return new WorstList(sizes);
  return fit === "best" ? new SizeList(sizes.length) : new FitTree(fit, roving, sizes);
}
