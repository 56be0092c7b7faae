import { NO_ARENA } from "./arena-table.js";
import { NO_POOL, PoolWord } from "./pool-table.js";
import type { PymallocState } from "./state.js";

/** A pool that has been carved, in the terms of struct pool_header. Offsets are bytes from the pool's start. */
export interface PoolDump {
  szidx: number;
  count: number;
  nextoffset: number;
  /** Free blocks, next one to be handed out first. The block carved ahead of its use is one of them. */
  free: number[];
}

/** An arena, in the terms of struct arena_object. Pools are numbered from the arena's first. */
export interface ArenaDump {
  /** Number in order of creation. */
  arena: number;
  slot: number;
  nfreepools: number;
  ntotalpools: number;
  carved: number;
  freepools: number[];
  pools: PoolDump[];
}

/** The whole state of the allocator but for large blocks: every list, in its order. */
export interface PymallocDump {
  /** Length of arenas[]. */
  maxarenas: number;
  /** Ordinals of the usable arenas, the next one to be used first. */
  usable: number[];
  /** Slots of arenas[] without arena, the next one to be used first. */
  unusedSlots: number[];
  /** In the order of their slots. */
  arenas: ArenaDump[];
  /** By size class: [arena ordinal, pool], the next one to be used first; classes without such pools are left out. */
  usedpools: Record<string, [number, number][]>;
}

function dumpPool({ geometry, pools }: PymallocState, pool: number): PoolDump {
  const links = pools.granuleOf(pool);
  const free: number[] = [];
  for (let block = pools.get(pool, PoolWord.freeHead); block !== 0; block = pools.link[links + block])
    free.push(block * geometry.align);
  return {
    szidx: pools.get(pool, PoolWord.sizeClass),
    count: pools.get(pool, PoolWord.count),
    nextoffset: pools.get(pool, PoolWord.carved) * geometry.align,
    free,
  };
}

function dumpArena(state: PymallocState, slot: number): ArenaDump {
  const { arenas, pools } = state;
  const first = arenas.firstPool[slot];
  const freepools: number[] = [];
  for (let pool = arenas.emptied[slot]; pool !== NO_POOL; pool = pools.get(pool, PoolWord.next))
    freepools.push(pool - first);
  const carved: PoolDump[] = [];
  for (let pool = first; pool < arenas.nextPool[slot]; pool++) carved.push(dumpPool(state, pool));
  return {
    arena: arenas.ordinal[slot],
    slot,
    nfreepools: arenas.free[slot],
    ntotalpools: arenas.total[slot],
    carved: carved.length,
    freepools,
    pools: carved,
  };
}

/** A copy of the state as plain data, for comparison with dumps of the C structures, and for teaching. */
export function dumpOf(state: PymallocState): PymallocDump {
  const { arenas, pools } = state;
  const usable = arenas.order.list().map((slot) => arenas.ordinal[slot]);
  const usedpools: Record<string, [number, number][]> = {};
  pools.used.forEach((head, sizeClass) => {
    const list: [number, number][] = [];
    for (let pool = head; pool !== NO_POOL; pool = pools.get(pool, PoolWord.next)) {
      const slot = arenas.slotOf(pool);
      list.push([arenas.ordinal[slot], pool - arenas.firstPool[slot]]);
    }
    if (list.length > 0) usedpools[sizeClass] = list;
  });
  const slots = Array.from({ length: arenas.slots }, (_, slot) => slot).filter(
    (slot) => arenas.ordinal[slot] !== NO_ARENA,
  );
  return {
    maxarenas: arenas.slots,
    usable,
    unusedSlots: arenas.unusedOrder(),
    arenas: slots.map((slot) => dumpArena(state, slot)),
    usedpools,
  };
}
