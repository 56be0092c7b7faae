import type { Ref } from "../allocator.js";
import { NO_ARENA } from "./arena-table.js";
import { PoolWord } from "./pool-table.js";
import type { PymallocAllocator } from "./pymalloc.js";

/** Live blocks as columns, oldest first. */
export interface Survivors {
  readonly length: number;
  readonly ref: Float64Array;
  /** Bytes asked for. */
  readonly size: Float64Array;
  /** Event of birth. */
  readonly birth: Float64Array;
  /** Allocation site as in `AllocationSites.of`; empty where no sites are known. */
  readonly site: Uint32Array;
}

/** What keeps an arena. Bytes are bytes; births are events. */
export interface ArenaPins {
  /** Number in order of creation. */
  readonly arena: number;
  readonly slot: number;
  readonly pools: number;
  readonly poolsInUse: number;
  readonly blocks: number;
  /** Asked for, and at the size of the classes. */
  readonly liveBytes: number;
  readonly blockBytes: number;
  readonly oldest: number;
  readonly newest: number;
}

/** What some group of survivors keeps. */
export interface GroupPins {
  readonly name: string;
  readonly blocks: number;
  readonly liveBytes: number;
  /** Pools and arenas with at least one block of the group, and those with no other. */
  readonly pools: number;
  readonly poolsAlone: number;
  readonly arenas: number;
  readonly arenasAlone: number;
}

/** The heap when the k oldest survivors have been freed. */
export interface AfterOldest {
  readonly freed: number;
  readonly liveBytes: number;
  /** Bytes of pools with live blocks, and of arenas. */
  readonly poolBytes: number;
  readonly arenaBytes: number;
}

/** Which pool and which arena (by ordinal) each survivor is in. */
export interface Homes {
  readonly pool: Int32Array;
  readonly arena: Int32Array;
}

/** Finds the pools and arenas of survivors, all of which must be in arenas. */
export function homesOf(heap: PymallocAllocator, survivors: Survivors): Homes {
  const { arenas, geometry } = heap;
  const pool = Int32Array.from(survivors.ref, (ref) => Math.floor((ref - arenas.base) / geometry.pool));
  return { pool, arena: pool.map((of) => arenas.ordinal[arenas.slotOf(of)]) };
}

/** What keeps each arena, in order of creation; an arena without live blocks is one that the variant keeps. */
export function arenaPins(heap: PymallocAllocator, survivors: Survivors, homes: Homes): ArenaPins[] {
  const { arenas, geometry, pools } = heap;
  const blocksOf = new Map<number, number[]>();
  homes.arena.forEach((arena, i) => {
    const blocks = blocksOf.get(arena);
    if (blocks === undefined) blocksOf.set(arena, [i]);
    else blocks.push(i);
  });
  const slots = Array.from({ length: arenas.slots }, (_, slot) => slot);
  const live = slots.filter((slot) => arenas.ordinal[slot] !== NO_ARENA);
  const rows = live.map((slot): ArenaPins => {
    const arena = arenas.ordinal[slot];
    const blocks = blocksOf.get(arena) ?? [];
    const classOf = (i: number): number => pools.get(homes.pool[i], PoolWord.sizeClass);
    return {
      arena,
      slot,
      pools: arenas.total[slot],
      poolsInUse: arenas.total[slot] - arenas.free[slot],
      blocks: blocks.length,
      liveBytes: blocks.reduce((sum, i) => sum + survivors.size[i], 0),
      blockBytes: blocks.reduce((sum, i) => sum + (classOf(i) + 1) * geometry.align, 0),
      oldest: blocks.length === 0 ? Number.NaN : survivors.birth[blocks[0]],
      newest: blocks.length === 0 ? Number.NaN : survivors.birth[blocks[blocks.length - 1]],
    };
  });
  return rows.sort((a, b) => a.arena - b.arena);
}

/** By place (a pool or an arena): the one group that has blocks there, or -1 for several. */
function ownersOf(places: Int32Array, group: ArrayLike<number>): Map<number, number> {
  const owners = new Map<number, number>();
  for (let i = 0; i < places.length; i++) {
    const owner = owners.get(places[i]);
    if (owner === undefined) owners.set(places[i], group[i]);
    else if (owner !== group[i]) owners.set(places[i], -1);
  }
  return owners;
}

