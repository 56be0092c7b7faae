/** How far a heap reaches, against what its blocks take: the fragmentation that Anchorage watches. */
import { type HeapMap, Kind } from "../../memory/heap-map.js";

export interface HeapExtent {
  /** Bytes from the bottom of each stretch of heap to the end of its highest block. */
  readonly extent: number;
  /** Bytes below those ends in blocks handed out, with headers and padding; at most `extent`. */
  readonly blockBytes: number;
}

// An imported constant is looked up at each use (V8 11), a module's own is folded.
const LIVE = Kind.live;
const PADDING = Kind.padding;
const HEADER = Kind.header;
const META = Kind.meta;
const TABLE = Kind.table;

/**
 * The extent of a walked heap. A stretch is a run of adjacent mapped pieces of heap, pages given back within it included;
 * addresses between stretches belong to no heap. In one contiguous heap the extent is the top. A header ends a block
 * where it adjoins it, as a footer does; behind a gap it is that of a block to come, or a fence post.
 */
export function heapExtent(map: HeapMap): HeapExtent {
  let [extent, blockBytes] = [0, 0];
  let [bottom, top, end] = [0, 0, -1];
  let [used, usedBelowTop] = [0, 0];
  for (let i = 0; i < map.length; i++) {
    const kind = map.kind[i];
    if (kind === META || kind === TABLE) continue;
    const start = map.start[i];
    if (start !== end) {
      extent += top - bottom;
      blockBytes += usedBelowTop;
      bottom = start;
      top = start;
      used = 0;
      usedBelowTop = 0;
    }
    end = start + map.bytes[i];
    if (kind !== LIVE && kind !== PADDING && kind !== HEADER) continue;
    used += map.bytes[i];
    if (kind === HEADER && start !== top) continue;
    top = end;
    usedBelowTop = used;
  }
  return { extent: extent + top - bottom, blockBytes: blockBytes + usedBelowTop };
}
