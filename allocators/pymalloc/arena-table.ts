import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { ArenaMap } from "./arena-map.js";
import { type ArenaOrder, arenaOrder } from "./arena-order.js";
import { type Geometry, poolsInArena } from "./geometry.js";
import { NO_POOL, type PoolTable, PoolWord, RECORD_BITS } from "./pool-table.js";

/** The ordinal of a slot without arena. */
export const NO_ARENA = -1;

/** Slots of arenas[] at first (INITIAL_ARENA_OBJECTS); doubled whenever all are taken. */
const INITIAL_SLOTS = 16;
/** sizeof(struct arena_object). */
const ARENA_OBJECT_BYTES = 48;

/**
 * The arenas: the vector arenas[], the arenas with free pools in the order in which they are used up (usable_arenas),
 * and the memory of both. The slot freed last is reused first, so slots stay below the peak of live
 * arenas and serve as address slots too: the arena in slot s lies in [base + s * stride, base + (s + 1) * stride).
 */
export class ArenaTable {
  private readonly space: AddressSpace;
  private readonly geometry: Geometry;
  private readonly pools: PoolTable;
  private readonly map: ArenaMap | undefined;
  /** Where slot 0 starts; `reserved` bytes of addresses belong to the arenas. */
  readonly base: Address;
  readonly reserved: number;
  private readonly stride: number;

  /** By slot: number of the arena in order of creation, or `NO_ARENA`. */
  ordinal: Int32Array;
  /** By slot: first pool; next pool to be carved; pools in all; pools free, carved or not (nfreepools). */
  firstPool: Int32Array;
  nextPool: Int32Array;
  total: Int32Array;
  free: Int32Array;
  /** By slot: the pool emptied last (freepools). */
  emptied: Int32Array;
  /** The arenas with free pools (usable_arenas). */
  readonly order: ArenaOrder;
  /** Arenas that are wholly free. */
  private empty = 0;
  /** Slots without arena, the next one to be used last (unused_arena_objects). */
  private unused: Int32Array;
  private unusedLength = 0;
  private vectorAt: Address = 0;
  /** Length of arenas[]. */
  slots = 0;
  /** Arenas ever made: the next ordinal. */
  created = 0;
  /** Arenas ever alive at once, which is the number of slots ever used. */
  highwater = 0;

  constructor(space: AddressSpace, geometry: Geometry, pools: PoolTable) {
    this.space = space;
    this.geometry = geometry;
    this.pools = pools;
    this.stride = (1 << geometry.strideBits) >>> 0;
    // As many granules as an int32 can count.
    this.reserved = 2147483648 * geometry.align;
    this.base = space.reserve(this.reserved, this.stride);
    this.map = geometry.mapBits > 0 ? new ArenaMap(space, geometry, this.base) : undefined;
    this.ordinal = new Int32Array(0);
    this.firstPool = new Int32Array(0);
    this.nextPool = new Int32Array(0);
    this.total = new Int32Array(0);
    this.free = new Int32Array(0);
    this.emptied = new Int32Array(0);
    this.unused = new Int32Array(0);
    this.order = arenaOrder(geometry.choose, geometry.arena / geometry.pool);
  }

  /** Address of the first byte of the arena in a slot. */
  baseOf(slot: number): Address {
    const { offsets } = this.geometry;
    return this.base + slot * this.stride + offsets[this.ordinal[slot] % offsets.length];
  }

  /** The slot whose arena a pool belongs to. */
  slotOf(pool: number): number {
    return pool >> (this.geometry.strideBits - this.geometry.poolBits);
  }

  /** Length of the list of slots without arena. */
  get unusedSlots(): number {
    return this.unusedLength;
  }

  /** The slots without arena in the order in which they will be used. */
  unusedOrder(): number[] {
    return Array.from(this.unused.subarray(0, this.unusedLength)).reverse();
  }

  /**
   * A free pool of the first arena in the order: the one emptied last, else the next one never carved. Makes an arena where
   * none is usable; `NO_POOL` where that fails, and nothing has changed then (obmalloc.c, allocate_from_new_pool).
   */
  takePool(): number {
    const { order, pools } = this;
    if (order.first() < 0 && !this.create()) return NO_POOL;
    const slot = order.first();
    let pool = this.emptied[slot];
    if (pool === NO_POOL) pool = this.nextPool[slot]++;
    else this.emptied[slot] = pools.get(pool, PoolWord.next);

    if (this.free[slot] === this.total[slot]) this.empty--;
    order.take(slot, --this.free[slot]);
    return pool;
  }

