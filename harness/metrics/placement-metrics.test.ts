/** Metrics of where blocks lie: by hand on small heaps, and Anchorage's ratios on heaps of its handle table. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Ref } from "../../allocators/allocator.js";
import { unlogged } from "../../allocators/allocator.js";
import { CompactingHandles } from "../../allocators/handle-table/compacting-handles.js";
import { type HandleTableOptions, handleTable } from "../../allocators/handle-table/handle-table.js";
import { allocators } from "../../allocators/registry.js";
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { Random } from "../../memory/random.js";
import { TraceBuilder } from "../../workloads/trace-builder.js";
import { runSession } from "../session.js";
import { freeShape } from "./free-shape.js";
import { heapExtent } from "./heap-extent.js";
import { measure } from "./registry.js";
import { snapshot } from "./snapshot.js";

type Drawn = readonly (readonly [bytes: number, kind: keyof typeof Kind])[];

/** Pieces one behind the other from `start`. */
function draw(map: HeapMap, start: number, pieces: Drawn): HeapMap {
  let at = start;
  for (const [bytes, kind] of pieces) {
    map.add(at, bytes, Kind[kind]);
    at += bytes;
  }
  return map;
}

describe("the extent of a heap", () => {
  it("ends with its highest block, whatever is free below and above", () => {
    const map = draw(new HeapMap(), 4096, [
      [48, "free"],
      [16, "header"],
      [84, "live"],
      [12, "padding"],
      [64, "free"],
      [16, "header"],
      [32, "live"],
      [100, "free"],
      [3724, "fresh"],
    ]);
    expect(heapExtent(map)).toEqual({ extent: 272, blockBytes: 160 });
  });

  it("takes in a footer, but no header that stands alone behind the highest block", () => {
    const blocks: Drawn = [
      [8, "header"],
      [24, "live"],
      [8, "header"],
      [8, "header"],
      [8, "live"],
      [8, "header"],
    ];
    const fenced: Drawn = [
      [200, "free"],
      [16, "header"],
      [4, "tail"],
    ];
    expect(heapExtent(draw(new HeapMap(), 0, [...blocks, ...fenced]))).toEqual({ extent: 64, blockBytes: 64 });
    // Behind the gap comes a block after all.
    expect(heapExtent(draw(new HeapMap(), 0, [...blocks, ...fenced, [60, "live"]]))).toEqual({
      extent: 344,
      blockBytes: 140,
    });
  });

  it("is the sum over stretches of mapped memory, without what lies between them, and without bookkeeping", () => {
    const map = new HeapMap();
    draw(map, 1 << 20, [
      [100, "live"],
      [28, "free"],
    ]);
    draw(map, 8192, [
      [32, "free"],
      [64, "live"],
    ]);
    draw(map, 0, [
      [512, "meta"],
      [512, "table"],
    ]);
    draw(map, 16384, [[96, "free"]]);
    expect(heapExtent(map)).toEqual({ extent: 196, blockBytes: 164 });
    expect(heapExtent(new HeapMap())).toEqual({ extent: 0, blockBytes: 0 });
  });
});

describe("free space that is available", () => {
  it("is what lies in runs of at least the size, adjacent free and fresh pieces being one run", () => {
    const map = draw(new HeapMap(), 4096, [
      [48, "free"],
      [16, "live"],
      [32, "free"],
      [32, "fresh"],
      [16, "live"],
      [256, "free"],
    ]);
    draw(map, 16, [[256, "fresh"]]);
    expect(freeShape(map, [0, 48, 49, 64, 65, 256, 257])).toEqual({
      bytes: 624,
      runs: 4,
      largest: 256,
      available: [624, 624, 576, 576, 512, 512, 0],
    });
    expect(freeShape(new HeapMap(), [1])).toEqual({ bytes: 0, runs: 0, largest: 0, available: [0] });
  });

  it("is looked at for 4 KiB and for the mean size of an object so far", () => {
    const space = createAddressSpace();
    const base = space.reserve(65536, 4096);
    space.commit(base, 20480, Use.heap);
    space.touch(base, 20480);
    const map = draw(new HeapMap(), base, [
      [4096, "free"],
      [100, "live"],
      [4095, "free"],
      [100, "live"],
      [30, "free"],
      [100, "live"],
      [11959, "tail"],
    ]);
    const demand = { live: 300, blocks: 3, allocated: 310, allocations: 10 };
    expect(snapshot(map, space, demand, 0, "").placement).toEqual({
      extent: 8521,
      blockBytes: 300,
      availableFor4K: 4096,
      availableForMean: 8191,
    });
    expect(snapshot(map, space, { ...demand, allocated: 300 }, 0, "").placement?.availableForMean).toBe(8221);
    expect(snapshot(map, space, demand, 0, "", true).placement).toBeUndefined();
  });
});

