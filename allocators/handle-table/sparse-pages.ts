import { Cost } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import { roomFor } from "./backing-heap.js";
import { gatherHoles } from "./gather-holes.js";
import type { Compactor } from "./handle-heap.js";
import { HoleIndex } from "./hole-index.js";
import type { Mover } from "./mover.js";
import { type Victims, victimsOf } from "./victims.js";

const PAGE_UNITS = 256;

/**
 * Evacuation of the sparsest pages into the holes of the others, as zsmalloc empties pages and Redis slabs: the pages are
 * given back inside the heap, whose extent need not fall. Victims are chosen so that what lives in them would fit in what
 * is free elsewhere; a page under a pinned block is none, and a block that finds no hole stays.
 */
export class SparsePages implements Compactor {
  private readonly mover: Mover;
  private readonly holes = new HoleIndex();

  constructor(mover: Mover) {
    this.mover = mover;
  }

  pass(budget: number, log: MoveLog): number {
    const victims = this.choose();
    this.gather(victims);
    let moved = 0;
    for (let rank = 0; rank < victims.order.length && moved < budget; rank++) {
      for (const block of victims.blocks[rank]) {
        if (moved >= budget) break;
        moved += this.evacuate(block, log);
      }
    }
    return moved;
  }

  private choose(): Victims<number> {
    const { mover } = this;
    const { blocks } = mover.heap;
    const pages = Math.ceil(blocks.top / PAGE_UNITS);
    const live = new Float64Array(pages);
    const fixed = new Uint8Array(pages);
    for (let block = 0; block < blocks.top; block += Math.abs(blocks.sizeAt(block))) {
      mover.costs[Cost.blocksVisited] += 1;
      const units = blocks.sizeAt(block);
      if (units < 0) continue;
      const pinned = mover.isPinned(block);
      for (let at = block; at < block + units; ) {
        const page = Math.floor(at / PAGE_UNITS);
        const end = Math.min((page + 1) * PAGE_UNITS, block + units);
        live[page] += end - at;
        if (pinned) fixed[page] = 1;
        at = end;
      }
    }
    const victims = victimsOf<number>(live, fixed, PAGE_UNITS);
    for (let block = 0; block < blocks.top; block += Math.abs(blocks.sizeAt(block))) {
      const units = blocks.sizeAt(block);
      if (units < 0) continue;
      const rank = victims.rankOf[Math.floor(block / PAGE_UNITS)];
      if (rank >= 0) victims.blocks[rank].push(block);
    }
    return victims;
  }

  /** The holes that lie in no victim and beside no block that leaves one, which would merge with them. */
  private gather(victims: Victims<number>): void {
    const { holes } = this;
    const { blocks } = this.mover.heap;
    const leaves = (unit: number): boolean => victims.rankOf[Math.floor(unit / PAGE_UNITS)] >= 0;
    holes.clear();
    gatherHoles(this.mover, (start, units) => {
      if (start > 0 && leaves(start - blocks.beforeAt(start))) return;
      const end = start + units;
      for (let at = start; at < end; at += PAGE_UNITS) if (leaves(at)) return;
      if (!leaves(end)) holes.add(start, units);
    });
    holes.build();
  }

  private evacuate(block: number, log: MoveLog): number {
    const { mover, holes } = this;
    const copied = mover.unitsToMove(block);
    const hole = holes.lowest(roomFor(copied, mover.codeAt(block)));
    if (hole < 0) return 0;
    const moved = mover.moveInto(block, holes.startOf(hole), copied, log);
    holes.fill(hole, mover.lead, mover.placed);
    return moved;
  }
}
