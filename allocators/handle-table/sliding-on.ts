import { Cost } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import type { Compactor } from "./handle-heap.js";
import type { Mover } from "./mover.js";

/**
 * A slide that goes on where the last pass ended, so that a pass with a budget does not walk the packed part of the heap
 * again: without this, blocks visited grow with the square of the number of passes. What is freed or allocated below the
 * cursor meanwhile is left to the next round. A pass without a bound starts from the bottom. Free blocks must be listed.
 */
export class SlidingOn implements Compactor {
  private readonly mover: Mover;

  constructor(mover: Mover) {
    this.mover = mover;
  }

  pass(budget: number, log: MoveLog): number {
    const { mover } = this;
    const { heap, costs } = mover;
    const { blocks } = heap;
    let to = this.start(budget);
    let block = to;
    let moved = 0;
    // Past the budget only the free blocks that the gap touches are taken in.
    while (block < blocks.top && (moved < budget || blocks.sizeAt(block) < 0)) {
      const had = blocks.sizeAt(block);
      costs[Cost.blocksVisited] += 1;
      if (had < 0) {
        blocks.free.take(blocks.freeAt(block));
        block -= had;
        continue;
      }
      const stays = block === to || mover.isPinned(block);
      const target = stays ? block : to + heap.leadAt(to, mover.codeAt(block));
      const goes = target < block;
      if (Math.min(target, block) > to) blocks.addFree(to, Math.min(target, block) - to);
      else if (goes) blocks.free.join(to);
      let units = had;
      if (goes) {
        units = mover.unitsToMove(block);
        moved += mover.move(block, target, units, units, log);
      }
      to = (goes ? target : block) + units;
      block += had;
    }
    this.stop(to, block);
    return moved;
  }

  /** The block at which a pass starts. */
  private start(budget: number): number {
    const { blocks } = this.mover.heap;
    const { cursor, top } = blocks;
    if (cursor < 0 || cursor >= top || budget === Number.POSITIVE_INFINITY) return 0;
    // What was freed just below belongs to the gap.
    const before = blocks.beforeAt(cursor);
    return before < 0 ? cursor + before : cursor;
  }

  /** Leaves the gap [to, block) free. */
  private stop(to: number, block: number): void {
    const { blocks } = this.mover.heap;
    if (block >= blocks.top) {
      blocks.setTop(to);
      blocks.cursor = -1;
    } else {
      if (block > to) blocks.addFree(to, block - to);
      blocks.cursor = to;
    }
  }
}
