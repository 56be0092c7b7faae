import type { AddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import type { StaleUse } from "../allocator.js";

/** Uses of refs that name no live object, second frees included: they are counted, and of the first one is told more. */
export class StaleUses {
  /** Event, entry and generation. */
  first: StaleUse | undefined;
  private readonly space: AddressSpace;

  constructor(space: AddressSpace) {
    this.first = undefined;
    this.space = space;
  }

  /** Returns -1, which is no entry. */
  count(entry: number, generation: number): number {
    const { costs, log } = this.space;
    costs[Cost.staleHandles] += 1;
    this.first ??= { event: log.now, entry, generation };
    return -1;
  }
}
