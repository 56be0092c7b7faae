import type { DefragOptions } from "./options.js";

/**
 * When Redis defragments, and for how long at a time (defrag.c, computeDefragCycles and activeDefragCycle, 7.2). At each
 * `period`, work is due while a scan is on, and a scan begins where at least `lower` percent and `ignore` bytes are
 * wasted. The share of the time that it may take grows in a straight line from `cycleMin` at `lower` to `cycleMax` at
 * `upper`; within a scan it can rise but never falls. With the end of a scan the next begins at once if it must.
 */
export class DefragCycle {
  /** Share of the time, in percent; 0 between scans. */
  private running = 0;
  private next: number;
  private readonly options: DefragOptions;

  constructor(options: DefragOptions) {
    this.options = options;
    this.next = options.start;
  }

  /** Whether a slice may be due at `now`, so that waste need not be computed at each safepoint. */
  isAwake(now: number): boolean {
    if (now < this.next) return false;
    const { period } = this.options;
    this.next = (Math.floor(now / period) + 1) * period;
    return true;
  }

  /** When awake: milliseconds of the slice that is due now; 0 for none. */
  slice(wasted: number, allocated: number): number {
    this.consider(wasted, allocated);
    return (this.running / 100) * this.options.period;
  }

  /** A scan is over. Whether the next one begins. */
  scanned(wasted: number, allocated: number): boolean {
    this.running = 0;
    this.consider(wasted, allocated);
    return this.running > 0;
  }

  private consider(wasted: number, allocated: number): void {
    const { lower, upper, ignore, cycleMin, cycleMax } = this.options;
    const waste = allocated > 0 ? (100 * wasted) / allocated : 0;
    if (this.running === 0 && (wasted === 0 || waste < lower || wasted < ignore)) return;
    const share = cycleMin + ((waste - lower) * (cycleMax - cycleMin)) / (upper - lower);
    this.running = Math.max(this.running, Math.min(cycleMax, Math.max(cycleMin, share)));
  }
}
