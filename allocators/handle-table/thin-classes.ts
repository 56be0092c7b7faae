import { Cost, type Costs } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import type { ClassHandles } from "./class-handles.js";
import type { Compactor } from "./handle-heap.js";
import type { Pins } from "./pins.js";

/**
 * Per-class partial compaction: while a class has more room to spare than its bound allows, objects of its sparsest span
 * move into its fullest one that is not full. A span of which all that is left is pinned is set aside until the pass is over.
 */
export class ThinClasses implements Compactor {
  private readonly costs: Costs;
  private readonly heap: ClassHandles;
  private readonly pins: Pins;
  /** Not-full spans that a class may have; -1: only as many slots may be free as are not a whole span. */
  private readonly bound: number;
  private readonly aside: number[] = [];

  constructor(costs: Costs, heap: ClassHandles, pins: Pins, bound: number) {
    this.costs = costs;
    this.heap = heap;
    this.pins = pins;
    this.bound = bound;
  }

  pass(budget: number, log: MoveLog): number {
    const { spans } = this.heap;
    let moved = 0;
    for (let sizeClass = 0; sizeClass < spans.classes.length && moved < budget; sizeClass++) {
      while (moved < budget && this.isOver(sizeClass)) {
        const from = spans.sparsest(sizeClass);
        const to = spans.fullest(sizeClass);
        if (from === to) break;
        const bytes = this.empty(from, to, budget - moved, log);
        moved += bytes;
        if (bytes === 0) {
          spans.setAside(from);
          this.aside.push(from);
        }
      }
      while (this.aside.length > 0) spans.regroup(this.aside.pop() as number);
    }
    return moved;
  }

  /** Whether some class is over its bound and a pass could bring it nearer. */
  get isDue(): boolean {
    const { length } = this.heap.spans.classes;
    for (let sizeClass = 0; sizeClass < length; sizeClass++) {
      if (this.isOver(sizeClass) && this.canThin(sizeClass)) return true;
    }
    return false;
  }

  /** Whether pins leave a span to be emptied, or objects enough to fill the one that is filled first. */
  private canThin(sizeClass: number): boolean {
    const { spans } = this.heap;
    const to = spans.fullest(sizeClass);
    let room = spans.classes[sizeClass].slots - spans.used[to];
    return spans.somePartial(sizeClass, (span) => {
      if (span === to) return false;
      const owners = spans.owners[span];
      let held = 0;
      for (let slot = 0; slot < spans.touched[span]; slot++) {
        if (owners[slot] < 0) continue;
        if (!this.pins.mayMove(owners[slot])) held++;
        else if (--room === 0) return true;
      }
      return held === 0;
    });
  }

  private isOver(sizeClass: number): boolean {
    const { spans } = this.heap;
    if (this.bound >= 0) return spans.partial[sizeClass] > this.bound;
    return spans.slots[sizeClass] - spans.live[sizeClass] >= spans.classes[sizeClass].slots;
  }

  /** Moves what is not pinned until one span is empty or the other full. */
  private empty(from: number, to: number, budget: number, log: MoveLog): number {
    const { heap, costs } = this;
    const { spans, entries } = heap;
    const { slots } = spans.classes[spans.sizeClass[from]];
    const owners = spans.owners[from];
    const end = spans.touched[from];
    let moved = 0;
    for (let slot = 0; slot < end && moved < budget && spans.used[from] > 0 && spans.used[to] < slots; slot++) {
      costs[Cost.blocksVisited] += 1;
      const index = owners[slot];
      if (index < 0 || this.pins.hold(index)) continue;
      const move = heap.move(index, to);
      log.move(entries.refOf(index), move.from, move.to, Math.min(move.bytes, entries.askedOf(index)));
      moved += move.bytes;
    }
    return moved;
  }
}
