/** Small heaps byte by byte: which block lies where. For pictures of a few blocks. */
import { type HeapMap, Kind, type KindName, kindNames } from "../../memory/heap-map.js";
import { OP_MASK, Op, type Trace } from "../../workloads/trace.js";

export interface Piece {
  /** Bytes from the start of the region that holds the first live block. */
  readonly start: number;
  readonly bytes: number;
  readonly kind: KindName;
  /** Ordinal of the block's allocation in the trace, from 0; -1 for what is no live block. */
  readonly block: number;
}

/** Pieces beyond which a heap is no longer small. */
const MOST = 64;

/** Ordinal of the allocation that made the block in each slot, after `events` events. */
function births(trace: Pick<Trace, "op" | "slot" | "slots">, events: number): Int32Array {
  const born = new Int32Array(trace.slots).fill(-1);
  let ordinal = 0;
  for (let i = 0; i < events; i++) {
    const op = trace.op[i] & OP_MASK;
    if (op === Op.allocate) born[trace.slot[i]] = ordinal++;
    else if (op === Op.free) born[trace.slot[i]] = -1;
  }
  return born;
}

/**
 * The pieces of the region with the lowest live block, up to the last live block in it and what follows directly.
 * `refs` holds the ref of each slot. Empty for a heap without live blocks.
 */
export function layoutOf(
  map: HeapMap,
  trace: Pick<Trace, "op" | "slot" | "slots">,
  refs: Float64Array,
  events: number,
): Piece[] {
  const born = births(trace, events);
  const blockOf = new Map<number, number>();
  born.forEach((ordinal, slot) => {
    if (ordinal >= 0) blockOf.set(refs[slot], ordinal);
  });
  const order = Array.from({ length: map.length }, (_, i) => i).sort((a, b) => map.start[a] - map.start[b]);
  const firstLive = order.findIndex((i) => map.kind[i] === Kind.live);
  if (firstLive < 0) return [];
  const endOf = (k: number): number => map.start[order[k]] + map.bytes[order[k]];
  let first = firstLive;
  while (first > 0 && endOf(first - 1) === map.start[order[first]]) first--;
  let last = first;
  while (last + 1 < order.length && endOf(last) === map.start[order[last + 1]]) last++;
  const base = map.start[order[first]];
  return order.slice(first, Math.min(last + 1, first + MOST)).map((i) => ({
    start: map.start[i] - base,
    bytes: map.bytes[i],
    kind: kindNames[map.kind[i]],
    block: map.kind[i] === Kind.live ? (blockOf.get(map.owner[i]) ?? -1) : -1,
  }));
}
