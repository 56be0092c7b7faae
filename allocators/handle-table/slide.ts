import { Cost } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import type { Compactor } from "./handle-heap.js";
import type { Mover } from "./mover.js";

/**
 * Sliding compaction in one walk: blocks go down in address order until they touch. No forwarding and no pass over the
 * references as in Lisp2, because each block names the one table word that speaks of it.
 *
 * Pinned blocks stay, and no block jumps over one; so do all blocks after `budget` bytes have been moved. The gap in front
 * of a block that stays becomes one free block, and the free lists are rebuilt in address order. A block of larger
 * alignment goes to the next place that suits it.
 */
export class Slide implements Compactor {
  private readonly mover: Mover;

  constructor(mover: Mover) {
    this.mover = mover;
  }

  pass(budget: number, log: MoveLog): number {
    const { mover } = this;
    const { heap, entries } = mover;
    const { blocks } = heap;
    const { free, top } = blocks;
    let to = 0;
    let moved = 0;
    let visited = 0;
    free.clear();
    for (let block = 0; block < top; ) {
      visited++;
      const hole = blocks.freeAt(block);
      if (hole >= 0) {
        block += free.unitsOf(hole);
        free.drop(hole);
        continue;
      }
      const owner = blocks.ownerAt(block);
      const had = entries.unitsOf(owner);
      // Every move below writes under this block's end, so the walk finds the next one unharmed.
      const stays = block === to || moved >= budget || mover.holds(owner);
      const target = stays ? block : to + heap.leadAt(to, entries.codeOf(owner));
      if (target > to) blocks.addFree(to, target - to);
      else if (target < block) free.join(to);
      let units = had;
      if (target < block) {
        units = mover.trimmed(owner, had);
        if (units !== had) mover.fit(owner, had, units);
        moved += mover.moveOwned(owner, block, target, units, units, log);
      }
      to = target + units;
      block += had;
    }
    mover.costs[Cost.blocksVisited] += visited;
    blocks.setTop(to);
    return moved;
  }
}
