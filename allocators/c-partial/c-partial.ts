import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, resolveOptions } from "../../memory/options.js";
import { type AllocatorSpec, type Compacting, type MoveLog, none, type Ref } from "../allocator.js";
import { Extent, RESERVED } from "../sequential-fit/extent.js";
import { Allowance } from "./allowance.js";
import { Evacuate } from "./evacuate.js";
import { entryOf, GRANULE, layout, type Manager, PER_GRANULE, refOf } from "./manager.js";
import { Objects } from "./objects.js";
import { type CPartialOptions, cPartialOptions } from "./options.js";
import { Slide } from "./slide.js";

const LARGEST = RESERVED - 4096;

const granulesOf = (size: number): number => Math.max(1, Math.ceil(size * PER_GRANULE));

/**
 * A manager that may move one byte for each c allocated, over a heap without headers in granules of 16 bytes.
 *
 * **On demand.** It moves only when a request would otherwise make the heap grow: that request gets `none` once, and the
 * `compact` that answers a lack of memory does the work. A caller who asks again without compacting is served beyond the
 * bound. A `compact` that no request waits for does nothing, so that no allowance is wasted.
 */
class CPartial implements Compacting {
  private readonly costs: Costs;
  private readonly extent: Extent;
  private readonly objects: Objects;
  private readonly allowance: Allowance;
  private readonly manager: Manager;
  /** Granules of the request that was refused last, 0 for none. */
  private wanted = 0;

  constructor(space: AddressSpace, given: CPartialOptions) {
    this.costs = space.costs;
    this.extent = new Extent(space, layout, given.growth);
    this.objects = new Objects(space);
    this.allowance = new Allowance(given.c);
    const make = given.manager === "slide" ? Slide : Evacuate;
    this.manager = new make(this.extent, this.objects, this.allowance, space.costs);
  }

  allocate(size: number, alignment = GRANULE): Ref {
    if (size > LARGEST || !this.objects.ready()) return none;
    const need = granulesOf(size);
    const step = alignment > GRANULE ? 27 - Math.clz32(alignment) : 0;
    const at = this.place(need, step);
    if (at < 0) return none;
    this.extent.touch(at * GRANULE, size);
    return refOf(this.objects.take(at, need, step));
  }

  /** The free of a pinned object waits for its last unpin. */
  free(ref: Ref): void {
    const { objects } = this;
    const entry = entryOf(ref);
    if (objects.pins[entry] > 0) {
      objects.doomed[entry] = 1;
      this.costs[Cost.deferredFrees] += 1;
      return;
    }
    const at = objects.at[entry];
    objects.give(entry);
    this.release(at, objects.size[entry]);
  }

  reallocate(ref: Ref, size: number): Ref {
    if (size > LARGEST) return none;
    const { objects } = this;
    const entry = entryOf(ref);
    const from = objects.at[entry];
    const before = objects.size[entry];
    const need = granulesOf(size);
    if (need > before) {
      const at = this.place(need, objects.step[entry]);
      if (at < 0) return none;
      this.costs[Cost.bytesCopied] += before * GRANULE;
      objects.place(entry, at);
      this.release(from, before);
    } else if (need < before) {
      this.release(from + need, before - need);
    }
    objects.size[entry] = need;
    this.extent.touch(objects.at[entry] * GRANULE, size);
    return ref;
  }

  addressOf(ref: Ref): Address {
    this.costs[Cost.tableLoads] += 1;
    return this.extent.base + this.objects.at[entryOf(ref)] * GRANULE;
  }

  capacityOf(ref: Ref): number {
    return this.objects.size[entryOf(ref)] * GRANULE;
  }

  access(_ref: Ref, times: number): void {
    this.costs[Cost.tableLoads] += times;
  }

  pin(ref: Ref): void {
    this.costs[Cost.pins] += 1;
    this.objects.pins[entryOf(ref)] += 1;
  }

  unpin(ref: Ref): void {
    const { objects } = this;
    const entry = entryOf(ref);
    if (objects.pins[entry] === 0) return;
    objects.pins[entry] -= 1;
    if (objects.pins[entry] === 0 && objects.doomed[entry] === 1) this.free(ref);
  }

  compact(budget: number, log: MoveLog): number {
    const { costs, objects, allowance, extent, wanted } = this;
    if (wanted === 0 || budget < GRANULE) return 0;
    costs[Cost.passes] += 1;
    const moved = this.manager.move(wanted, Math.floor(budget * PER_GRANULE), (entry, from, to, size) => {
      extent.touch(to * GRANULE, size * GRANULE);
      objects.place(entry, to);
      costs[Cost.moves] += 1;
      log.move(refOf(entry), extent.base + from * GRANULE, extent.base + to * GRANULE, size * GRANULE);
    });
    allowance.moved += moved;
    costs[Cost.bytesMoved] += moved * GRANULE;
    return moved * GRANULE;
  }

  /** It moves on demand only. */
  compactionDue(): number {
    return 0;
  }

  /** An object freed while pinned shows as padding. */
  walk(map: HeapMap): void {
    const { extent, objects } = this;
    const { base } = extent;
    let at = 0;
    for (const entry of objects.inOrder()) {
      const start = objects.at[entry];
      const bytes = objects.size[entry] * GRANULE;
      if (start > at) map.add(base + at * GRANULE, (start - at) * GRANULE, Kind.free);
      if (objects.doomed[entry] === 1) map.add(base + start * GRANULE, bytes, Kind.padding);
      else map.add(base + start * GRANULE, bytes, Kind.live, refOf(entry));
      at = start + objects.size[entry];
    }
    const used = Math.max(at, extent.used);
    if (used > at) map.add(base + at * GRANULE, (used - at) * GRANULE, Kind.free);
    if (extent.end > used) map.add(base + used * GRANULE, (extent.end - used) * GRANULE, Kind.fresh);
    objects.walk(map);
  }

  /** Takes granules for a new block; -1 where a pass should come first, or there is no memory. */
  private place(need: number, step: number): number {
    const { manager, extent } = this;
    const at = this.wanted === 0 && manager.wantsToMove(need) ? -1 : manager.place(need, step);
    this.wanted = at < 0 ? need : 0;
    if (at < 0) return -1;
    if (at + need > extent.used) extent.used = at + need;
    this.allowance.allocate(need);
    return at;
  }

  private release(at: number, size: number): void {
    this.allowance.live -= size;
    this.manager.release(at, size);
  }
}

/** Managers that move at most 1/c of what was allocated, after the theory of partial compaction. */
export const cPartial: AllocatorSpec<CPartialOptions> = {
  name: "c-partial",
  title: "Partial compaction: one byte moved for c allocated",
  source:
    "Bendersky & Petrank, Space overhead bounds for dynamic memory management with partial compaction, TOPLAS 34(3), 2012",
  indirect: true,
  alignment: GRANULE,
  options: cPartialOptions,
  defaults: defaultsOf(cPartialOptions),
  variants: [
    { c: 1 },
    { manager: "evacuate" },
    { manager: "evacuate", c: 1, growth: 4096 },
    { c: Number.POSITIVE_INFINITY },
  ],
  create: (space, given) => new CPartial(space, resolveOptions("c-partial", cPartialOptions, given)),
};
