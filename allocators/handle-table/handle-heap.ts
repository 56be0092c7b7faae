import type { Allocator, MoveLog } from "../allocator.js";
import type { HandleEntries } from "./handle-entries.js";

/**
 * A heap behind a handle table: what moving blocks, pins and the decision to compact need to know of it, whatever it
 * lays its blocks out in.
 */
export interface HandleHeap extends Allocator {
  readonly entries: HandleEntries;
  /** Ends a live object; while it is pinned, only its name. */
  freeEntry(index: number): void;
  /** Bytes from the lowest to the highest place in use, over all parts of the heap. */
  extent(): number;
  /** Bytes in live blocks, headers included. */
  liveBytes(): number;
  /** Bytes that the program asked for in live blocks. */
  asked(): number;
  /** Gives back the pages that a pass left empty. */
  releasePages(): void;
}

/** An order in which to move blocks of a heap. */
export interface Compactor {
  /** One pass that moves at most `budget` bytes, overshooting by less than one block. Returns the bytes moved. */
  pass(budget: number, log: MoveLog): number;
  /** The next pass is the first since the controller waited, or one that no controller asked for. */
  restart?(): void;
  /** Set where a pass may move less than its budget although more could be moved: only one that moves nothing is the last. */
  readonly stopsShort?: boolean;
}
