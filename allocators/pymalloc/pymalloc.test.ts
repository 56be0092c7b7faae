import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { InputError } from "../../memory/errors.js";
import { HeapMap, Kind, kindNames } from "../../memory/heap-map.js";
import { hasArenas, none, type Ref } from "../allocator.js";
import { bump } from "../bump.js";
import { dumpOf } from "./dump.js";
import { type PymallocOptions, resolveGeometry } from "./geometry.js";
import { isPymalloc, type PymallocAllocator, pymalloc } from "./pymalloc.js";
import { pymallocStatistics } from "./statistics.js";

const heapOf = (options: Partial<PymallocOptions> = {}, limit?: number): PymallocAllocator =>
  pymalloc.create(createAddressSpace(limit), options);
const many = (heap: PymallocAllocator, size: number, times: number): Ref[] =>
  Array.from({ length: times }, () => heap.allocate(size));

/** The arenas as text: bytes and kind of each piece. */
function drawing(heap: PymallocAllocator): string {
  const map = new HeapMap();
  heap.walk(map);
  const pieces = Array.from({ length: map.length }, (_, i) => `${map.bytes[i]} ${kindNames[map.kind[i]]}`);
  return pieces.filter((_, i) => map.kind[i] !== Kind.meta).join(", ");
}

describe("pymalloc serves the scenario that fraglab was made for", () => {
  it.each([
    ["cpython-3.7", 2, 1],
    ["cpython-3.8", 3, 1],
    ["cpython-3.9", 3, 1],
    ["cpython-3.10", 1, 1],
  ] as const)("as %s, 512 one-byte objects take %i pools, and 1 stays when 511 have gone", (variant, before, after) => {
    const heap = heapOf({ variant });
    const refs = many(heap, 1, 512);
    expect(pymallocStatistics(heap).classes.map((row) => row.pools)).toEqual([before]);
    for (const ref of refs.slice(0, 511)) heap.free(ref);
    expect(pymallocStatistics(heap).classes.map((row) => [row.pools, row.blocksInUse])).toEqual([[after, 1]]);
  });

  it.each([
    ["cpython-3.8", 13],
    ["cpython-3.10", 4],
  ] as const)("as %s, one survivor in sixty of 50 000 objects holds all %i arenas", (variant, arenas) => {
    const heap = heapOf({ variant });
    const refs = many(heap, 64, 50_000);
    refs.forEach((ref, i) => {
      if (i % 60 !== 0) heap.free(ref);
    });
    const statistics = pymallocStatistics(heap);
    expect(statistics.arenasCurrent).toBe(arenas);
    expect(statistics.bytesAllocated).toBe(64 * 834);
  });
});

describe("pymalloc returns arenas as each version does", () => {
  it("maps and unmaps one on each turn in 3.7 and 3.8, and keeps it from 3.9 on", () => {
    const made = (["cpython-3.7", "cpython-3.8", "cpython-3.9", "cpython-3.10"] as const).map((variant) => {
      const heap = heapOf({ variant });
      for (let i = 0; i < 10; i++) heap.free(heap.allocate(64));
      return pymallocStatistics(heap).arenasAllocatedTotal;
    });
    expect(made).toEqual([10, 10, 1, 1]);
  });

  it("has fresh pages in an arena that takes the place of another", () => {
    const space = createAddressSpace();
    const heap = pymalloc.create(space, { variant: "cpython-3.8" });
    const first = heap.allocate(64);
    const resident = space.resident;
    heap.free(first);
    expect([space.resident, space.mappedFor(Use.heap)]).toEqual([0, 0]);
    const second = heap.allocate(64);
    expect(second).toBe(first);
    expect(heap.placementOf(second)).toEqual({ arena: 1, offset: 48 });
    expect(space.resident).toBe(resident);
    expect(space.costs[Cost.pageFaults]).toBe(2);
  });
});

describe("pymalloc touches a page when something in it is first written", () => {
  it("by the link of a block carved ahead of its use, and by no later use of a block", () => {
    const space = createAddressSpace();
    const heap = pymalloc.create(space);
    const refs = many(heap, 368, 10);
    expect(space.resident).toBe(4096);
    // The pool header and eleven blocks of 368 bytes are a page: the link of the twelfth is in the next.
    refs.push(heap.allocate(368));
    expect(space.resident).toBe(8192);
    for (const ref of refs) heap.free(ref);
    many(heap, 368, 22);
    expect(space.resident).toBe(8192);
    heap.allocate(368);
    expect(space.resident).toBe(12288);
  });
});

