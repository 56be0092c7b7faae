import { Cost } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import { roomFor } from "./backing-heap.js";
import { gatherHoles } from "./gather-holes.js";
import type { Compactor } from "./handle-heap.js";
import { HoleIndex } from "./hole-index.js";
import type { Mover } from "./mover.js";

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const VISITED = Cost.blocksVisited;

/**
 * Two-finger compaction for blocks of any size: from the top downwards each block that is not pinned goes into the lowest
 * hole below it that takes it, until `budget` bytes have been moved or no hole is left below. It moves less than sliding
 * and gives up address order. (Edwards' two fingers need blocks of one size.)
 */
export class TwoFinger implements Compactor {
  private readonly mover: Mover;
  private readonly holes = new HoleIndex();

  constructor(mover: Mover) {
    this.mover = mover;
  }

  pass(budget: number, log: MoveLog): number {
    const { mover, holes } = this;
    const { blocks } = mover.heap;
    holes.clear();
    gatherHoles(mover, (start, units) => holes.add(start, units));
    holes.build();
    let moved = 0;
    let lowest = 0;
    let block = blocks.top - Math.abs(blocks.beforeAt(blocks.top));
    while (block > 0 && moved < budget) {
      while (lowest < holes.length && holes.unitsOf(lowest) === 0) lowest++;
      if (lowest === holes.length || holes.startOf(lowest) > block) break;
      const next = block - Math.abs(blocks.beforeAt(block));
      mover.costs[VISITED] += 1;
      if (!blocks.isFree(block) && !mover.isPinned(block)) moved += this.moveDown(block, log);
      block = next;
    }
    return moved;
  }

  /** Moves a block into the lowest hole below it that takes it. Returns the bytes moved, 0 if there is none. */
  private moveDown(block: number, log: MoveLog): number {
    const { mover, holes } = this;
    const copied = mover.unitsToMove(block);
    const hole = this.findHole(copied, mover.codeAt(block), block);
    if (hole < 0) return 0;
    const moved = mover.moveInto(block, holes.startOf(hole), copied, log);
    holes.fill(hole, mover.lead, mover.placed);
    return moved;
  }

  /** Rank of the lowest hole below `block`, or -1. What the ranks say of holes above may be out of date. */
  private findHole(units: number, code: number, block: number): number {
    const { holes } = this;
    const { heap } = this.mover;
    let hole = holes.lowest(units);
    if (hole < 0 || holes.startOf(hole) >= block) return -1;
    if (code !== 0 && !heap.fitsAligned(heap.blocks.freeAt(holes.startOf(hole)), units, code)) {
      hole = holes.lowest(roomFor(units, code));
    }
    return hole < 0 || holes.startOf(hole) >= block ? -1 : hole;
  }
}
