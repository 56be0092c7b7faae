import { Cost, type Costs } from "../../memory/costs.js";
import type { MoveLog } from "../allocator.js";
import type { Compactor } from "../handle-table/handle-heap.js";
import { HoleIndex } from "../handle-table/hole-index.js";
import type { Pins } from "../handle-table/pins.js";
import { FREE, RESERVED } from "./nodes.js";
import type { VmaHeap } from "./vma-heap.js";

export type DefragmentationAlgorithm = "fast" | "balanced" | "full";

/** MAX_ALLOCS_TO_IGNORE: a pass ends when so many allocations in a row are too large for what is left of it. */
const MOST_IGNORED = 16;

/**
 * A pass of VMA's defragmentation (VmaDefragmentationContext_T): from the last block to the second, from the highest
 * offset down, each allocation goes into the first block before its own that takes it. `full` moves one that finds no
 * such place to a lower offset of its own block if it can, and `balanced` does so where a gap beside it is at least half
 * the mean free range, or it is itself no larger than the mean free range or the mean allocation.
 *
 * Places are reserved while the pass is planned, and old ones given back when it is over, so that both are held in
 * between. A pinned allocation is one that the program refuses to move (OPERATION_IGNORE): its place is given up, and its
 * block emptied no further until compaction starts anew. A pass never exceeds its bytes.
 */
export class Defragmentation implements Compactor {
  readonly stopsShort = true;
  private readonly costs: Costs;
  private readonly heap: VmaHeap;
  private readonly pins: Pins;
  private readonly algorithm: DefragmentationAlgorithm;
  private readonly mostAllocations: number;
  private readonly holes = new HoleIndex();
  /** The free ranges in `holes`, by rank. */
  private readonly ranges: number[] = [];
  /** Moves of the pass: old and new place. */
  private readonly from: number[] = [];
  private readonly to: number[] = [];
  /** Numbers of the blocks in which something refused to move. */
  private readonly immovable = new Set<number>();
  private planned = 0;
  private ignored = 0;
  /** Means of balanced, in units, as they were when compaction began. */
  private meanFree = 0;
  private meanUsed = 0;

  constructor(costs: Costs, heap: VmaHeap, pins: Pins, algorithm: DefragmentationAlgorithm, mostAllocations: number) {
    this.costs = costs;
    this.heap = heap;
    this.pins = pins;
    this.algorithm = algorithm;
    this.mostAllocations = mostAllocations;
  }

  /** SortByFreeSize, and UpdateVectorStatistics. */
  restart(): void {
    const { heap } = this;
    const blocks = heap.order.map((number) => heap.blockAt(number));
    heap.order.sort((a, b) => heap.blockAt(a).free - heap.blockAt(b).free || a - b);
    this.immovable.clear();
    this.ignored = 0;
    const sum = (of: (block: (typeof blocks)[number]) => number): number => blocks.reduce((n, b) => n + of(b), 0);
    const free = sum((block) => block.free);
    const total = sum((block) => block.bytes / heap.unit);
    const ranges = sum((block) => block.lists.count + 1);
    this.meanFree = Math.floor(free / Math.max(1, ranges));
    this.meanUsed = Math.floor(
      (total - free) /
        Math.max(
          1,
          sum((block) => block.count),
        ),
    );
  }

  pass(budget: number, log: MoveLog): number {
    const { heap } = this;
    heap.order.sort((a, b) => Number(this.immovable.has(b)) - Number(this.immovable.has(a)));
    this.planned = 0;
    for (let i = heap.order.length - 1; i > this.immovable.size; i--) if (this.planBlock(i, budget)) break;
    return this.carryOut(log);
  }