describe("pymalloc reallocates by the size of the class", () => {
  // [variant, old size, new size, stays]: a block stays if it fits and would save less than a quarter.
  it.each([
    ["cpython-3.10", 16, 12, false],
    ["cpython-3.10", 16, 13, true],
    ["cpython-3.10", 1, 16, true],
    ["cpython-3.10", 32, 24, false],
    ["cpython-3.10", 17, 25, true],
    ["cpython-3.10", 512, 384, false],
    ["cpython-3.10", 512, 385, true],
    ["cpython-3.7", 8, 6, false],
    ["cpython-3.7", 8, 7, true],
    ["cpython-3.7", 8, 9, false],
  ] as const)("%s: %i to %i bytes stays: %s", (variant, from, to, stays) => {
    const space = createAddressSpace();
    const heap = pymalloc.create(space, { variant });
    const ref = heap.allocate(from);
    const moved = heap.reallocate(ref, to);
    expect(moved === ref).toBe(stays);
    const capacity = Math.ceil(from / resolveGeometry({ variant }).align) * resolveGeometry({ variant }).align;
    expect(space.costs[Cost.bytesCopied]).toBe(stays ? 0 : Math.min(to, capacity));
  });

  it("takes the new block before it gives the old one back", () => {
    const heap = heapOf();
    const ref = heap.allocate(16);
    const moved = heap.reallocate(ref, 8);
    expect(moved - ref).toBe(16);
    expect(heap.allocate(16)).toBe(ref);
  });

  it("makes a small block large, for 0 bytes too, and never a large one small", () => {
    const heap = heapOf();
    const large = heap.reallocate(heap.allocate(100), 513);
    expect(heap.placementOf(large)).toBeUndefined();
    expect(heap.placementOf(heap.reallocate(large, 8))).toBeUndefined();
    expect(heap.placementOf(heap.reallocate(heap.allocate(100), 0))).toBeUndefined();
    expect(heap.placementOf(heap.allocate(0))).toBeUndefined();
    expect(heap.placementOf(heap.allocate(512))).toEqual({ arena: 0, offset: 48 });
  });
});

describe("pymalloc gives blocks of a greater alignment to the large heap", () => {
  it("from 32 on, and from 16 on where classes step by 8", () => {
    const heap = heapOf();
    expect(heap.placementOf(heap.allocate(64, 16))).toBeDefined();
    const aligned = heap.allocate(64, 64);
    expect(heap.placementOf(aligned)).toBeUndefined();
    expect(aligned % 64).toBe(0);
    const narrow = heapOf({ variant: "cpython-3.7" });
    expect(narrow.placementOf(narrow.allocate(64, 8))).toBeDefined();
    expect(narrow.placementOf(narrow.allocate(64, 16))).toBeUndefined();
  });
});

describe("pymalloc accounts for every byte", () => {
  it("of pools that are full, partly used, emptied, used again and never carved", () => {
    const heap = heapOf({ pool: 2048, arena: 8192 });
    const refs = many(heap, 512, 4);
    const full = "48 header, 512 live, 512 live, 512 live, 464 tail";
    expect(drawing(heap)).toBe(`${full}, 48 header, 512 live, 512 fresh, 512 fresh, 464 tail, 4096 fresh`);
    heap.free(refs[1]);
    heap.free(refs[3]);
    const holed = "48 header, 512 live, 512 free, 512 live, 464 tail";
    expect(drawing(heap)).toBe(`${holed}, 560 free, 1488 fresh, 4096 fresh`);
    heap.allocate(200);
    const again = "48 header, 208 live, 208 free, 96 free, 1360 fresh, 128 tail";
    expect(drawing(heap)).toBe(`${holed}, ${again}, 4096 fresh`);
  });

  it("of an arena that does not start at a page or a pool", () => {
    const heap = heapOf({ pool: 2048, arena: 8192, base: "m16" });
    expect(heap.placementOf(heap.allocate(512))).toEqual({ arena: 0, offset: 2032 + 48 });
    const pool = "48 header, 512 live, 512 fresh, 512 fresh, 464 tail";
    expect(drawing(heap)).toBe(`16 header, 2032 tail, ${pool}, 4096 fresh, 4096 tail`);
    expect(pymallocStatistics(heap).bytesArenaAlignment).toBe(2048);
  });

  it("of its bookkeeping: a vector of 48 bytes an arena, and the radix tree from 3.10 on", () => {
    const meta = (variant: PymallocOptions["variant"], arenas: number): number => {
      const space = createAddressSpace();
      const heap = pymalloc.create(space, { variant });
      expect(space.mapped).toBe(0);
      many(
        heap,
        512,
        arenas * 64 * resolveGeometry({ variant }).capacity[512 / resolveGeometry({ variant }).align - 1],
      );
      expect(pymallocStatistics(heap).arenasCurrent).toBe(arenas);
      return space.mappedFor(Use.meta);
    };
    expect(meta("cpython-3.9", 1)).toBe(4096);
    expect(meta("cpython-3.9", 64)).toBe(4096);
    expect(meta("cpython-3.9", 65)).toBe(8192);
    // A root and a middle node of two pages each, and two bottom nodes a page, each for 256 MiB.
    expect(meta("cpython-3.10", 1)).toBe(4096 + 5 * 4096);
    expect(meta("cpython-3.10", 513)).toBe(1024 * 48 + 6 * 4096);
    // The three nodes of 3.11 are 640 KiB, of which an arena touches one page each, and 513 arenas one more.
    expect(meta("cpython-3.11", 1)).toBe(4096 + 3 * 4096);
    expect(meta("cpython-3.11", 513)).toBe(1024 * 48 + 4 * 4096);
  });
});