describe("F_ext of the worked examples", () => {
  let space: AddressSpace;
  let heap: CompactingHandles;

  function start(options: Partial<HandleTableOptions> = {}): void {
    space = createAddressSpace();
    const made = handleTable.create(space, options);
    if (!(made instanceof CompactingHandles)) throw new Error("these options give no compaction");
    heap = made;
  }

  const malloc = (...sizes: number[]): Ref[] => sizes.map((size) => heap.allocate(size));

  /** By the metric, and by what the heap tells its controller. */
  function fExt(): [metric: string, trigger: string] {
    const map = new HeapMap();
    heap.walk(map);
    const { extent, blockBytes } = heapExtent(map);
    const { handles } = heap;
    return [(extent / blockBytes).toFixed(3), (handles.extent() / handles.liveBytes()).toFixed(3)];
  }

  function compact(budget = Number.POSITIVE_INFINITY): void {
    heap.compact(budget, unlogged);
  }

  beforeEach(() => start());

  it("E1: falls with each reuse of the hole", () => {
    const [, b] = malloc(24, 100, 24);
    expect(fExt()).toEqual(["1.000", "1.000"]);
    heap.free(b);
    expect(fExt()).toEqual(["2.333", "2.333"]);
    malloc(40);
    expect(fExt()).toEqual(["1.400", "1.400"]);
    malloc(33);
    expect(fExt()).toEqual(["1.000", "1.000"]);
  });

  it("E2: is 1 after a slide", () => {
    const [, b, , d] = malloc(16, 48, 64, 16, 100);
    heap.free(b);
    heap.free(d);
    expect(fExt()).toEqual(["1.400", "1.400"]);
    compact();
    expect(fExt()).toEqual(["1.000", "1.000"]);
  });

  it("E3: counts the hole in front of a pinned block", () => {
    const [a, , c, d] = malloc(48, 16, 64, 16, 16);
    heap.pin(c);
    heap.free(a);
    heap.free(d);
    expect(fExt()).toEqual(["1.667", "1.667"]);
    compact();
    expect(fExt()).toEqual(["1.444", "1.444"]);
    heap.unpin(c);
    compact();
    expect(fExt()).toEqual(["1.000", "1.000"]);
  });

  it("E4 and E5: two fingers bring it to 1, where slack hides in a block too", () => {
    for (const [sizes, freed, before] of [
      [[48, 16, 100, 16, 40], [0, 2], "2.500"],
      [[64, 16, 40], [0], "1.833"],
    ] as const) {
      start({ compact: "twoFinger" });
      const refs = malloc(...sizes);
      for (const index of freed) heap.free(refs[index]);
      expect(fExt()).toEqual([before, before]);
      compact();
      expect(fExt()).toEqual(["1.000", "1.000"]);
    }
  });

  it("E6: is flat for two passes of a budget, and falls in the last", () => {
    heap.free(malloc(16, 16, 16, 48, 16)[0]);
    const seen = [0, 40, 40, 40].map((budget) => {
      compact(budget);
      return fExt()[0];
    });
    expect(seen).toEqual(["1.200", "1.200", "1.200", "1.000"]);
  });

  it.each([{}, { compact: "semispace" }] as const)(
    "is what the heap tells its controller, through churn and passes of a budget, with %o",
    (options) => {
      start(options);
      const random = new Random(7);
      const live: Ref[] = [];
      const seen = new Set<string>();
      for (let i = 0; i < 3000; i++) {
        if (live.length > 100 && random.below(2) === 0) heap.free(live.splice(random.below(live.length), 1)[0]);
        else live.push(heap.allocate(random.below(300)));
        if (i % 100 === 0) compact(4000);
        const [metric, trigger] = fExt();
        expect(metric).toBe(trigger);
        seen.add(metric);
      }
      expect(seen.size).toBeGreaterThan(50);
    },
  );

  it("A2b: stays 2.0 with one pinned block on top, though half of the pages are returned, as F_res says", () => {
    const refs = Array.from({ length: 100_000 }, () => heap.allocate(48));
    heap.pin(refs[refs.length - 1]);
    refs.forEach((ref, i) => {
      if (i % 2 === 0) heap.free(ref);
    });
    const fRes = (): string => (space.footprint / (50_000 * 48)).toFixed(3);
    const [resident, before] = [space.resident, fRes()];
    compact();
    expect(fExt()).toEqual(["2.000", "2.000"]);
    expect([resident, space.resident]).toEqual([6_402_048, 3_207_168]);
    expect([before, fRes()]).toEqual(["3.002", "1.671"]);
  });
});

