import { Cost } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import { roomFor } from "./backing-heap.js";
import { gatherHoles } from "./gather-holes.js";
import type { Compactor } from "./handle-heap.js";
import type { Mover } from "./mover.js";
import { SizedHoles } from "./sized-holes.js";

/**
 * As two fingers, but each block goes into the smallest hole below it that takes it, the lowest of several. It keeps
 * large holes for large blocks, and leaves holes lower down than two fingers do.
 */
export class BestHoles implements Compactor {
  private readonly mover: Mover;
  private readonly holes = new SizedHoles();
  /** Where blocks have moved to in this pass: they stay there. */
  private readonly settled = new Set<number>();
  private readonly unitsOf: (start: number) => number;

  constructor(mover: Mover) {
    this.mover = mover;
    this.unitsOf = (start) => -mover.heap.blocks.sizeAt(start);
  }

  pass(budget: number, log: MoveLog): number {
    const { mover, holes } = this;
    const { blocks } = mover.heap;
    holes.clear();
    this.settled.clear();
    gatherHoles(mover, (start, units) => holes.add(start, units));
    let moved = 0;
    let end = blocks.top;
    while (end > 0 && moved < budget) {
      const block = end - Math.abs(blocks.beforeAt(end));
      // A block that goes merges with a free one in front of it, so that one is looked at first.
      const before = blocks.beforeAt(block);
      mover.costs[Cost.blocksVisited] += 1;
      const goes = !blocks.isFree(block) && !this.settled.has(block) && !mover.isPinned(block);
      if (goes) moved += this.moveDown(block, log);
      end = before < 0 ? block + before : block;
    }
    return moved;
  }

  /** Moves a block into the smallest hole below it that takes it. Returns the bytes moved, 0 if there is none. */
  private moveDown(block: number, log: MoveLog): number {
    const { mover, holes } = this;
    const copied = mover.unitsToMove(block);
    const start = holes.find(roomFor(copied, mover.codeAt(block)), block, this.unitsOf);
    if (start < 0) return 0;
    const found = this.unitsOf(start);
    holes.remove(start, found);
    const moved = mover.moveInto(block, start, copied, log);
    const { lead, placed } = mover;
    this.settled.add(start + lead);
    const rest = found - lead - placed;
    if (lead > 0) holes.add(start, lead);
    if (rest > 0) holes.add(start + lead + placed, rest);
    return moved;
  }
}