describe("pymalloc out of memory", () => {
  it("serves small requests from the large heap while that has room, then answers `none` and changes nothing", () => {
    const space = createAddressSpace(1048576 + 9 * 4096 + 300 * 1024);
    const heap = pymalloc.create(space);
    const refs: Ref[] = [];
    for (const size of [512, 1]) {
      for (let ref = heap.allocate(size); ref !== none; ref = heap.allocate(size)) refs.push(ref);
    }
    expect(refs.filter((ref) => heap.placementOf(ref) !== undefined).length).toBe(64 * 31);
    expect(refs.length).toBeGreaterThan(64 * 31 + 100);
    const before = [space.mapped, space.resident, space.peakMapped, drawing(heap), dumpOf(heap)];
    expect(heap.allocate(512)).toBe(none);
    expect(heap.allocate(100)).toBe(none);
    expect(heap.reallocate(refs[0], 100)).toBe(none);
    expect([space.mapped, space.resident, space.peakMapped, drawing(heap), dumpOf(heap)]).toEqual(before);
    for (const ref of refs) heap.free(ref);
    expect(heap.placementOf(heap.allocate(512))).toBeDefined();
  });

  it("leaves nothing behind where the arena fits and its bookkeeping does not", () => {
    for (let pages = 256; pages < 256 + 6; pages++) {
      const space = createAddressSpace(pages * 4096);
      const heap = pymalloc.create(space);
      expect(heap.placementOf(heap.allocate(100))).toBeUndefined();
      expect(heap.arenas.created).toBe(0);
      expect(space.mappedFor(Use.meta)).toBe(0);
    }
    expect(heapOf({}, (256 + 6) * 4096).allocate(100)).not.toBe(none);
  });
});

/** Throws unless the tables satisfy what obmalloc.c keeps true between calls. */
function checkInvariants(heap: PymallocAllocator): void {
  const { geometry } = heap;
  const dump = dumpOf(heap);
  const partlyUsed: string[] = [];
  for (const arena of dump.arenas) {
    arena.pools.forEach((pool, number) => {
      const size = (pool.szidx + 1) * geometry.align;
      const capacity = geometry.capacity[pool.szidx];
      if (pool.count > 0 && pool.count < capacity) partlyUsed.push(`${pool.szidx}:${arena.arena}:${number}`);
      expect((pool.nextoffset - 48) / size).toBe(pool.count + pool.free.length);
      expect(pool.count + pool.free.length).toBeLessThanOrEqual(capacity);
      expect(new Set(pool.free).size).toBe(pool.free.length);
    });
    expect(arena.nfreepools).toBe(arena.freepools.length + arena.ntotalpools - arena.carved);
    expect(arena.freepools.every((number) => arena.pools[number].count === 0)).toBe(true);
    expect(arena.pools.filter((pool) => pool.count === 0).length).toBe(arena.freepools.length);
  }
  const listed = Object.entries(dump.usedpools).flatMap(([c, list]) =>
    list.map(([arena, pool]) => `${c}:${arena}:${pool}`),
  );
  expect(listed.toSorted()).toEqual(partlyUsed.sort());

  const arenaOf = new Map(dump.arenas.map((arena) => [arena.arena, arena]));
  const free = dump.usable.map((ordinal) => arenaOf.get(ordinal)?.nfreepools ?? -1);
  expect(free).toEqual(free.toSorted((a, b) => a - b));
  expect(dump.usable.toSorted()).toEqual(
    dump.arenas
      .filter((a) => a.nfreepools > 0)
      .map((a) => a.arena)
      .sort(),
  );
  const empty = dump.usable.filter((ordinal) => arenaOf.get(ordinal)?.nfreepools === arenaOf.get(ordinal)?.ntotalpools);
  expect(empty).toEqual(geometry.keepsEmptyArena ? dump.usable.slice(dump.usable.length - empty.length) : []);
  expect(empty.length).toBeLessThanOrEqual(1);

  expect(dump.arenas.length + dump.unusedSlots.length).toBe(dump.maxarenas);
  const statistics = pymallocStatistics(heap);
  expect(statistics.total).toBe(statistics.bytesArenas);
  expect(statistics.bytesArenas).toBe(dump.arenas.length * geometry.arena);
}

