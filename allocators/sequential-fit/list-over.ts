import { BestList } from "./best-list.js";
import { FitTree } from "./fit-tree.js";
import type { FreeList, PlaceList } from "./free-list.js";
import type { Fit, ResolvedFit } from "./options.js";
import type { SizeColumn } from "./sizes.js";
import { SlotFit } from "./slot-fit.js";
import { SlotList } from "./slot-list.js";
import type { Tags } from "./tags.js";
import { WorstList } from "./worst-list.js";

/** The free list of a fit and an order, over the tags of a heap. */
export function listOver(fit: Fit, { order, cut, layout }: ResolvedFit, tags: Tags): FreeList {
  if (order !== "address")
    return new SlotList(order, tags.length, layout.minBlock, (sizes) => slotsOf(fit, order, sizes));
  if (fit === "worst") return new WorstList(tags);
  return fit === "best" ? new BestList(tags) : new FitTree(fit, cut === "low", tags);
}

function slotsOf(fit: Fit, order: "lifo" | "fifo", sizes: SizeColumn): PlaceList {
  if (fit === "worst") return new WorstList(sizes);
  return fit === "best" ? new BestList(sizes) : new SlotFit(fit, order, sizes);
}
