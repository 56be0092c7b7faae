import { Cost } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import * as entryState from "./entry-state.js";
import type { Compactor } from "./handle-heap.js";
import { UNIT as BYTES_PER_UNIT } from "./heap-pages.js";
import type { Mover } from "./mover.js";

// V8 folds a constant of the module, but loads and checks an imported one at each use.
const UNIT = BYTES_PER_UNIT;
const BLOCKS_VISITED = Cost.blocksVisited;
const { WIDE, unitsIn } = entryState;

/** Blocks that are walked at a time. */
const STRETCH = 256;

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
  /** Where the walk has got to, where the next block goes, and what has been moved so far, in bytes. */
  private block = 0;
  private to = 0;
  private moved = 0;
  private budget = Number.POSITIVE_INFINITY;

  constructor(mover: Mover) {
    this.mover = mover;
  }

  pass(budget: number, log: MoveLog): number {
    const { blocks } = this.mover.heap;
    blocks.free.clear();
    this.block = 0;
    this.to = 0;
    this.moved = 0;
    this.budget = budget;
    while (this.block < blocks.top) this.walk(log);
    blocks.setTop(this.to);
    return this.moved;
  }

  /** Goes on by some blocks: V8 compiles what is called often to better code than one long loop. */
  private walk(log: MoveLog): void {
    const { mover, budget } = this;
    const { heap, entries } = mover;
    const { blocks } = heap;
    const { free, top } = blocks;
    let { block, to, moved } = this;
    const before = moved;
    let visited = 0;
    let moves = 0;
    while (block < top && visited < STRETCH) {
      visited++;
      const hole = blocks.freeAt(block);
      if (hole >= 0) {
        block = (block + free.unitsOf(hole)) | 0;
        free.drop(hole);
        // Free blocks are merged, so that a used one follows, or one of the dead.
        if (blocks.hasDead || block >= top) continue;
        visited++;
      }
      const owner = blocks.ownerAt(block);
      const state = entries.stateOf(owner);
      const isPlain = (state & WIDE) === 0;
      const had = isPlain ? unitsIn(state) : entries.unitsOf(owner);
      // Every move below writes under this block's end, so the walk finds the next one unharmed.
      const stays = block === to || moved >= budget || (isPlain ? mover.holdsUnpinned(owner) : mover.holds(owner));
      const target = stays ? block : isPlain ? to : (to + heap.leadAt(to, entries.codeOf(owner))) | 0;
      if (target > to) blocks.addFree(to, target - to);
      else if (target < block) free.join(to);
      let units = had;
      if (target < block) {
        units = mover.trimmed(owner, had);
        if (units !== had) mover.fit(owner, had, units);
        mover.carry(owner, block, target, units, log);
        moved += units * UNIT;
        moves++;
      }
      to = (target + units) | 0;
      block = (block + had) | 0;
    }
    mover.costs[BLOCKS_VISITED] += visited;
    mover.count(moves, moved - before);
    this.block = block;
    this.to = to;
    this.moved = moved;
  }
}
