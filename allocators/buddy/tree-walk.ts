/** What the state of a unit means in a `TreeBuddy`, and the picture of a chunk that follows from it. */
import type { Address } from "../../memory/address-space.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import type { SplitTree } from "./split-tree.js";

/** State of a unit: 0 inside a block, at a block's first unit its class and one of LIVE, FREE and LAZY. */
export const CLASS = 63;
export const LIVE = 64;
export const FREE = 128;
/** Freed, and not merged. */
export const LAZY = 256;
/** The program's bytes start here, not at the block's start; with the block's class. */
export const INSIDE = 512;
/** With LIVE: the program's bytes start at a unit inside. */
export const LEAD = 1024;

/** What of a buddy system a walk needs: offsets in `state` are units from `base`. */
export interface TreeHeap {
  readonly base: Address;
  readonly unit: number;
  readonly header: number;
  readonly state: Uint16Array;
  readonly tree: SplitTree;
}

/** Adds the chunk that starts at unit `start` to a map; nothing at `used` or above was ever handed out. */
export function walkTreeChunk(map: HeapMap, heap: TreeHeap, start: number, used: number): void {
  const { base, unit, state, tree } = heap;
  const end = start + tree.sizes[tree.root];
  for (let at = start; at < end; ) {
    const next = at + tree.sizes[state[at] & CLASS];
    if ((state[at] & LIVE) !== 0) {
      walkLive(map, heap, at, next);
    } else {
      const fresh = Math.min(Math.max(used, at), next);
      map.add(base + at * unit, (fresh - at) * unit, Kind.free);
      map.add(base + fresh * unit, (next - fresh) * unit, Kind.fresh);
    }
    at = next;
  }
  const bytes = (end - start) * unit;
  map.add(base + end * unit, Math.ceil(bytes / 4096) * 4096 - bytes, Kind.tail);
}

function walkLive(map: HeapMap, heap: TreeHeap, at: number, next: number): void {
  const { base, unit, header, state } = heap;
  const start = base + at * unit;
  let address = start + header;
  if ((state[at] & LEAD) !== 0) {
    let inside = at + 1;
    while ((state[inside] & INSIDE) === 0) inside += 1;
    address = base + inside * unit;
  }
  map.add(start, header, Kind.header);
  map.add(start + header, address - start - header, Kind.padding);
  map.add(address, base + next * unit - address, Kind.live, address);
}
