/** A replay loop for each allocator class. */
import { setFlagsFromString } from "node:v8";
import type { replaySegment as ReplaySegment } from "./replay-loop.js";

// An allocator is a tree of small methods, and V8 stops inlining into the loop after 920 bytecodes: too early for all but
// the smallest. A matter of speed only: handle-table replays about a sixth faster.
setFlagsFromString("--max-inlined-bytecode-size-cumulative=3000");

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
