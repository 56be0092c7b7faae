import type { PlaceList, Suits } from "./free-list.js";
import { PlaceTree } from "./place-tree.js";

const FIRST = 0;
const NEXT = 1;
const WORST = 2;
/** Slots in a leaf, as a power of two: a fourth or more of them hold a block, so 32 would be many to look through. */
const SLOT_LEAF = 3;

/** How a walk along the list chooses: the first block, the first from the rover on, or the first of the largest. */
export type TreeFit = "first" | "next" | "worst";

/** Whether places are positions in the heap, and how a served block moves the rover then. */
export type Roving = "past-block" | "at-block" | "slots";

/**
 * First, next and worst fit over a `PlaceTree`.
 *
 * Hops of the textbook's walk: first fit stops at the block it takes, worst fit looks at all. Next fit starts at the
 * first block whose place is the rover's or after it, and goes round once. The rover is a place, not a block: the end of
 * the block last handed out if that was cut from the low end (`past-block`), else the place of the block that it was cut
 * from. Where places are positions, a free block that comes to hold the rover inside takes it to its start.
 */
export class FitTree implements PlaceList {
  rover: number;
  private readonly tree: PlaceTree;
  private readonly fit: number;
  private readonly past: boolean;
  /** Whether the rover is a position that a free block can come to hold. */
  private readonly held: boolean;

  constructor(fit: TreeFit, roving: Roving, sizes: Int32Array) {
    this.rover = 0;
    this.tree = roving === "slots" ? new PlaceTree(sizes, SLOT_LEAF) : new PlaceTree(sizes);
    this.fit = fit === "first" ? FIRST : fit === "next" ? NEXT : WORST;
    this.past = roving === "past-block";
    this.held = fit === "next" && roving !== "slots";
  }

  get hops(): number {
    return this.tree.hops;
  }

  find(need: number): number {
    const { tree } = this;
    if (this.fit === FIRST) return tree.first(need);
    if (this.fit === NEXT) return this.next(need);
    return tree.worst(need);
  }

  findSuitable(need: number, suits: Suits): number {
    const { tree } = this;
    if (this.fit === WORST) return this.worstSuitable(need, suits);
    const start = this.fit === NEXT ? this.rover : 0;
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
    this.tree.insert(at, size);
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

  grow(sizes: Int32Array): void {
    this.tree.grow(sizes);
  }

  clear(): void {
    this.tree.clear();
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

  private worstSuitable(need: number, suits: Suits): number {
    const { tree } = this;
    let chosen = tree.worst(need);
    if (chosen >= 0 && !suits.suits(chosen)) {
      chosen = -1;
      let largest = 0;
      for (let at = tree.first(need); at >= 0; at = tree.next(at, need)) {
        const size = tree.sizeAt(at);
        if (size <= largest || !suits.suits(at)) continue;
        chosen = at;
        largest = size;
      }
    }
    tree.hops = tree.count();
    return chosen;
  }

  private holdRover(at: number, size: number): void {
    if (at < this.rover && this.rover < at + size) this.rover = at;
  }
}
