/** Safepoints: the moments between events at which an allocator does what its own clock or controller asks for. */
import {
  type Allocator,
  isReorganizing,
  isTimed,
  type MoveLog,
  type Reorganizing,
  unlogged,
} from "../allocators/allocator.js";
import type { PauseMeter } from "./metrics/pauses.js";

/** Virtual time: events per millisecond, so 4e6 operations a second (docs/model.md). */
export const EVENTS_PER_MILLISECOND = 4000;

/** Events between two safepoints. */
export const SEGMENT = 512;

/** One pass of the allocator, timed if there is a meter. */
export function runPass(allocator: Reorganizing, budget: number, log: MoveLog, pauses?: PauseMeter): void {
  pauses?.begin();
  allocator.compact(budget, log);
  pauses?.end();
}

/**
 * The safepoint after `events` events: tells the time to an allocator that wants to know it, and lets one that moves
 * blocks compact as far as its controller wishes, moves written to `log`. Returns whether the heap may have changed.
 */
export function reachSafepoint(
  allocator: Allocator,
  events: number,
  log: MoveLog = unlogged,
  pauses?: PauseMeter,
): boolean {
  const now = events / EVENTS_PER_MILLISECOND;
  const timed = isTimed(allocator);
  if (timed) allocator.tick(now);
  if (!isReorganizing(allocator)) return timed;
  const budget = allocator.compactionDue(now);
  if (budget > 0) runPass(allocator, budget, log, pauses);
  return timed || budget > 0;
}
