/** A replay loop for each allocator class. */
import { setFlagsFromString } from "node:v8";
import type { Allocator } from "../allocators/allocator.js";
import type { replaySegment as ReplaySegment } from "./replay-loop.js";

// An allocator is a tree of small methods and a few long ones. V8 inlines neither the long ones (460 bytecodes) nor, after
// 920 bytecodes in all (4,600 with the small ones that it always takes), the others; at each call that remains it forgets what
// it knows of arrays and objects. A matter of speed only: handle-table replays about a quarter faster, and first-fit no
// slower for the other fits that the process has run.
setFlagsFromString("--max-inlined-bytecode-size=3000");
setFlagsFromString("--max-inlined-bytecode-size-cumulative=12000");
setFlagsFromString("--max-inlined-bytecode-size-absolute=12000");

const copies = new Map<unknown, Promise<typeof ReplaySegment>>();

/**
 * The replay loop reserved for the class of an allocator: a copy of the module under a query string of its own, so that its
 * type feedback stays monomorphic however many allocators the process has run, of whatever options.
 */
export function replayLoopFor(allocator: Allocator): Promise<typeof ReplaySegment> {
  const kind = allocator.constructor;
  let copy = copies.get(kind);
  if (copy === undefined) {
    copy = import(/* @vite-ignore */ `./replay-loop.js?for=${kind.name}-${copies.size}`).then(
      (module: { replaySegment: typeof ReplaySegment }) => module.replaySegment,
    );
    copies.set(kind, copy);
  }
  return copy;
}