describe("the metrics of placement", () => {
  /** Bytes by which the heap of the handle table grows. */
  const MAPPED = 65536;

  /** Ten blocks of 48 bytes, the first and then every other freed: `live` is largest before. */
  function holes() {
    const builder = new TraceBuilder("holes");
    const slots = Array.from({ length: 10 }, () => builder.allocate(48));
    for (let i = 0; i < slots.length; i += 2) builder.free(slots[i]);
    return builder.build();
  }

  it("are the closed forms of ten blocks in a row, when live is largest and when every other one is gone", async () => {
    const run = await runSession(allocators["handle-table"], {}, holes());
    const values = measure(run);
    const heapAndTable = 2 * 4096;
    expect(values["fExtAtPeak"]).toBe(1);
    expect(values["fExtAtEnd"]).toBe(2);
    expect(values["fResAtPeak"]).toBe(heapAndTable / 480);
    expect(values["fResAtPeak"]).toBeCloseTo(values["jw2"] + 1, 12);
    expect(values["fResAtEnd"]).toBe(heapAndTable / 240);
    // One run above the blocks; at the end also five holes of 64 bytes, which are large enough for 48.
    const above = MAPPED - 10 * 64;
    expect([values["available4KAtPeak"], values["availableMeanAtPeak"]]).toEqual([1, 1]);
    expect(values["available4KAtEnd"]).toBe(above / (above + 5 * 64));
    expect(values["availableMeanAtEnd"]).toBe(1);
  });

  it("see that small holes serve no request of the mean size", async () => {
    const builder = new TraceBuilder("small holes");
    const slots = Array.from({ length: 10 }, () => builder.allocate(48));
    builder.allocate(10_000);
    for (let i = 0; i < slots.length; i += 2) builder.free(slots[i]);
    const values = measure(await runSession(allocators["handle-table"], {}, builder.build()));
    // The mean size is 953 bytes.
    const above = MAPPED - 10 * 64 - 16 - 10_000;
    expect(values["availableMeanAtEnd"]).toBe(above / (above + 5 * 64));
  });

  it("are not defined for a bound, which has no placement, but for its residence", async () => {
    for (const name of ["ideal", "oracle"]) {
      const values = measure(await runSession(allocators[name], {}, holes()));
      expect(values["fResAtPeak"], name).toBe(4096 / 480);
      for (const metric of ["fExt", "available4K", "availableMean"])
        expect([values[`${metric}AtPeak`], values[`${metric}AtEnd`]], `${name} ${metric}`).toEqual([
          Number.NaN,
          Number.NaN,
        ]);
    }
  });
});
