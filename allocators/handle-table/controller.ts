import { type CoefficientSet, type Coefficients, coefficients } from "../../memory/coefficients.js";

/**
 * When to compact, and how much, by default: the hysteresis of Anchorage (Alaska, tag asplos-24-revision) with a budget.
 *
 * Waiting, it looks at the fragmentation F every `poll` milliseconds; above `fUpper` it starts to compact, with a budget
 * of `alpha` times the live bytes, fixed there and then. Compacting, it runs a pass with that budget, then sleeps for the
 * time of the pass over `overhead`, at least `minSleep`. It waits again when F is below `fLower`, or when a pass moved
 * nothing, or less than its budget (nothing is left to move). That F did not fall is no reason to stop: under a budget
 * the hole bubbles upwards and the top falls only in the last pass.
 *
 * `periodic` runs a pass at every `poll` whatever F is. `onDemand` never asks for one: a pass then answers a request
 * that found no memory within the limit of the heap, as on the Macintosh and Palm OS.
 *
 * Time is virtual, and so is the time a pass takes.
 */
export interface ControllerOptions {
  trigger: "hysteresis" | "periodic" | "onDemand";
  fUpper: number;
  fLower: number;
  /** Milliseconds between looks at F while waiting, before the first look, and at least between passes. */
  poll: number;
  firstPoll: number;
  minSleep: number;
  /** Largest share of the time spent in passes. */
  overhead: number;
  /** Budget of a pass as a share of the live bytes. */
  alpha: number;
  /** Most bytes of a pass, whatever `alpha` says. */
  passBytes: number;
  /** Coefficients by which a pass takes time. */
  passTime: CoefficientSet;
}

/** Virtual milliseconds that a pass takes. */
export function passTime(
  visited: number,
  moves: number,
  bytes: number,
  pages: number,
  set: CoefficientSet = "raw",
  faults = 0,
): number {
  const ns: Coefficients = coefficients[set];
  const nanoseconds =
    visited * (ns.blocksVisited ?? 0) +
    moves * (ns.moves ?? 0) +
    bytes * (ns.bytesMoved ?? 0) +
    pages * (ns.pagesReleased ?? 0) +
    faults * (ns.pageFaults ?? 0);
  return nanoseconds * 1e-6;
}

export class Controller {
  private readonly options: ControllerOptions;
  private now = 0;
  /** When to act next. */
  private wake: number;
  /** Budget while compacting, 0 while waiting. */
  private budget = 0;
  /** Whether the pass that it asked for is still to come. */
  private asked = false;
  private first = false;

  constructor(options: ControllerOptions) {
    this.options = options;
    this.wake = options.trigger === "onDemand" ? Number.POSITIVE_INFINITY : options.firstPoll;
  }

  /** Whether a pass that it asked for is on, and the first one since it waited. */
  get begins(): boolean {
    return this.asked && this.first;
  }

  /** Whether more passes are to follow the last one. */
  get isCompacting(): boolean {
    return this.budget > 0;
  }

  /** Whether there is anything to decide at `now`, so that F need not be computed at each safepoint. */
  isAwake(now: number): boolean {
    this.now = now;
    return now >= this.wake;
  }

  /** When awake: bytes to move now at fragmentation `f` with `liveBytes` in blocks; 0 for none. */
  due(f: number, liveBytes: number): number {
    const isPeriodic = this.options.trigger === "periodic";
    this.first = this.budget === 0;
    if (this.first && (isPeriodic || f > this.options.fUpper)) {
      this.budget = Math.max(1, Math.min(this.options.alpha * liveBytes, this.options.passBytes));
    }
    this.asked = this.budget > 0;
    if (!this.asked) this.wake = this.now + this.options.poll;
    return this.budget;
  }

  /** A pass of `budget` bytes moved `moved` in `milliseconds` and left fragmentation `f`. */
  passed(budget: number, moved: number, milliseconds: number, f: number): void {
    if (!this.asked) return;
    this.asked = false;
    const isPeriodic = this.options.trigger === "periodic";
    if (isPeriodic || moved === 0 || moved < budget || f < this.options.fLower) {
      this.budget = 0;
      this.wake = this.now + milliseconds + this.options.poll;
    } else {
      // The sleep begins when the pass is over: published steps are pass/overhead + pass apart.
      this.wake = this.now + milliseconds + Math.max(this.options.minSleep, milliseconds / this.options.overhead);
    }
  }
}