  /**
   * Takes an empty pool back and restores the order of the usable arenas; an arena that is wholly empty is given back
   * to the system unless it is kept (obmalloc.c, insert_to_freepool).
   */
  givePool(pool: number): void {
    const slot = this.slotOf(pool);
    this.pools.records[(pool << RECORD_BITS) + PoolWord.next] = this.emptied[slot];
    this.emptied[slot] = pool;

    const free = ++this.free[slot];
    const isEmpty = free === this.total[slot];
    if (isEmpty && !(this.geometry.keepsEmptyArena && this.order.keeps(slot, this.empty))) {
      this.order.close(slot, free, this.ordinal[slot]);
      this.release(slot);
      return;
    }
    if (isEmpty) this.empty++;
    this.order.give(slot, free);
  }

  /** The vector, the radix map and nothing else: the arenas themselves are walked pool by pool. */
  walk(map: HeapMap): void {
    if (this.slots > 0) map.add(this.vectorAt, this.vectorBytes(this.slots), Kind.meta);
    this.map?.walk(map);
  }

  /** The highest address that the radix map has covered, or 0. */
  get lastCovered(): Address {
    return this.map?.last ?? 0;
  }

  /**
   * Maps an arena, the only usable one (obmalloc.c, new_arena). The order of the three steps that can fail does not
   * show where all succeed; this one has the least to undo, as it is nearly always the arena that does not fit.
   */
  private create(): boolean {
    const { arena, pool, offsets } = this.geometry;
    const grows = this.unusedLength === 0;
    const slot = grows ? this.slots : this.unused[this.unusedLength - 1];
    const start = slot * this.stride + offsets[this.created % offsets.length];
    const at = this.base + start;
    if (start + arena > this.reserved || !this.commit(at)) return false;
    const covered = this.map === undefined || this.map.cover(at % arena === 0 ? at : at + arena);
    if (!covered || (grows && !this.growVector())) {
      if (covered) this.map?.uncover();
      this.unmap(at);
      return false;
    }

    this.unusedLength--;
    this.ordinal[slot] = this.created++;
    if (slot >= this.highwater) this.highwater = slot + 1;
    const pools = poolsInArena(arena, pool, start);
    const first = Math.ceil(start / pool);
    this.pools.reset(first, first + pools);
    this.firstPool[slot] = first;
    this.nextPool[slot] = first;
    this.total[slot] = pools;
    this.free[slot] = pools;
    this.emptied[slot] = NO_POOL;
    this.order.open(slot, pools, this.ordinal[slot]);
    this.empty++;
    return true;
  }

  private release(slot: number): void {
    this.unmap(this.baseOf(slot));
    this.ordinal[slot] = NO_ARENA;
    this.unused[this.unusedLength++] = slot;
  }

  /** Whole pages around the arena at `base`. */
  private commit(base: Address): boolean {
    const lead = base % this.space.pageSize;
    return this.space.commit(base - lead, lead + this.geometry.arena, Use.heap);
  }

  private unmap(base: Address): void {
    const lead = base % this.space.pageSize;
    this.space.unmap(base - lead, lead + this.geometry.arena);
  }

  private vectorBytes(slots: number): number {
    const page = this.space.pageSize;
    return Math.ceil((slots * ARENA_OBJECT_BYTES) / page) * page;
  }

  /** Doubles arenas[]: the copy is there before the old vector goes. The lowest new slot is used first. */
  private growVector(): boolean {
    const slots = Math.max(INITIAL_SLOTS, this.slots * 2);
    const at = this.space.map(slots * ARENA_OBJECT_BYTES, this.space.pageSize, Use.meta);
    if (at === 0) return false;
    if (this.slots > 0) this.space.unmap(this.vectorAt, this.vectorBytes(this.slots));
    this.vectorAt = at;
    this.ordinal = grown(this.ordinal, slots).fill(NO_ARENA, this.slots);
    this.firstPool = grown(this.firstPool, slots);
    this.nextPool = grown(this.nextPool, slots);
    this.total = grown(this.total, slots);
    this.free = grown(this.free, slots);
    this.emptied = grown(this.emptied, slots);
    this.unused = new Int32Array(slots);
    for (let slot = slots - 1; slot >= this.slots; slot--) this.unused[this.unusedLength++] = slot;
    this.slots = slots;
    return true;
  }
}
