/** Compaction passes as the program feels them: how long each took on the virtual clock, and what it gave back. */
import type { AddressSpace } from "../../memory/address-space.js";
import type { Coefficients } from "../../memory/coefficients.js";
import { weightsOf } from "../cost-time.js";

export interface Pauses {
  /** Passes at safepoints, and those that answered a request which found no memory. */
  readonly count: number;
  /** Milliseconds, by nearest rank; `NaN` without a pass. */
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly total: number;
  /** Bytes of footprint before the passes less those after, summed. */
  readonly reclaimed: number;
}

/** The least of the ascending values that at least the share `q` of them do not exceed (nearest rank). */
export function nearestRank(ascending: ArrayLike<number>, q: number): number {
  if (ascending.length === 0) return Number.NaN;
  return ascending[Math.max(0, Math.ceil(q * ascending.length) - 1)];
}

/** Times every pass by what the counters went up by in it. */
export class PauseMeter {
  private readonly space: AddressSpace;
  private readonly weights: Float64Array;
  private readonly before: Float64Array;
  private readonly times: number[] = [];
  private footprintBefore = 0;
  private reclaimed = 0;

  constructor(space: AddressSpace, set: Coefficients) {
    this.space = space;
    this.weights = weightsOf(set);
    this.before = space.costs.slice();
  }

  begin(): void {
    this.before.set(this.space.costs);
    this.footprintBefore = this.space.footprint;
  }

  end(): void {
    const { before, weights, space } = this;
    let ns = 0;
    for (let i = 0; i < weights.length; i++) ns += weights[i] * (space.costs[i] - before[i]);
    this.times.push(ns * 1e-6);
    this.reclaimed += this.footprintBefore - space.footprint;
  }

  result(): Pauses {
    const ascending = Float64Array.from(this.times).sort();
    return {
      count: ascending.length,
      p50: nearestRank(ascending, 0.5),
      p99: nearestRank(ascending, 0.99),
      max: nearestRank(ascending, 1),
      total: this.times.reduce((sum, time) => sum + time, 0),
      reclaimed: this.reclaimed,
    };
  }
}
