/** A replay loop for each allocator class. */
import type { replaySegment as ReplaySegment } from "./replay-loop.js";

const copies = new Map<string, Promise<typeof ReplaySegment>>();

/**
 * The replay loop reserved for one allocator class: a copy of the module under a query string of its own, so that its
 * type feedback stays monomorphic however many allocators the process has run.
 */
export function replayLoopFor(allocator: string): Promise<typeof ReplaySegment> {
  let copy = copies.get(allocator);
  if (copy === undefined) {
    copy = import(/* @vite-ignore */ `./replay-loop.js?for=${encodeURIComponent(allocator)}`).then(
      (module: { replaySegment: typeof ReplaySegment }) => module.replaySegment,
    );
    copies.set(allocator, copy);
  }
  return copy;
}
