import type { Extent } from "../sequential-fit/extent.js";
import type { Allowance } from "./allowance.js";
import { aligned, type Manager, type Moved } from "./manager.js";
import type { Objects } from "./objects.js";

/**
 * Bendersky and Petrank's upper bound: hand out the next granules; when they would pass (c + 1) M, M the most ever live,
 * slide all blocks down. Since the last slide at least c M were allocated, and a slide moves M at most, so it is paid for.
 */
export class Slide implements Manager {
  top = 0;
  private readonly extent: Extent;
  private readonly objects: Objects;
  private readonly allowance: Allowance;

  constructor(extent: Extent, objects: Objects, allowance: Allowance) {
    this.extent = extent;
    this.objects = objects;
    this.allowance = allowance;
  }

  wantsToMove(need: number): boolean {
    const { c, live, mostLive } = this.allowance;
    return this.top > live && this.top + need > (c + 1) * Math.max(mostLive, live + need);
  }

  place(need: number, step: number): number {
    const at = aligned(this.extent.base, this.top, step);
    if (!this.extent.growTo(at + need)) return -1;
    this.top = at + need;
    return at;
  }

  /** What is freed comes back with the next slide, or when nothing is live. */
  release(): void {
    if (this.allowance.live > 0) return;
    this.top = 0;
    this.extent.shrinkAbove(0, 0);
  }

  move(need: number, budget: number, moved: Moved): number {
    const { objects, allowance, extent } = this;
    const allowed = allowance.left(need);
    let total = 0;
    let to = 0;
    for (const entry of objects.inOrder()) {
      const from = objects.at[entry];
      const size = objects.size[entry];
      const target = aligned(extent.base, to, objects.step[entry]);
      if (target < from && objects.pins[entry] === 0 && total < budget && total + size <= allowed) {
        moved(entry, from, target, size);
        total += size;
      }
      to = objects.at[entry] + size;
    }
    this.top = to;
    extent.shrinkAbove(to, 0);
    return total;
  }
}
