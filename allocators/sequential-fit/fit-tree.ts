import type { FreeList, Suits } from "./free-list.js";
import { PlaceTree } from "./place-tree.js";
import type { Sizes } from "./sizes.js";

/** How a walk along the list chooses: the first block, or the first from the rover on. */
export type TreeFit = "first" | "next";

/**
 * First and next fit over a `PlaceTree`, whose places are positions in the heap.
 *
 * Hops of the textbook's walk: first fit stops at the block it takes. Next fit starts at the first block whose place is
 * the rover's or after it, and goes round once. The rover is a place, not a block: the end of the block last handed out
 * if blocks are cut from the low end, else the start of the block that it was cut from. A free block that comes to hold
 * the rover inside takes it to its start.
 */
export class FitTree implements FreeList {
  private rover: number;
  private readonly tree: PlaceTree;
  private readonly roves: boolean;
  private readonly cutLow: boolean;

  constructor(fit: TreeFit, cutLow: boolean, sizes: Sizes) {
    this.rover = 0;
    this.tree = new PlaceTree(sizes);
    this.roves = fit === "next";
    this.cutLow = cutLow;
  }

  get hops(): number {
    return this.tree.hops;
  }

  find(need: number): number {
    return this.roves === true ? this.next(need) : this.tree.first(need);
  }

  findSuitable(need: number, suits: Suits): number {
    const { tree } = this;
    const start = this.roves ? this.rover : 0;
    tree.hops = 0;
    let at = tree.from(start, need);
    while (at >= 0 && !suits.suits(at)) at = tree.next(at, need);
    if (at >= 0 || start === 0) return at;
    const before = tree.hops;
    tree.hops = 0;
    at = tree.from(0, need);
    while (at >= 0 && at < start && !suits.suits(at)) at = tree.next(at, need);
    if (at < 0 || at >= start) {
      tree.hops = tree.count();
      return -1;
    }
    tree.hops += before;
    return at;
  }

  rove(at: number, need: number): void {
    if (this.roves === true) this.rover = this.cutLow === true ? at + need : at;
  }

  insert(at: number, size: number): void {
    this.tree.insert(at, size);
    if (this.roves === true) this.holdRover(at, size);
  }

  remove(at: number, size: number): void {
    this.tree.remove(at, size);
  }

  extend(at: number, _before: number, size: number): void {
    this.tree.extend(at, size);
    if (this.roves === true) this.holdRover(at, size);
  }

  shorten(at: number, before: number): void {
    this.tree.shorten(at, before);
  }

  cut(at: number, size: number, to: number, rest: number): void {
    this.tree.cut(at, size, to, rest);
    if (this.roves === true && rest !== 0) this.holdRover(to, rest);
  }

  join(at: number, size: number, before: number, after: number): void {
    this.tree.join(at, size, before, after);
    if (this.roves === true) this.holdRover((at - before) | 0, (before + size + after) | 0);
  }

  grow(): void {
    this.tree.grow();
  }

  private next(need: number): number {
    const { tree } = this;
    tree.hops = 0;
    const at = tree.from(this.rover, need);
    if (at >= 0) return at;
    const behind = tree.hops;
    const below = tree.first(need);
    // Where nothing was found, the second walk has passed all blocks, those behind the rover too.
    if (below >= 0) tree.hops += behind;
    return below;
  }

  private holdRover(at: number, size: number): void {
    if (at < this.rover && this.rover < at + size) this.rover = at;
  }
}
