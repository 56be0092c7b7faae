import type { PlaceList, Suits } from "./free-list.js";
import { PlaceTree } from "./place-tree.js";
import type { Sizes } from "./sizes.js";

/** Slots in a leaf, as a power of two: half of them and more hold a block, so 32 would be many to look through. */
const SLOT_LEAF = 4;

/** How a walk along the list chooses: the first block, or the first from the rover on. */
export type TreeFit = "first" | "next";

/** Whether places are positions in the heap, and how a served block moves the rover then; or slots, in which order. */
export type Roving = "past-block" | "at-block" | "lifo" | "fifo";

/**
 * First and next fit over a `PlaceTree`.
 *
 * Hops of the textbook's walk: first fit stops at the block it takes. Next fit starts at the
 * first block whose place is the rover's or after it, and goes round once. The rover is a place, not a block: the end of
 * the block last handed out if that was cut from the low end (`past-block`), else the place of the block that it was cut
 * from. Where places are positions, a free block that comes to hold the rover inside takes it to its start.
 */
export class FitTree implements PlaceList {
  rover: number;
  private readonly tree: PlaceTree;
  private readonly roves: boolean;
  private readonly past: boolean;
  private readonly slots: boolean;
  /** Whether the rover is a position that a free block can come to hold. */
  private readonly held: boolean;

  constructor(fit: TreeFit, roving: Roving, sizes: Sizes) {
    this.rover = 0;
    this.slots = roving === "lifo" || roving === "fifo";
    this.tree = this.slots ? new PlaceTree(sizes, SLOT_LEAF, roving === "lifo") : new PlaceTree(sizes);
    this.roves = fit === "next";
    this.past = roving === "past-block";
    this.held = this.roves && !this.slots;
  }

  get hops(): number {
    return this.tree.hops;
  }

  find(need: number): number {
    return this.roves ? this.next(need) : this.tree.first(need);
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
    this.rover = this.past ? at + need : at;
  }

  insert(at: number, size: number): void {
    if (this.slots) this.tree.push(at, size);
    else this.tree.insert(at, size);
    if (this.held) this.holdRover(at, size);
  }

  remove(at: number, size: number): void {
    this.tree.remove(at, size);
  }

  extend(at: number, _before: number, size: number): void {
    this.tree.extend(at, size);
    if (this.held) this.holdRover(at, size);
  }

  shorten(at: number, before: number): void {
    this.tree.shorten(at, before);
  }

  move(from: number, before: number, to: number, size: number): void {
    this.tree.move(from, before, to, size);
    if (this.held) this.holdRover(to, size);
  }

  grow(): void {
    this.tree.grow();
  }

  renumber(): void {
    this.tree.refill();
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
