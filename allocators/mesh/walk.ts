import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { classBytes, classObjects } from "./size-classes.js";
import type { Spans } from "./spans.js";

const PAGE = 4096;

/** One virtual span: blocks that are live here, free bytes between them, and the end that no object fits in. */
function walkSpan(spans: Spans, map: HeapMap, page: number, sizeClass: number, pages: number): void {
  const { arena } = spans;
  const start = arena.addressOf(page);
  if (sizeClass < 0) {
    map.add(start, pages * PAGE, Kind.live, start);
    return;
  }
  const bytes = classBytes[sizeClass];
  const end = start + bytes * classObjects[sizeClass];
  let free = start;
  for (let at = start; at < end; at += bytes) {
    if (!spans.isLive(at - arena.base)) continue;
    map.add(free, at - free, Kind.free);
    map.add(at, bytes, Kind.live, at);
    free = at + bytes;
  }
  map.add(free, end - free, Kind.free);
  map.add(end, start + pages * PAGE - end, Kind.tail);
}

/**
 * Every virtual page. In a span that shares its frames, what is not live in it counts as free, also where another span's
 * object lies on the same bytes of the frame; `snapshot` counts such bytes of the footprint once, as live.
 */
export function walkMesh(spans: Spans, map: HeapMap): void {
  const { arena, heaps, owner } = spans;
  for (let page = 0; page < arena.used; ) {
    let end = page + 1;
    if (owner[page] >= 0) {
      const keeper = owner[page];
      end = page + heaps.pagesOf(keeper);
      walkSpan(spans, map, page, heaps.sizeClass[keeper], end - page);
    } else {
      while (end < arena.used && owner[end] < 0) end++;
      map.add(arena.addressOf(page), (end - page) * PAGE, Kind.free);
    }
    page = end;
  }
  map.add(arena.addressOf(arena.used), (arena.end - arena.used) * PAGE, Kind.fresh);
  spans.descriptors.walk(map);
  spans.index.walk(map);
}
