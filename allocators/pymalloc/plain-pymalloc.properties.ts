/**
 * pymalloc as plainly as it can be written: objects and arrays, linear searches, and a touch for every word that the C
 * code or the program writes. For the tests only.
 */
import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { firstFit } from "../sequential-fit/first-fit.js";

/** Addresses from one arena to the next. */
const STRIDE = 1 << 21;

interface Pool {
  arena: Arena;
  at: Address;
  size: number;
  /** Next to be handed out last. */
  free: Address[];
  count: number;
  next: Address;
}

interface Arena {
  ordinal: number;
  /** Place in arenas[], which decides the address. */
  slot: number;
  base: Address;
  total: number;
  virgin: Address[];
  /** Next to be used last. */
  emptied: Pool[];
  /** Operation that last changed its number of free pools. */
  changed: number;
}

export type Block = { pool: Pool; at: Address } | { large: Ref };

export interface ModelOptions {
  align: number;
  pool: number;
  arena: number;
  keepsEmpty: boolean;
  offsets: number[];
  /** Class sizes where they are not all multiples of the alignment up to 512. */
  sizes?: number[];
  /** Largest of these goes first, where arenas are not used in CPython's order. */
  rank?: (arena: Arena, freePools: number) => number;
}

export class Model {
  private readonly space: AddressSpace;
  private readonly o: ModelOptions;
  private readonly large: Allocator;
  private readonly start: Address;
  private readonly used = new Map<number, Pool[]>();
  private readonly usable: Arena[] = [];
  private made = 0;
  private now = 0;
  /** Slots given back, the next one to be used last, and slots ever used. */
  private readonly unusedSlots: number[] = [];
  private slots = 0;

  constructor(space: AddressSpace, options: ModelOptions) {
    this.space = space;
    this.o = options;
    this.start = space.reserve(8192 * STRIDE, STRIDE);
    this.large = firstFit.create(space);
  }

  malloc(n: number): Block | undefined {
    this.now++;
    const size = this.classOf(n);
    if (size === undefined) return this.mallocLarge(n);
    const list = this.used.get(size) ?? [];
    this.used.set(size, list);
    if (list.length === 0) {
      const pool = this.freePool();
      if (pool === undefined) return this.mallocLarge(n);
      this.open(pool, size);
      list.push(pool);
    }
    const pool = list[0];
    const at = pool.free.pop() ?? 0;
    pool.count++;
    this.space.touch(at, n);
    if (pool.free.length === 0) {
      if (pool.next + size <= pool.at + this.o.pool) this.carve(pool);
      else list.shift();
    }
    return { pool, at };
  }

  free(block: Block): void {
    if ("large" in block) {
      this.large.free(block.large);
      return;
    }
    const { pool, at } = block;
    this.now++;
    const list = this.used.get(pool.size) ?? [];
    this.space.touch(at, 8);
    if (pool.free.push(at) === 1) list.unshift(pool);
    if (--pool.count > 0) return;
    list.splice(list.indexOf(pool), 1);
    const before = this.freePools(pool.arena);
    pool.arena.emptied.push(pool);
    this.sort(pool.arena, before);
  }

  realloc(block: Block, n: number): Block | undefined {
    if ("large" in block) {
      const ref = this.large.reallocate(block.large, Math.max(1, n));
      return ref === none ? undefined : { large: ref };
    }
    const { size } = block.pool;
    if (n <= size && n > 0.75 * size) return block;
    const moved = this.malloc(n);
    if (moved !== undefined) this.free(block);
    return moved;
  }

  private classOf(n: number): number | undefined {
    const { align, sizes } = this.o;
    if (n < 1) return undefined;
    return sizes === undefined ? (n > 512 ? undefined : Math.ceil(n / align) * align) : sizes.find((size) => n <= size);
  }

  private mallocLarge(n: number): Block | undefined {
    const ref = this.large.allocate(Math.max(1, n));
    return ref === none ? undefined : { large: ref };
  }

  private open(pool: Pool, size: number): void {
    this.space.touch(pool.at, 48);
    if (pool.size === size) return;
    pool.size = size;
    pool.free = [];
    pool.next = pool.at + 48;
    this.carve(pool);
    const first = pool.free;
    this.carve(pool);
    pool.free = [pool.next - size, ...first.slice(0, 1)];
  }

  private carve(pool: Pool): void {
    this.space.touch(pool.next, 8);
    pool.free = [pool.next];
    pool.next += pool.size;
  }

  private freePools(arena: Arena): number {
    return arena.emptied.length + arena.virgin.length;
  }

  private freePool(): Pool | undefined {
    if (this.usable.length === 0 && !this.newArena()) return undefined;
    const { rank } = this.o;
    if (rank !== undefined) {
      this.usable.sort((a, b) => rank(b, this.freePools(b)) - rank(a, this.freePools(a)) || b.changed - a.changed);
    }
    const arena = this.usable[0];
    arena.changed = this.now;
    const pool = arena.emptied.pop() ?? { arena, at: arena.virgin.shift() ?? 0, size: 0, free: [], count: 0, next: 0 };
    if (this.freePools(arena) === 0) this.usable.shift();
    return pool;
  }

  private pages(arena: Arena): [Address, number] {
    const lead = arena.base % 4096;
    return [arena.base - lead, Math.ceil((lead + this.o.arena) / 4096) * 4096];
  }

  private newArena(): boolean {
    const ordinal = this.made;
    const base = this.start + ordinal * STRIDE + this.o.offsets[ordinal % this.o.offsets.length];
    const virgin: Address[] = [];
    for (
      let at = Math.ceil(base / this.o.pool) * this.o.pool;
      at + this.o.pool <= base + this.o.arena;
      at += this.o.pool
    ) {
      virgin.push(at);
    }
    const arena: Arena = { ordinal, slot: -1, base, total: virgin.length, virgin, emptied: [], changed: this.now };
    if (!this.space.commit(...this.pages(arena), Use.heap)) return false;
    // arenas[] is a page long; cases that grow beyond it have no limit.
    if (ordinal === 0 && this.space.map(768, 4096, Use.meta) === 0) {
      this.space.unmap(...this.pages(arena));
      return false;
    }
    this.made++;
    arena.slot = this.unusedSlots.pop() ?? this.slots++;
    this.usable.push(arena);
    return true;
  }

  /** Moves an arena that had `before` free pools and has one more now. */
  private sort(arena: Arena, before: number): void {
    const now = before + 1;
    const at = this.usable.indexOf(arena);
    arena.changed = this.now;
    const others = this.usable.filter((other) => other !== arena && this.freePools(other) === other.total);
    const keeps = this.o.rank === undefined ? at === this.usable.length - 1 : others.length === 0;
    if (now === arena.total && !(this.o.keepsEmpty && keeps)) {
      this.usable.splice(at, 1);
      this.space.unmap(...this.pages(arena));
      this.unusedSlots.push(arena.slot);
      return;
    }
    if (at >= 0) this.usable.splice(at, 1);
    const place = before === 0 ? 0 : this.usable.findIndex((other) => this.freePools(other) >= now);
    this.usable.splice(place < 0 ? this.usable.length : place, 0, arena);
  }
}
