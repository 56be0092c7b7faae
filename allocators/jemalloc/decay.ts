/** Steps over which unused pages decay (SMOOTHSTEP_NSTEPS). */
const STEPS = 200;
/** Fractional bits of the curve's values (SMOOTHSTEP_BFP). */
const ONE = 1 << 24;

/** The smootherstep curve 6x^5 - 15x^4 + 10x^3 at x = (i + 1) / 200, in fixed point, rounded down (smoothstep.h). */
const curve = Float64Array.from({ length: STEPS }, (_, i) => {
  const x = (i + 1) / STEPS;
  return Math.floor(x * x * x * (x * (6 * x - 15) + 10) * ONE);
});

/**
 * How many unused pages may stay resident (decay.c). Pages that became unused within an interval, a 200th of the decay
 * time, are one entry of the backlog; each may stay in a share that falls from 1 to 0 along the curve as it ages. The
 * jitter of the intervals' ends, there to keep arenas from purging all at once, is left out.
 */
export class Decay {
  private readonly interval: number;
  private readonly backlog = new Float64Array(STEPS);
  /** When the present interval began, in milliseconds. */
  private epoch: number;
  private unpurged: number;

  /** Pages decay within `time` milliseconds, more than 0. */
  constructor(time: number) {
    this.interval = time / STEPS;
    this.epoch = 0;
    this.unpurged = 0;
  }

  /** At `now`, with `pages` unused pages resident: how many may stay, or -1 where no interval has ended since. */
  limitAt(now: number, pages: number): number {
    const passed = Math.floor((now - this.epoch) / this.interval);
    if (passed < 1) return -1;
    this.epoch += passed * this.interval;
    const { backlog } = this;
    if (passed < STEPS) backlog.copyWithin(0, passed);
    backlog.fill(0, Math.max(0, STEPS - passed));
    backlog[STEPS - 1] = Math.max(0, pages - this.unpurged);
    let sum = 0;
    for (let i = 0; i < STEPS; i++) sum += backlog[i] * curve[i];
    const limit = Math.floor(sum / ONE);
    this.unpurged = Math.max(limit, pages);
    return limit;
  }
}
