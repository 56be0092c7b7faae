import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import type { Compacting, MoveLog, Ref } from "../allocator.js";
import { Controller, type ControllerOptions, passTime } from "./controller.js";
import { type HandleOptions, Handles } from "./handles.js";
import { UNIT } from "./heap-pages.js";
import { type Compactor, Mover } from "./mover.js";
import { Slide } from "./slide.js";
import { TwoFinger } from "./two-finger.js";

export interface CompactingOptions extends HandleOptions, ControllerOptions {
  /** `slide` or `twoFinger`. */
  compact: string;
  /** What the controller watches: `F_ext` or `F_res`. */
  metric: string;
  /** Whether a block loses its slack when it moves. */
  trimOnMove: boolean;
}

/** The handle table with what the handles are for: blocks that move while nobody holds their addresses. */
export class CompactingHandles implements Compacting {
  readonly handles: Handles;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly compactor: Compactor;
  private readonly controller: Controller;
  private readonly byResidence: boolean;

  constructor(space: AddressSpace, options: CompactingOptions) {
    this.space = space;
    this.costs = space.costs;
    this.handles = new Handles(space, options);
    const mover = new Mover(space, this.handles.heap, this.handles.entries, options.trimOnMove);
    this.compactor = options.compact === "slide" ? new Slide(mover) : new TwoFinger(mover);
    this.controller = new Controller(options);
    this.byResidence = options.metric === "F_res";
  }

  allocate(size: number, alignment = 0): Ref {
    return this.handles.allocate(size, alignment);
  }

  /** The free of a pinned block waits for its last unpin and is counted; its handle is stale at once. */
  free(ref: Ref): void {
    this.handles.free(ref);
  }

  reallocate(ref: Ref, size: number): Ref {
    return this.handles.reallocate(ref, size);
  }

  addressOf(ref: Ref): Address {
    return this.handles.addressOf(ref);
  }

  capacityOf(ref: Ref): number {
    return this.handles.capacityOf(ref);
  }

  walk(map: HeapMap): void {
    this.handles.walk(map);
  }

  pin(ref: Ref): void {
    const { entries } = this.handles;
    const index = entries.find(ref);
    if (index >= 0) entries.pin(index);
  }

  /** An unpin without a pin is ignored. */
  unpin(ref: Ref): void {
    const { entries } = this.handles;
    const index = entries.findPinned(ref);
    if (index < 0) return;
    entries.unpin(index);
    if (entries.isDoomed(index) && !entries.isPinned(index)) this.handles.freeEntry(index);
  }

  compact(budget: number, log: MoveLog): number {
    const { costs } = this;
    const visited = costs[Cost.blocksVisited];
    const moves = costs[Cost.moves];
    const released = costs[Cost.pagesReleased];
    costs[Cost.passes] += 1;
    const moved = this.compactor.pass(budget, log);
    this.handles.heap.releasePages();
    const milliseconds = passTime(
      costs[Cost.blocksVisited] - visited,
      costs[Cost.moves] - moves,
      moved,
      costs[Cost.pagesReleased] - released,
    );
    this.controller.passed(budget, moved, milliseconds, this.fragmentation());
    return moved;
  }

  compactionDue(now: number): number {
    if (!this.controller.isAwake(now)) return 0;
    return this.controller.due(this.fragmentation(), this.handles.heap.liveUnits * UNIT);
  }

  /** Extent of the heap over the bytes in live blocks, or footprint over the bytes asked for. */
  private fragmentation(): number {
    const { heap } = this.handles;
    if (!this.byResidence) return ratio(heap.blocks.top, heap.liveUnits);
    return ratio(this.space.footprint, heap.asked);
  }
}

/** Nothing over nothing is no fragmentation. */
function ratio(held: number, live: number): number {
  return live > 0 ? held / live : held > 0 ? Number.POSITIVE_INFINITY : 1;
}
