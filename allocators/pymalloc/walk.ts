import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { NO_ARENA } from "./arena-table.js";
import { POOL_HEADER } from "./geometry.js";
import { PoolWord } from "./pool-table.js";
import type { PymallocState } from "./state.js";

const PAGE = 4096;

/**
 * Adds every byte of every arena. The pages around an arena that does not start at a page hold the header of the block
 * of the C library that the arena would be in front, and nothing of use behind.
 */
export function walkArenas(state: PymallocState, map: HeapMap): void {
  const { geometry, arenas } = state;
  const isFree = new Uint8Array(geometry.pool >> geometry.alignBits);
  for (let slot = 0; slot < arenas.slots; slot++) {
    if (arenas.ordinal[slot] === NO_ARENA) continue;
    const base = arenas.baseOf(slot);
    const lead = base % PAGE;
    const first = arenas.base + arenas.firstPool[slot] * geometry.pool;
    const end = first + arenas.total[slot] * geometry.pool;
    const carvedEnd = arenas.base + arenas.nextPool[slot] * geometry.pool;
    map.add(base - lead, lead, Kind.header);
    map.add(base, first - base, Kind.tail);
    for (let pool = arenas.firstPool[slot]; pool < arenas.nextPool[slot]; pool++) walkPool(state, map, pool, isFree);
    map.add(carvedEnd, end - carvedEnd, Kind.fresh);
    map.add(end, Math.ceil((base + geometry.arena) / PAGE) * PAGE - end, Kind.tail);
  }
}

/** A pool that has been carved: `isFree` is scratch, all zero between calls. */
function walkPool({ geometry, arenas, pools }: PymallocState, map: HeapMap, pool: number, isFree: Uint8Array): void {
  const { align } = geometry;
  const at = arenas.base + pool * geometry.pool;
  const handedOut = pools.handedOutEnd(pool);
  if (pools.get(pool, PoolWord.count) === 0) {
    map.add(at, handedOut * align, Kind.free);
    map.add(at + handedOut * align, geometry.pool - handedOut * align, Kind.fresh);
    return;
  }
  const sizeClass = pools.get(pool, PoolWord.sizeClass);
  const granules = sizeClass + 1;
  const links = pools.granuleOf(pool);
  for (let block = pools.get(pool, PoolWord.freeHead); block !== 0; block = pools.link[links + block])
    isFree[block] = 1;
  map.add(at, POOL_HEADER, Kind.header);
  const carved = pools.get(pool, PoolWord.carved);
  for (let block = geometry.headerGranules; block < carved; block += granules) {
    const address = at + block * align;
    if (isFree[block] === 0) map.add(address, granules * align, Kind.live, address);
    else map.add(address, granules * align, block < handedOut ? Kind.free : Kind.fresh);
    isFree[block] = 0;
  }
  // What was never carved under this class may have been handed out under an earlier one.
  const end = geometry.headerGranules + geometry.capacity[sizeClass] * granules;
  const used = Math.max(carved, Math.min(handedOut, end));
  map.add(at + carved * align, (used - carved) * align, Kind.free);
  map.add(at + used * align, (end - used) * align, Kind.fresh);
  map.add(at + end * align, geometry.pool - end * align, Kind.tail);
}
