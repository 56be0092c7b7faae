import { HeapMap, Kind } from "../../memory/heap-map.js";
import type { Allocator, Ref } from "../allocator.js";

const GENERATION = 0x100000000;

/** Entry and generation of a ref, as `1:g0`. */
export function nameOf(ref: Ref): string {
  return `${(ref % GENERATION) - 1}:g${Math.floor(ref / GENERATION)}`;
}

/**
 * The heap as text: `address:size#entry` for each block, header included, P where pinned, then the top. Addresses count
 * from the heap's base.
 */
export function drawHeap(heap: Allocator, pinned: readonly Ref[] = []): string {
  const map = new HeapMap();
  heap.walk(map);
  const base = map.start[0];
  const blocks: string[] = [];
  let top = 0;
  let drawn = 0;
  for (let i = 0; i < map.length && map.kind[i] !== Kind.table; i++) {
    const at = map.start[i] - base;
    if (map.kind[i] === Kind.free) blocks.push(`${at}:${map.bytes[i]} free`);
    if (map.kind[i] !== Kind.live) continue;
    const ref = map.owner[i] as Ref;
    const entry = (ref % GENERATION) - 1;
    blocks.push(`${at - 16}:${map.bytes[i] + 16}#${entry}${pinned.includes(ref) ? "P" : ""}`);
    top = at + map.bytes[i];
    drawn = blocks.length;
  }
  return `${blocks.slice(0, drawn).join(", ")} | top ${top}`;
}
