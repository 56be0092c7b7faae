import { Cost, type Costs } from "../../memory/costs.js";
import type { Extent } from "../sequential-fit/extent.js";
import type { Allowance } from "./allowance.js";
import { Holes } from "./holes.js";
import { aligned, type Manager, type Moved } from "./manager.js";
import type { Objects } from "./objects.js";

/** `need` granules from `start` on, and the blocks that lie there, wholly or in part. */
interface Window {
  readonly start: number;
  readonly entries: readonly number[];
}

/** Where each block of a window goes. */
type Plan = readonly { readonly entry: number; readonly to: number }[];

/**
 * First fit in address order that moves blocks rather than grow: a request that fits no hole looks at all windows of
 * its size, at multiples of it, for the one with the fewest granules in use. If these may be moved, and fit into holes
 * elsewhere, first fit, in address order, the window is emptied. One greedy manager of many, without a bound.
 */
export class Evacuate implements Manager {
  top = 0;
  readonly holes = new Holes();
  private readonly extent: Extent;
  private readonly objects: Objects;
  private readonly allowance: Allowance;
  private readonly costs: Costs;

  constructor(extent: Extent, objects: Objects, allowance: Allowance, costs: Costs) {
    this.extent = extent;
    this.objects = objects;
    this.allowance = allowance;
    this.costs = costs;
  }

  wantsToMove(need: number): boolean {
    const { holes } = this;
    // What the window's blocks move to are holes, so there must be as much free as the window is long.
    if (holes.total < need || this.allowance.left(need) < 1 || holes.index.first(need) >= 0) return false;
    return this.plan(need, this.allowance.left(need)) !== undefined;
  }

  place(need: number, step: number): number {
    const { holes, extent } = this;
    let hole = holes.index.first(need);
    while (hole >= 0 && aligned(extent.base, hole, step) + need > hole + holes.sizeAt(hole)) {
      hole = holes.index.next(hole, need);
    }
    this.costs[Cost.listHops] += holes.index.hops;
    const at = aligned(extent.base, hole >= 0 ? hole : this.top, step);
    if (hole >= 0) {
      if (holes.sizeAt(hole) > need) this.costs[Cost.splits] += 1;
      holes.carve(hole, at, need);
      return at;
    }
    if (!extent.growTo(at + need)) return -1;
    holes.reach(extent.end);
    if (at > this.top) holes.insert(this.top, at - this.top);
    this.top = at + need;
    return at;
  }

  /** What is free at the top is the wilderness, not a hole. */
  release(at: number, size: number): void {
    const { holes } = this;
    holes.insert(at, size);
    for (const border of [at, at + size]) {
      if (holes.before(border) < 0 || holes.sizeAt(border) === 0) continue;
      this.costs[Cost.coalesces] += 1;
      holes.join(border);
    }
    const last = holes.before(this.top);
    if (last < 0) return;
    holes.remove(last);
    this.top = last;
    this.extent.shrinkAbove(last, 0);
  }

  move(need: number, budget: number, moved: Moved): number {
    const plan = this.plan(need, Math.min(this.allowance.left(need), budget));
    if (plan === undefined) return 0;
    const { holes, objects } = this;
    const borders = this.cutAround(plan.start, need);
    let total = 0;
    const freed: [at: number, size: number][] = [];
    for (const { entry, to } of plan.moves) {
      const from = objects.at[entry];
      const size = objects.size[entry];
      holes.carve(to, to, size);
      moved(entry, from, to, size);
      freed.push([from, size]);
      total += size;
    }
    for (const [at, size] of freed) this.release(at, size);
    for (const border of borders) holes.join(border);
    return total;
  }

  /** The cheapest window and where its blocks go; undefined where that cannot be, or costs more than `allowed`. */
  private plan(need: number, allowed: number): { start: number; moves: Plan } | undefined {
    const window = this.cheapestWindow(need, allowed);
    if (window === undefined) return undefined;
    const { objects } = this;
    const room = this.roomOutside(window.start, window.start + need);
    const moves: { entry: number; to: number }[] = [];
    for (const entry of window.entries) {
      const size = objects.size[entry];
      const hole = room.find((one) => one.end - one.at >= size);
      if (hole === undefined) return undefined;
      moves.push({ entry, to: hole.at });
      hole.at += size;
    }
    return { start: window.start, moves };
  }

  /** The lowest of the windows with the fewest granules in use; undefined where these are more than `allowed`. */
  private cheapestWindow(need: number, allowed: number): Window | undefined {
    const { objects } = this;
    const order = objects.inOrder();
    const endOf = (i: number): number => objects.at[order[i]] + objects.size[order[i]];
    this.costs[Cost.blocksVisited] += order.length;
    let least = Number.POSITIVE_INFINITY;
    let best: Window | undefined;
    let first = 0;
    for (let start = 0; start + need <= this.top; start += need) {
      while (first < order.length && endOf(first) <= start) first++;
      let cost = 0;
      let i = first;
      for (; i < order.length && objects.at[order[i]] < start + need; i++) cost += this.priceOf(order[i]);
      if (cost >= least) continue;
      least = cost;
      best = { start, entries: Array.from(order.subarray(first, i)) };
    }
    return least <= allowed ? best : undefined;
  }

  /** What is pinned does not move, nor what must lie at a multiple of more than a granule. */
  private priceOf(entry: number): number {
    const { pins, step, size } = this.objects;
    return pins[entry] > 0 || step[entry] > 0 ? Number.POSITIVE_INFINITY : size[entry];
  }

  /** The holes outside a window, from the lowest. */
  private roomOutside(from: number, to: number): { at: number; end: number }[] {
    const room: { at: number; end: number }[] = [];
    for (const [at, size] of this.holes.all()) {
      const end = at + size;
      if (end <= from || at >= to) room.push({ at, end });
      else {
        if (at < from) room.push({ at, end: from });
        if (end > to) room.push({ at: to, end });
      }
    }
    return room;
  }

  /** Cuts the holes that reach over the borders of a window, so that what is moved there starts where a hole does. */
  private cutAround(start: number, need: number): number[] {
    const borders = [start, start + need];
    return borders.filter((border) => {
      for (const [at, size] of this.holes.all()) {
        if (at >= border) return false;
        if (at + size > border) {
          this.holes.cut(at, border);
          return true;
        }
      }
      return false;
    });
  }
}
