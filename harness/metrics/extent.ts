/** The extent of a run: from the lowest start to the highest end that any block ever had, as asked for. */
import {
  type Allocator,
  hasArenas,
  isCompacting,
  isPhaseAware,
  isReorganizing,
  isTimed,
  none,
  type Ref,
} from "../../allocators/allocator.js";
import type { AddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";

export interface ExtentMeter {
  /** The allocator with the same capabilities, of which every placement is seen. */
  readonly allocator: Allocator;
  /** Bytes, 0 before the first block. */
  extent(): number;
}

/** Compaction is not watched: it moves blocks down, between the ends that they have had. */
export function measureExtent(inner: Allocator, space: AddressSpace): ExtentMeter {
  const { costs } = space;
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  const see = (ref: Ref, size: number): Ref => {
    if (ref === none) return ref;
    const loads = costs[Cost.tableLoads];
    const at = inner.addressOf(ref);
    // The program has not looked.
    costs[Cost.tableLoads] = loads;
    if (at < lowest) lowest = at;
    if (at + size > highest) highest = at + size;
    return ref;
  };
  const plain: Allocator = {
    allocate: (size, alignment) => see(inner.allocate(size, alignment), size),
    free: (ref) => inner.free(ref),
    reallocate: (ref, size) => see(inner.reallocate(ref, size), size),
    addressOf: (ref) => inner.addressOf(ref),
    capacityOf: (ref) => inner.capacityOf(ref),
    walk: (map) => inner.walk(map),
  };
  const allocator = {
    ...plain,
    ...(isReorganizing(inner)
      ? { compact: inner.compact.bind(inner), compactionDue: inner.compactionDue.bind(inner) }
      : {}),
    ...(isCompacting(inner)
      ? { pin: inner.pin.bind(inner), unpin: inner.unpin.bind(inner), access: inner.access.bind(inner) }
      : {}),
    ...(isPhaseAware(inner) ? { phase: inner.phase.bind(inner) } : {}),
    ...(isTimed(inner) ? { tick: inner.tick.bind(inner) } : {}),
    ...(hasArenas(inner) ? { placementOf: inner.placementOf.bind(inner) } : {}),
  };
  return { allocator, extent: () => Math.max(0, highest - lowest) };
}