/** What groups of survivors keep, in the order of `names`; survivor i is in group `group[i]`. Groups without any are left out. */
export function groupPins(
  survivors: Survivors,
  homes: Homes,
  group: ArrayLike<number>,
  names: readonly string[],
): GroupPins[] {
  const pools = names.map(() => new Set<number>());
  const arenas = names.map(() => new Set<number>());
  const blocks = new Float64Array(names.length);
  const liveBytes = new Float64Array(names.length);
  for (let i = 0; i < survivors.length; i++) {
    pools[group[i]].add(homes.pool[i]);
    arenas[group[i]].add(homes.arena[i]);
    blocks[group[i]]++;
    liveBytes[group[i]] += survivors.size[i];
  }
  const alone = (owners: Map<number, number>): Float64Array => {
    const counts = new Float64Array(names.length);
    for (const owner of owners.values()) if (owner >= 0) counts[owner]++;
    return counts;
  };
  const poolsAlone = alone(ownersOf(homes.pool, group));
  const arenasAlone = alone(ownersOf(homes.arena, group));
  return names
    .map((name, g) => ({
      name,
      blocks: blocks[g],
      liveBytes: liveBytes[g],
      pools: pools[g].size,
      poolsAlone: poolsAlone[g],
      arenas: arenas[g].size,
      arenasAlone: arenasAlone[g],
    }))
    .filter((row) => row.blocks > 0);
}

/** Pools that so many blocks keep: `least` to `most` of them. */
export interface PoolsByBlocks {
  readonly least: number;
  readonly most: number;
  readonly pools: number;
  readonly blocks: number;
  readonly liveBytes: number;
}

/** Pools by the number of blocks that keep them: 1, 2, 3 to 4, 5 to 8 and so on; numbers that no pool has are left out. */
export function poolsByBlocks(survivors: Survivors, homes: Homes): PoolsByBlocks[] {
  const blocks = new Map<number, number>();
  const bytes = new Map<number, number>();
  homes.pool.forEach((pool, i) => {
    blocks.set(pool, (blocks.get(pool) ?? 0) + 1);
    bytes.set(pool, (bytes.get(pool) ?? 0) + survivors.size[i]);
  });
  const rows: PoolsByBlocks[] = [];
  for (let least = 1, most = 1; least <= survivors.length; least = most + 1, most *= 2) {
    const pools = [...blocks].filter(([, count]) => count >= least && count <= most);
    if (pools.length === 0) continue;
    rows.push({
      least,
      most,
      pools: pools.length,
      blocks: pools.reduce((sum, [, count]) => sum + count, 0),
      liveBytes: pools.reduce((sum, [pool]) => sum + (bytes.get(pool) ?? 0), 0),
    });
  }
  return rows;
}

/**
 * Frees all survivors, oldest first, and says at those numbers of them that are `points`, wherever an arena was returned, and
 * at the end what is left: by the allocator itself, so an empty arena that the variant keeps is still there. The heap cannot
 * be used afterwards.
 */
export function afterOldest(
  heap: PymallocAllocator,
  survivors: Survivors,
  homes: Homes,
  points: ReadonlySet<number>,
): AfterOldest[] {
  const { arenas, geometry } = heap;
  const inPool = new Map<number, number>();
  for (const pool of homes.pool) inPool.set(pool, (inPool.get(pool) ?? 0) + 1);
  let liveBytes = survivors.size.reduce((sum, size) => sum + size, 0);
  const current = (): number => arenas.slots - arenas.unusedSlots;
  const state = (freed: number): AfterOldest => {
    return { freed, liveBytes, poolBytes: inPool.size * geometry.pool, arenaBytes: current() * geometry.arena };
  };
  const rows = [state(0)];
  for (let i = 0; i < survivors.length; i++) {
    const before = current();
    heap.free(survivors.ref[i] as Ref);
    liveBytes -= survivors.size[i];
    const left = (inPool.get(homes.pool[i]) ?? 0) - 1;
    if (left === 0) inPool.delete(homes.pool[i]);
    else inPool.set(homes.pool[i], left);
    if (current() < before || points.has(i + 1) || i + 1 === survivors.length) rows.push(state(i + 1));
  }
  return rows;
}
