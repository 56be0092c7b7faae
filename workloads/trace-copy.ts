import { alignmentOf, OP_MASK, Op, type Trace } from "./trace.js";
import type { TraceBuilder } from "./trace-builder.js";

/** Copies events of a trace into a builder, where their slots, labels and sites get numbers of their own. */
export class TraceCopy {
  private readonly trace: Trace;
  private readonly builder: TraceBuilder;
  /** Slot in the copy of each slot of the original; meaningful while it is live in both. */
  private readonly slots: Uint32Array;
  /** Site in the copy of each site of the original, 0 where it was not met. */
  private readonly sites: Uint32Array;
  private nextSwitch = 0;

  constructor(trace: Trace, builder: TraceBuilder) {
    this.trace = trace;
    this.builder = builder;
    this.slots = new Uint32Array(trace.slots);
    this.sites = new Uint32Array(trace.sites.names.length + 1);
  }

  /** The slot that a live block of the original has in the copy. */
  slotOf(slot: number): number {
    return this.slots[slot];
  }

  /** Copies the event at an index; indices must rise. `size` may take the place of that of an allocation. */
  event(i: number, size = this.trace.size[i]): void {
    const { trace, builder, slots } = this;
    const slot = trace.slot[i];
    this.follow(i);
    switch (trace.op[i] & OP_MASK) {
      case Op.allocate:
        slots[slot] = builder.allocate(size, alignmentOf(trace.op[i]), this.siteOf(i));
        break;
      case Op.reallocate:
        builder.reallocate(slots[slot], size, this.siteOf(i));
        break;
      case Op.free:
        builder.free(slots[slot]);
        break;
      case Op.access:
        builder.access(slots[slot], trace.size[i]);
        break;
      case Op.pin:
        builder.pin(slots[slot]);
        break;
      case Op.unpin:
        builder.unpin(slots[slot]);
        break;
      case Op.phase:
        builder.phase(trace.labels[slot]);
        break;
    }
  }

  /** A block of the original that is live before the first event that is copied, with the op that allocated it. */
  inherit(slot: number, op: number, size: number): void {
    this.slots[slot] = this.builder.allocate(size, alignmentOf(op));
  }

  /** The thread of the event. */
  private follow(i: number): void {
    const { at, id } = this.trace.threads;
    while (this.nextSwitch < at.length && at[this.nextSwitch] <= i) this.builder.thread(id[this.nextSwitch++]);
  }

  private siteOf(i: number): number {
    const { of, names } = this.trace.sites;
    const site = of.length > 0 ? of[i] : 0;
    if (site === 0) return 0;
    if (this.sites[site] === 0) this.sites[site] = this.builder.site(names[site - 1]);
    return this.sites[site];
  }
}
