/**
 * pymalloc against a second implementation that is as plain as it can be: objects and arrays, linear searches, and a
 * touch for every word that the C code or the program writes. Both must place alike, and have the same pages resident.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { type Allocator, none, type Ref } from "../allocator.js";
import { firstFit } from "../sequential-fit/first-fit.js";
import type { PymallocOptions } from "./geometry.js";
import { pymalloc } from "./pymalloc.js";

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

type Block = { pool: Pool; at: Address } | { large: Ref };

interface ModelOptions {
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

class Model {
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

const mixed = [0, 0x10, 0, 0x800, 0x3000, 0x1000, 0, 0x2ff0];
const small = { align: 16, pool: 2048, arena: 16384, keepsEmpty: true };
const cases: [string, Partial<PymallocOptions>, ModelOptions][] = [
  [
    "3.7",
    { variant: "cpython-3.7", pool: 2048, arena: 8192 },
    { ...small, align: 8, arena: 8192, keepsEmpty: false, offsets: [0] },
  ],
  [
    "3.8",
    { variant: "cpython-3.8", pool: 2048, arena: 16384, base: "m16" },
    { ...small, keepsEmpty: false, offsets: [0x10] },
  ],
  [
    "3.9",
    { variant: "cpython-3.9", pool: 4096, arena: 16384, base: "mixed" },
    { ...small, pool: 4096, offsets: mixed },
  ],
  ["3.10, small pools", { pool: 2048, arena: 16384, base: "mixed" }, { ...small, offsets: mixed }],
  [
    "3.10, large pools",
    { pool: 8192, arena: 32768, base: "page" },
    { ...small, pool: 8192, arena: 32768, offsets: [0x3000] },
  ],
  [
    "arenas by age, none kept",
    { pool: 2048, arena: 8192, choose: "oldest", keep: "no" },
    { ...small, arena: 8192, keepsEmpty: false, offsets: [0], rank: (arena) => -arena.ordinal },
  ],
  [
    "arenas by address, misaligned",
    { pool: 2048, arena: 8192, choose: "address", misalign: 48 },
    { ...small, arena: 8192, offsets: [48], rank: ({ slot }) => -slot },
  ],
  [
    "the emptiest arena, alignment 8, one kept",
    { variant: "cpython-3.7", pool: 4096, arena: 16384, choose: "emptiest", keep: "yes" },
    { ...small, align: 8, pool: 4096, offsets: [0], rank: (_, freePools) => freePools },
  ],
  [
    "geometric classes up to 2048 bytes",
    { pool: 8192, arena: 32768, spacing: "geometric", threshold: 2048, perDoubling: 2 },
    {
      ...small,
      pool: 8192,
      arena: 32768,
      offsets: [0],
      sizes: [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048],
    },
  ],
  [
    "three classes",
    { pool: 4096, arena: 16384, spacing: "listed", sizes: "48+368+1024", threshold: 1024 },
    { ...small, pool: 4096, offsets: [0], sizes: [48, 368, 1024] },
  ],
];

/** A step makes many like blocks, or frees or reallocates many in one of several orders. */
type Step =
  | { do: "make"; size: number; times: number }
  | { do: "free"; pick: number; stride: number; times: number }
  | { do: "resize"; pick: number; size: number; times: number };

const size = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(8, 16, 17, 120, 256, 368, 496, 500, 512) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 512 }) },
);
const anySize = fc.oneof({ weight: 9, arbitrary: size }, { weight: 1, arbitrary: fc.constantFrom(0, 513, 700, 5000) });
const steps = (sizes: fc.Arbitrary<number>): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant("make" as const), size: sizes, times: fc.integer({ min: 1, max: 90 }) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("free" as const),
          pick: fc.nat(10_000),
          stride: fc.constantFrom(1, 1, 2, 7, 61),
          times: fc.integer({ min: 1, max: 120 }),
        }),
      },
      {
        weight: 1,
        arbitrary: fc.record({
          do: fc.constant("resize" as const),
          pick: fc.nat(10_000),
          size: sizes,
          times: fc.integer({ min: 1, max: 5 }),
        }),
      },
    ),
    { minLength: 10, maxLength: 60, size: "max" },
  );

/** Small requests that were served from the heap of large ones, and requests that were not served. */
interface Seen {
  fellBack: number;
  failed: number;
}

function agree(program: Step[], given: Partial<PymallocOptions>, options: ModelOptions, limit?: number): Seen {
  const space = createAddressSpace(limit);
  const plainSpace = createAddressSpace(limit);
  const heap = pymalloc.create(space, given);
  const model = new Model(plainSpace, options);
  const live: { ref: Ref; block: Block }[] = [];
  const seen: Seen = { fellBack: 0, failed: 0 };
  const compare = (ref: Ref, block: Block | undefined, size: number): void => {
    if (ref === none || block === undefined) {
      if (ref !== none || block !== undefined) throw new Error("one has memory left, the other has not");
      seen.failed++;
      return;
    }
    const place = heap.placementOf(ref);
    const want =
      "large" in block ? undefined : { arena: block.pool.arena.ordinal, offset: block.at - block.pool.arena.base };
    if (want === undefined && size > 0 && size <= 512) seen.fellBack++;
    if (place?.arena !== want?.arena || place?.offset !== want?.offset) expect(place).toEqual(want);
  };
  const one = (s: Step, i: number): void => {
    if (s.do === "make") {
      const ref = heap.allocate(s.size);
      const block = model.malloc(s.size);
      compare(ref, block, s.size);
      if (block !== undefined) live.push({ ref, block });
    } else if (live.length > 0) {
      const at = s.do === "free" ? (s.pick + i * (s.stride - 1)) % live.length : (s.pick + i) % live.length;
      const entry = live[at];
      if (s.do === "free") {
        heap.free(entry.ref);
        model.free(entry.block);
        live.splice(at, 1);
      } else {
        const ref = heap.reallocate(entry.ref, s.size);
        const block = model.realloc(entry.block, s.size);
        compare(ref, block, s.size);
        if (block !== undefined) live[at] = { ref, block };
      }
    }
  };
  for (const s of program) {
    for (let i = 0; i < s.times; i++) one(s, i);
    expect(space.mappedFor(Use.heap)).toBe(plainSpace.mappedFor(Use.heap));
    expect(space.resident).toBe(plainSpace.resident);
    expect(space.costs[Cost.pageFaults]).toBe(plainSpace.costs[Cost.pageFaults]);
  }
  return seen;
}

describe("pymalloc against a plain model that touches every word it writes", () => {
  it.each(cases)("places alike and has the same pages resident: %s", (_, given, options) => {
    fc.assert(
      fc.property(steps(anySize), (program) => {
        agree(program, given, options);
      }),
      { numRuns: 150 },
    );
  });

  it("also where memory runs out, and small requests go to the heap of the large ones while it has room", () => {
    const options: ModelOptions = { ...small, keepsEmpty: false, offsets: [0] };
    const given: Partial<PymallocOptions> = { variant: "cpython-3.8", pool: 2048, arena: 16384 };
    const fill: Step[] = [
      { do: "make", size: 700, times: 1 },
      { do: "make", size: 256, times: 400 },
    ];
    let fellBack = 0;
    let failed = 0;
    fc.assert(
      fc.property(steps(anySize), (program) => {
        const seen = agree([...fill, ...program], given, options, 60 * 4096);
        fellBack += seen.fellBack;
        failed += seen.failed;
      }),
      { numRuns: 60 },
    );
    expect(fellBack).toBeGreaterThan(0);
    expect(failed).toBeGreaterThan(0);
  });
});
