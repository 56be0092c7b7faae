import { arenaMapShape, nodesOver } from "./arena-map.js";
import { NO_ARENA } from "./arena-table.js";
import { POOL_HEADER } from "./geometry.js";
import { PoolWord } from "./pool-table.js";
import type { PymallocState } from "./state.js";

/** One size class that has pools with live blocks. `size` in bytes, the rest are numbers of pools and blocks. */
export interface ClassStatistics {
  class: number;
  size: number;
  pools: number;
  blocksInUse: number;
  availBlocks: number;
}

/** Memory of the radix tree of arenas. Nodes in numbers, sizes in bytes. */
export interface ArenaMapStatistics {
  midNodes: number;
  botNodes: number;
  bytesRoot: number;
  bytesMid: number;
  bytesBot: number;
  total: number;
}

/** What `sys._debugmallocstats()` prints, as numbers: every byte of every arena is in one of the six that sum to `total`. */
export interface PymallocStatistics {
  classes: ClassStatistics[];
  arenasAllocatedTotal: number;
  arenasReclaimed: number;
  arenasHighwater: number;
  arenasCurrent: number;
  /** Current arenas times the arena size. */
  bytesArenas: number;
  /** Blocks in use, at the size of their class: what was asked for is not known here. */
  bytesAllocated: number;
  bytesAvailable: number;
  /** Emptied and never carved. */
  unusedPools: number;
  bytesUnusedPools: number;
  bytesPoolHeaders: number;
  bytesQuantization: number;
  bytesArenaAlignment: number;
  total: number;
  /** Only for variants that have the tree. */
  arenaMap?: ArenaMapStatistics;
}

function classStatistics({ geometry, pools, arenas }: PymallocState): ClassStatistics[] {
  const rows: ClassStatistics[] = Array.from(geometry.capacity, (_, sizeClass) => ({
    class: sizeClass,
    size: (sizeClass + 1) * geometry.align,
    pools: 0,
    blocksInUse: 0,
    availBlocks: 0,
  }));
  for (let slot = 0; slot < arenas.slots; slot++) {
    if (arenas.ordinal[slot] === NO_ARENA) continue;
    for (let pool = arenas.firstPool[slot]; pool < arenas.nextPool[slot]; pool++) {
      const count = pools.get(pool, PoolWord.count);
      if (count === 0) continue;
      const sizeClass = pools.get(pool, PoolWord.sizeClass);
      const row = rows[sizeClass];
      row.pools++;
      row.blocksInUse += count;
      row.availBlocks += geometry.capacity[sizeClass] - count;
    }
  }
  return rows.filter((row) => row.pools > 0);
}

function arenaMapStatistics({ geometry, arenas }: PymallocState): ArenaMapStatistics {
  const shape = arenaMapShape(geometry.arenaBits, geometry.mapBits);
  const none = arenas.created === 0;
  const midNodes = none ? 0 : nodesOver(arenas.base, arenas.lastCovered, shape.midSpan);
  const botNodes = none ? 0 : nodesOver(arenas.base, arenas.lastCovered, shape.bottomSpan);
  const bytesMid = midNodes * shape.interiorBytes;
  const bytesBot = botNodes * shape.bottomBytes;
  const bytesRoot = shape.interiorBytes;
  return { midNodes, botNodes, bytesRoot, bytesMid, bytesBot, total: bytesRoot + bytesMid + bytesBot };
}

/** The numbers of `_PyObject_DebugMallocStats` (obmalloc.c). Large blocks are not in them. */
export function pymallocStatistics(state: PymallocState): PymallocStatistics {
  const { geometry, arenas } = state;
  const classes = classStatistics(state);
  const sum = (term: (row: ClassStatistics) => number): number => classes.reduce((total, row) => total + term(row), 0);
  let arenasCurrent = 0;
  let unusedPools = 0;
  let misaligned = 0;
  for (let slot = 0; slot < arenas.slots; slot++) {
    if (arenas.ordinal[slot] === NO_ARENA) continue;
    arenasCurrent++;
    unusedPools += arenas.free[slot];
    if (arenas.baseOf(slot) % geometry.pool !== 0) misaligned++;
  }
  const bytesAllocated = sum((row) => row.blocksInUse * row.size);
  const bytesAvailable = sum((row) => row.availBlocks * row.size);
  const bytesUnusedPools = unusedPools * geometry.pool;
  const bytesPoolHeaders = sum((row) => row.pools) * POOL_HEADER;
  const bytesQuantization = sum((row) => row.pools * ((geometry.pool - POOL_HEADER) % row.size));
  const bytesArenaAlignment = misaligned * geometry.pool;
  return {
    classes,
    arenasAllocatedTotal: arenas.created,
    arenasReclaimed: arenas.created - arenasCurrent,
    arenasHighwater: arenas.highwater,
    arenasCurrent,
    bytesArenas: arenasCurrent * geometry.arena,
    bytesAllocated,
    bytesAvailable,
    unusedPools,
    bytesUnusedPools,
    bytesPoolHeaders,
    bytesQuantization,
    bytesArenaAlignment,
    total:
      bytesAllocated + bytesAvailable + bytesUnusedPools + bytesPoolHeaders + bytesQuantization + bytesArenaAlignment,
    ...(geometry.mapBits > 0 ? { arenaMap: arenaMapStatistics(state) } : {}),
  };
}
