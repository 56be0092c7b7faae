import { Cost } from "../../memory/costs.js";
import type { Mover } from "./mover.js";

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const VISITED = Cost.blocksVisited;

/**
 * Calls `add` with each free block in address order. Where free neighbours have not been merged, does that too, so that
 * all are in the lists afterwards.
 */
export function gatherHoles(mover: Mover, add: (start: number, units: number) => void): void {
  const { heap, costs } = mover;
  const { blocks } = heap;
  if (!heap.reuses) blocks.free.clear();
  for (let block = 0; block < blocks.top; ) {
    const hole = blocks.freeAt(block);
    let end = block + (hole >= 0 ? blocks.free.unitsOf(hole) : blocks.sizeAt(block));
    costs[VISITED] += 1;
    if (hole >= 0) {
      if (!heap.reuses) end = mergeRun(mover, block, end);
      if (block < blocks.top) add(block, end - block);
    }
    block = end;
  }
}

/** Merges a run of dead blocks into one free block, or gives it to the top. Returns its end. */
function mergeRun(mover: Mover, block: number, firstEnd: number): number {
  const { heap, costs } = mover;
  const { blocks } = heap;
  let end = firstEnd;
  blocks.forget(block);
  while (end < blocks.top && blocks.sizeAt(end) < 0) {
    const next = end - blocks.sizeAt(end);
    blocks.forget(end);
    end = next;
    costs[VISITED] += 1;
    costs[Cost.coalesces] += 1;
  }
  if (end === blocks.top) blocks.setTop(block);
  else blocks.addFree(block, end - block);
  return end;
}