  /** Plans moves out of block `i` of the order. Whether the pass is full. */
  private planBlock(i: number, budget: number): boolean {
    const { heap, costs, algorithm } = this;
    const { nodes, unit } = heap;
    const block = heap.blockAt(heap.order[i]);
    if (algorithm !== "fast") this.gather(i);
    let gapAbove = 0;
    for (let node = nodes.before[block.tail]; node >= 0; ) {
      // Places reserved in this block are cut from ranges below.
      const owner = nodes.owner[node];
      if (owner < 0) {
        node = nodes.before[node];
        continue;
      }
      costs[Cost.blocksVisited] += 1;
      const units = nodes.size[node];
      if ((this.planned + units) * unit > budget) {
        if (++this.ignored >= MOST_IGNORED) return true;
        node = nodes.before[node];
        continue;
      }
      this.ignored = 0;
      const step = heap.stepOf(owner);
      let target = this.placeBefore(i, units, step);
      const below = nodes.before[node];
      const gapBelow = below >= 0 && nodes.owner[below] === FREE ? nodes.size[below] : 0;
      if (target < 0 && algorithm !== "fast" && block.free >= units) {
        const pays =
          algorithm === "full" ||
          2 * Math.max(gapAbove, gapBelow) >= this.meanFree ||
          units <= this.meanFree ||
          units <= this.meanUsed;
        if (pays) target = this.placeLower(i, nodes.offset[node], units, step);
      }
      gapAbove = gapBelow;
      if (target >= 0 && this.plan(node, target, budget)) return true;
      node = nodes.before[node];
    }
    return false;
  }

  /** Notes a move. Whether the pass is full. */
  private plan(node: number, target: number, budget: number): boolean {
    this.from.push(node);
    this.to.push(target);
    this.planned += this.heap.nodes.size[node];
    return this.from.length >= this.mostAllocations || this.planned * this.heap.unit >= budget;
  }

  /** A place in the first block in front of block `i` that has one. */
  private placeBefore(i: number, units: number, step: number): number {
    const { heap } = this;
    for (let j = 0; j < i; j++) {
      const target = heap.placeIn(heap.order[j], units, step, RESERVED);
      if (target >= 0) return target;
    }
    return -1;
  }

  /** Indexes the free ranges of block `i` by offset. */
  private gather(i: number): void {
    const { heap, holes, ranges } = this;
    const { nodes } = heap;
    holes.clear();
    ranges.length = 0;
    for (let node = heap.blockAt(heap.order[i]).tail; node >= 0; node = nodes.before[node]) {
      if (nodes.owner[node] === FREE) ranges.push(node);
    }
    ranges.reverse();
    for (const node of ranges) holes.add(nodes.offset[node], nodes.size[node]);
    holes.build();
  }

  /** The lowest place in block `i` (STRATEGY_MIN_OFFSET) if it is below `offset`; any alignment fits in the range found. */
  private placeLower(i: number, offset: number, units: number, step: number): number {
    const { heap, holes, ranges } = this;
    const { nodes } = heap;
    const rank = holes.lowest(units + step - 1);
    if (rank < 0 || nodes.offset[ranges[rank]] >= offset) return -1;
    const range = ranges[rank];
    // What alignment leaves in front of the place is not offered again in this pass.
    const isTail = range === heap.blockAt(heap.order[i]).tail;
    const target = heap.carveIn(heap.order[i], range, units, step, RESERVED);
    if (target < 0) return -1;
    const rest = nodes.after[target];
    const left = rest >= 0 && nodes.owner[rest] === FREE ? nodes.size[rest] : 0;
    ranges[rank] = isTail ? range : rest;
    holes.set(rank, nodes.offset[ranges[rank]] ?? 0, left);
    return target;
  }

  /** DefragmentPassEnd: copies, points the allocations to their new places and gives the old ones back. */
  private carryOut(log: MoveLog): number {
    const { heap, costs, from, to } = this;
    const { nodes, entries, unit } = heap;
    let moved = 0;
    for (let i = 0; i < from.length; i++) {
      const index = nodes.owner[from[i]];
      if (this.pins.hold(index)) {
        this.immovable.add(nodes.block[from[i]]);
        heap.release(to[i]);
        continue;
      }
      const bytes = nodes.size[from[i]] * unit;
      log.move(entries.refOf(index), heap.addressAt(from[i]), heap.addressAt(to[i]), bytes);
      nodes.owner[to[i]] = index;
      entries.point(index, to[i]);
      heap.release(from[i]);
      costs[Cost.moves] += 1;
      costs[Cost.bytesMoved] += bytes;
      moved += bytes;
    }
    from.length = 0;
    to.length = 0;
    return moved;
  }
}
