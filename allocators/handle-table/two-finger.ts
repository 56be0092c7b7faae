import { Cost } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import { roomFor } from "./backing-heap.js";
import { gatherHoles } from "./gather-holes.js";
import type { Compactor } from "./handle-heap.js";
import { HoleIndex } from "./hole-index.js";
import type { Mover } from "./mover.js";

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
      mover.costs[Cost.blocksVisited] += 1;
      if (!blocks.isFree(block) && !mover.isPinned(block)) moved += this.moveDown(block, log);
      block = next;
    }
    return moved;
  }

  /** Moves a block into the lowest hole below it that takes it. Returns the bytes moved, 0 if there is none. */
  private moveDown(block: number, log: MoveLog): number {
    const { mover, holes } = this;
    const { heap } = mover;
    const { blocks } = heap;
    const code = mover.codeAt(block);
    const had = blocks.sizeAt(block);
    const copied = mover.unitsToMove(block);
    const hole = this.findHole(copied, code, block);
    if (hole < 0) return 0;
    const start = holes.startOf(hole);
    const lead = heap.leadAt(start, code);
    const found = -blocks.sizeAt(start);
    const units = heap.carveAt(blocks.holeAt(start), start + lead, copied);
    const rest = found - lead - units;
    // A hole that alignment cuts in two keeps its rank with the larger part.
    if (rest >= lead) holes.set(hole, start + lead + units, rest);
    else holes.set(hole, start, lead);
    const moved = mover.move(block, start + lead, units, copied, log);
    blocks.vacate(block, had);
    return moved;
  }

  /** Rank of the lowest hole below `block`, or -1. What the ranks say of holes above may be out of date. */
  private findHole(units: number, code: number, block: number): number {
    const { holes } = this;
    const { heap } = this.mover;
    let hole = holes.lowest(units);
    if (hole < 0 || holes.startOf(hole) >= block) return -1;
    if (!heap.fitsAligned(heap.blocks.holeAt(holes.startOf(hole)), units, code))
      hole = holes.lowest(roomFor(units, code));
    return hole < 0 || holes.startOf(hole) >= block ? -1 : hole;
  }
}