describe("pymalloc keeps the invariants of obmalloc.c", () => {
  it.each([
    { variant: "cpython-3.7", pool: 2048, arena: 4096 },
    { variant: "cpython-3.8", pool: 2048, arena: 16384, base: "m16" },
    { variant: "cpython-3.9", pool: 4096, arena: 16384, base: "mixed" },
    { variant: "cpython-3.10", pool: 2048, arena: 8192, base: "page" },
    { variant: "cpython-3.10", pool: 4096, arena: 32768, base: "mixed" },
  ] as const)("under random programs with %o", (options) => {
    const step = fc.record({
      size: fc.constantFrom(1, 16, 40, 200, 256, 500, 512),
      makes: fc.integer({ min: 0, max: 40 }),
      frees: fc.integer({ min: 0, max: 45 }),
      pick: fc.nat(10_000),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40, size: "max" }), (steps) => {
        const heap = heapOf(options);
        const live: Ref[] = [];
        for (const { size, makes, frees, pick } of steps) {
          live.push(...many(heap, size, makes));
          for (let i = 0; i < frees && live.length > 0; i++)
            heap.free(live.splice((pick * (i + 1)) % live.length, 1)[0]);
          const arenas = heap.arenas.created;
          const wasFull = dumpOf(heap).usable.length === 0;
          live.push(heap.allocate(size));
          if (heap.arenas.created > arenas) expect(wasFull).toBe(true);
          checkInvariants(heap);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe("pymalloc options", () => {
  it.each([
    [{ pool: 5000 }, /^pymalloc: option pool: 5000 is not a power of two; the nearest are 4096 and 8192$/],
    [{ arena: 100_000 }, /^pymalloc: option arena: 100000 is not a power of two/],
    [{ pool: 1024 }, /option pool: 1024 bytes do not hold two blocks of 512 bytes/],
    [{ pool: 65536, arena: 32768 }, /option arena: 32768 bytes are less than a pool of 65536: use 131072 or more/],
    [{ pool: 65536, arena: 65536 }, /an arena of 65536 bytes has 1 of the 2 pools it needs: use 131072 or more/],
    [{ pool: 16384, arena: 32768, base: "page" }, /base=page an arena of 32768 bytes has 1 .* use 65536 or more/],
    [{ pool: 2048, arena: 2048 }, /option arena: 2048 bytes are less than a page/],
    [
      { variant: "cpython-3.9", pool: 16384 },
      /cpython-3.9 finds the owner .* use at most 4096, or variant=cpython-3.10/,
    ],
    [{ pool: 2 << 20 }, /option pool: "2097152" is not a whole number from 0 to 1048576/],
    [{ variant: "3.10" }, /option variant: "3.10" is not one of cpython-3.7, /],
  ] as const)("that C does not support are refused in one line: %o", (options, message) => {
    const create = (): unknown => heapOf(options as Partial<PymallocOptions>);
    expect(create).toThrow(InputError);
    expect(create).toThrow(message);
  });

  it.each([
    { pool: 2048, arena: 4096 },
    { pool: 1 << 20, arena: 1 << 21 },
    { pool: 1 << 20, arena: 1 << 30, base: "mixed" },
  ] as const)("of the least and the greatest sizes work: %o", (options) => {
    const heap = heapOf(options);
    const refs = [...many(heap, 512, 5000), ...many(heap, 16, 5000)];
    expect(new Set(refs).size).toBe(10_000);
    for (const ref of refs) heap.free(ref);
    expect(heap.allocate(512)).not.toBe(none);
  });
});

describe("a pymalloc heap", () => {
  it("is told from others, and has arenas", () => {
    const heap = heapOf();
    expect([isPymalloc(heap), hasArenas(heap)]).toEqual([true, true]);
    expect(isPymalloc(bump.create(createAddressSpace()))).toBe(false);
  });
});
