import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { type Compacting, type MoveLog, none, type Ref, type StaleAware, type StaleUse } from "../allocator.js";
import { Controller, type ControllerOptions, passTime } from "./controller.js";
import { entryOf } from "./entry-state.js";
import type { Compactor, HandleHeap } from "./handle-heap.js";
import type { Handles } from "./handles.js";
import { UNIT } from "./heap-pages.js";
import { type CreditOptions, MoveCredit } from "./move-credit.js";
import type { PinModel } from "./pin-model.js";
import type { Pins } from "./pins.js";

/** When blocks move and how many of them; which ones is the compactor's affair. */
export interface MovementOptions extends ControllerOptions, CreditOptions {
  /** What the controller watches: `F_ext` or `F_res`. */
  metric: string;
}

/** The handle table with what the handles are for: blocks that move while nobody holds their addresses. */
export class CompactingHandles<Heap extends HandleHeap = Handles> implements Compacting, StaleAware {
  readonly handles: Heap;
  /** What may be moved, where that is bounded. */
  readonly credit: MoveCredit | undefined;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly compactor: Compactor;
  private readonly controller: Controller;
  private readonly byResidence: boolean;
  private readonly set: ControllerOptions["passTime"];
  private readonly model: PinModel | undefined;
  /** Whether the program's operations matter to the pins or the credit. */
  private readonly watches: boolean;

  constructor(space: AddressSpace, handles: Heap, compactor: Compactor, pins: Pins, options: MovementOptions) {
    this.space = space;
    this.costs = space.costs;
    this.handles = handles;
    this.compactor = compactor;
    this.controller = new Controller(options);
    this.byResidence = options.metric === "F_res";
    this.set = options.passTime;
    this.credit = options.cPartial > 0 ? new MoveCredit(options) : undefined;
    this.model = pins.model;
    this.watches = this.credit !== undefined || (pins.model?.watches ?? false);
  }

  allocate(size: number, alignment = 0): Ref {
    const ref = this.handles.allocate(size, alignment);
    if (this.watches && ref !== none) this.watch(ref, true);
    return ref;
  }

  /** The free of a pinned block waits for its last unpin and is counted; its handle is stale at once. */
  free(ref: Ref): void {
    if (this.watches) {
      // The free of a stale handle, which `find` counts, is none of the operations that a window of pins spans.
      if (this.handles.entries.find(ref) < 0) return;
      this.model?.operated(-1);
    }
    this.handles.free(ref);
  }

  reallocate(ref: Ref, size: number): Ref {
    const kept = this.handles.reallocate(ref, size);
    if (this.watches && kept !== none) this.watch(kept, false);
    return kept;
  }

  addressOf(ref: Ref): Address {
    return this.handles.addressOf(ref);
  }

  capacityOf(ref: Ref): number {
    return this.handles.capacityOf(ref);
  }

  get firstStale(): StaleUse | undefined {
    return this.handles.entries.stale.first;
  }

  get tellsAll(): boolean {
    return this.handles.entries.retires;
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

  /**
   * Dereferences: loads of the table, and what the window model of pins takes for the program's use of the object. Each
   * dereference of a stale handle counts.
   */
  access(ref: Ref, times: number): void {
    this.costs[Cost.tableLoads] += times;
    if (times === 0) return;
    if (this.handles.entries.find(ref) < 0) this.costs[Cost.staleHandles] += times - 1;
    else if (this.watches) this.watch(ref, false);
  }

  compact(budget: number, log: MoveLog): number {
    const { costs, controller, credit } = this;
    const visited = costs[Cost.blocksVisited];
    const moves = costs[Cost.moves];
    const released = costs[Cost.pagesReleased];
    const faults = costs[Cost.pageFaults];
    costs[Cost.passes] += 1;
    this.model?.startPass();
    if (controller.begins || !controller.isCompacting) this.compactor.restart?.();
    const moved = this.compactor.pass(credit === undefined ? budget : Math.min(budget, credit.left), log);
    credit?.spend(moved);
    this.handles.releasePages();
    const milliseconds = passTime(
      costs[Cost.blocksVisited] - visited,
      costs[Cost.moves] - moves,
      moved,
      costs[Cost.pagesReleased] - released,
      this.set,
      costs[Cost.pageFaults] - faults,
    );
    const isLast = moved === 0 || !this.compactor.stopsShort;
    controller.passed(budget, isLast ? moved : Math.max(budget, moved), milliseconds, this.fragmentation());
    return moved;
  }

  compactionDue(now: number): number {
    if (!this.controller.isAwake(now)) return 0;
    return this.controller.due(this.fragmentation(), this.handles.liveBytes());
  }

  /** Extent of the heap over the bytes in live blocks, or footprint over the bytes asked for. */
  private fragmentation(): number {
    const { handles } = this;
    if (!this.byResidence) return ratio(handles.extent(), handles.liveBytes());
    return ratio(this.space.footprint, handles.asked());
  }

  private watch(ref: Ref, isNew: boolean): void {
    this.model?.operated(entryOf(ref));
    if (isNew) this.credit?.earn(this.handles.capacityOf(ref) + UNIT);
  }
}

/** Nothing over nothing is no fragmentation. */
function ratio(held: number, live: number): number {
  return live > 0 ? held / live : held > 0 ? Number.POSITIVE_INFINITY : 1;
}
