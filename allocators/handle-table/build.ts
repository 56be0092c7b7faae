import type { AddressSpace } from "../../memory/address-space.js";
import { InputError } from "../../memory/errors.js";
import { type Allocator, hasArenas } from "../allocator.js";
import { type Families, outerHeap, withClockOf } from "../outer.js";
import { BestHoles } from "./best-holes.js";
import { CompactingHandles } from "./compacting-handles.js";
import type { Compactor } from "./handle-heap.js";
import { Handles } from "./handles.js";
import { InnerEvacuation } from "./inner-evacuation.js";
import { InnerHandles } from "./inner-handles.js";
import { Mover } from "./mover.js";
import type { HandleTableOptions } from "./options.js";
import { PinModel } from "./pin-model.js";
import { Pins } from "./pins.js";
import { Slide } from "./slide.js";
import { SlidingOn } from "./sliding-on.js";
import { SparsePages } from "./sparse-pages.js";
import { TwoFinger } from "./two-finger.js";
import { TwoHeapHandles } from "./two-heap-handles.js";
import { TwoSpaces } from "./two-spaces.js";

/** The largest heap that 27 bits of address in units reach. */
const SMALL_ENTRY_LIMIT = 0x80000000;

/** A heap behind a handle table, from options that have been checked. */
export function buildHandles(
  owner: string,
  space: AddressSpace,
  given: HandleTableOptions,
  families: Families,
): Allocator {
  const options =
    given.entryBytes === 4 ? { ...given, heapLimit: Math.min(given.heapLimit, SMALL_ENTRY_LIMIT) } : given;
  if (options.inner !== "own") return overInner(owner, space, options, families);
  if (options.compact === "none") return new Handles(space, options);
  if (options.compact === "semispace" || options.pinnedHigh) return withTwoHeaps(space, options);
  const handles = new Handles(space, options);
  const pins = new Pins(handles.entries, options);
  const mover = new Mover(space, handles.heap, handles.entries, pins, options.trimOnMove);
  return new CompactingHandles(space, handles, compactorOf(mover, options), pins, options);
}

function overInner(owner: string, space: AddressSpace, options: HandleTableOptions, families: Families): Allocator {
  const inner = outerHeap(owner, "inner", options.inner, families, space);
  const handles = new InnerHandles(space, inner, options);
  if (options.compact === "none") return withClockOf(handles, inner);
  if (options.region === 0 && !hasArenas(inner)) {
    throw new InputError(`${owner}: option region: ${options.inner} has no arenas: give bytes, such as 4096`);
  }
  const pins = new Pins(handles.entries, options);
  const compactor = new InnerEvacuation(space, handles, pins, options.region, options.victims);
  return withClockOf(new CompactingHandles(space, handles, compactor, pins, options), inner);
}

function withTwoHeaps(space: AddressSpace, options: HandleTableOptions): Allocator {
  const handles = new TwoHeapHandles(space, options);
  const pins = new Pins(handles.entries, options);
  if (options.compact === "semispace") {
    const spaces = new TwoSpaces(space, handles, pins, options.trimOnMove, options.payloadOnly);
    return new CompactingHandles(space, handles, spaces, pins, options);
  }
  // What is pinned for life goes to the second heap, and only the first is compacted.
  const model = new PinModel(handles.entries, options);
  handles.chooser = { choose: (index) => (model.holds(index) ? 1 : 0) };
  const mover = new Mover(space, handles.heaps[0], handles.entries, pins, options.trimOnMove);
  return new CompactingHandles(space, handles, compactorOf(mover, options), pins, options);
}

/** How blocks of one heap move. */
function compactorOf(mover: Mover, options: HandleTableOptions): Compactor {
  switch (options.compact) {
    case "twoFinger":
      return new TwoFinger(mover);
    case "bestFit":
      return new BestHoles(mover);
    case "evacuate":
      return new SparsePages(mover);
    default:
      return options.resume ? new SlidingOn(mover) : new Slide(mover);
  }
}
