/** A replay loop for each allocator class. */
import { setFlagsFromString } from "node:v8";
import type { replaySegment as ReplaySegment } from "./replay-loop.js";

// An allocator is a tree of small methods and a few long ones. V8 inlines neither the long ones (460 bytecodes) nor, after
// 920 bytecodes in all, the small ones; at each call that remains it forgets what it knows of arrays and objects. A
// matter of speed only: handle-table replays about a quarter faster.
setFlagsFromString("--max-inlined-bytecode-size=3000");
setFlagsFromString("--max-inlined-bytecode-size-cumulative=12000");

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
