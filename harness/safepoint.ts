/** Safepoints: the moments between events at which an allocator does what its own clock or controller asks for. */
import { type Allocator, isReorganizing, isTimed, type MoveLog, unlogged } from "../allocators/allocator.js";

/** Virtual time: events per millisecond, so 4e6 operations a second (docs/model.md). */
export const EVENTS_PER_MILLISECOND = 4000;

/** Events between two safepoints. */
export const SEGMENT = 512;

/**
 * The safepoint after `events` events: tells the time to an allocator that wants to know it, and lets one that moves
 * blocks compact as far as its controller wishes, moves written to `log`. Returns whether the heap may have changed.
 */
export function reachSafepoint(allocator: Allocator, events: number, log: MoveLog = unlogged): boolean {
  const now = events / EVENTS_PER_MILLISECOND;
  const timed = isTimed(allocator);
  if (timed) allocator.tick(now);
  if (!isReorganizing(allocator)) return timed;
  const budget = allocator.compactionDue(now);
  if (budget > 0) allocator.compact(budget, log);
  return timed || budget > 0;
}
