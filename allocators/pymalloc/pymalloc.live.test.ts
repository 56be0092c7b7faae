/**
 * Every placement and statistic of interpreters that ran: each request to the domains of pymalloc was captured from
 * before start-up on, with the addresses given and the interpreter's own statistics at checkpoints (live-capture.ts).
 */
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import { none, type Ref } from "../allocator.js";
import { POOL_HEADER, resolveGeometry, withArenaOffsets } from "./geometry.js";
import { decodeTrace, GoldenOp } from "./golden-trace.js";
import { type LiveCapture, type LiveFile, type LiveStatistics, PlacementHash } from "./live-capture.js";
import { PoolWord } from "./pool-table.js";
import { type PymallocAllocator, pymallocWith } from "./pymalloc.js";
import { pymallocStatistics } from "./statistics.js";

const folder = new URL("./golden/", import.meta.url);
const unpack = (file: string): Buffer => brotliDecompressSync(readFileSync(new URL(file, folder)));
const captures = JSON.parse(unpack("live.json.br").toString("utf8")) as LiveFile;

function heapOf({ python, offsets }: LiveCapture): PymallocAllocator {
  const variant = python.startsWith("CPython 3.9.") ? "cpython-3.9" : "cpython-3.11";
  return pymallocWith(createAddressSpace(), withArenaOffsets(resolveGeometry({ variant }), offsets));
}

function statisticsOf(heap: PymallocAllocator): LiveStatistics {
  const { classes, ...numbers } = pymallocStatistics(heap);
  return {
    arenasAllocatedTotal: numbers.arenasAllocatedTotal,
    arenasReclaimed: numbers.arenasReclaimed,
    arenasHighwater: numbers.arenasHighwater,
    arenasCurrent: numbers.arenasCurrent,
    unusedPools: numbers.unusedPools,
    bytesInAllocatedBlocks: numbers.bytesAllocated,
    bytesInAvailableBlocks: numbers.bytesAvailable,
    bytesPoolHeaders: numbers.bytesPoolHeaders,
    bytesQuantization: numbers.bytesQuantization,
    bytesArenaAlignment: numbers.bytesArenaAlignment,
    classes: classes.map((row) => [row.class, row.size, row.pools, row.blocksInUse, row.availBlocks]),
  };
}

/** Adds arena, pool and block of what a request was given, counted as the captures count them. */
function addPlacement(hash: PlacementHash, heap: PymallocAllocator, ref: Ref): void {
  const place = heap.placementOf(ref);
  if (place === undefined) {
    hash.add(0xffffffff);
    return;
  }
  const { geometry, arenas, pools } = heap;
  const { pool: poolBytes } = geometry;
  const lead = (poolBytes - (geometry.offsets[place.arena % geometry.offsets.length] % poolBytes)) % poolBytes;
  const offset = place.offset - lead;
  const pool = Math.floor(offset / poolBytes);
  const slot = arenas.ordinal.indexOf(place.arena);
  const size = (pools.get(arenas.firstPool[slot] + pool, PoolWord.sizeClass) + 1) * geometry.align;
  hash.add(place.arena);
  hash.add(pool);
  hash.add((offset - pool * poolBytes - POOL_HEADER) / size);
}

/** Arenas made and returned, as the captures list them. A request makes or returns one at most. */
class ArenaEvents {
  readonly list: LiveCapture["events"] = [];
  private readonly heap: PymallocAllocator;
  private readonly live = new Set<number>();
  private made = 0;

  constructor(heap: PymallocAllocator) {
    this.heap = heap;
  }

  after(request: number): void {
    const { created, ordinal, slots, unusedSlots } = this.heap.arenas;
    if (created !== this.made) {
      this.list.push(["map", request, this.made]);
      this.live.add(this.made++);
    }
    if (slots - unusedSlots === this.live.size) return;
    for (const one of this.live) {
      if (ordinal.includes(one)) continue;
      this.list.push(["unmap", request, one]);
      this.live.delete(one);
    }
  }
}

describe.each(Object.entries(captures))("as the interpreter of the capture %s, pymalloc", (name, capture) => {
  it("places every block, maps every arena and counts every statistic as it did", () => {
    const trace = decodeTrace(unpack(`live-${name}.ops.br`));
    const heap = heapOf(capture);
    expect([heap.geometry.pool, heap.geometry.arena]).toEqual([capture.pool, capture.arena]);
    const refs = new Float64Array(trace.length + 1);
    const hash = new PlacementHash();
    const events = new ArenaEvents(heap);
    const checkpoints = [...capture.checkpoints];
    for (let i = 0; i <= trace.length; i++) {
      for (; checkpoints[0]?.afterOps === i; checkpoints.shift()) {
        const { label, placementHash, statistics } = checkpoints[0];
        expect({ label, placementHash: hash.value, statistics: statisticsOf(heap) }).toEqual({
          label,
          placementHash,
          statistics,
        });
      }
      if (i === trace.length) break;
      const block = trace.block[i];
      const op = trace.op[i];
      if (op === GoldenOp.free) heap.free(refs[block] as Ref);
      else {
        const grows = op === GoldenOp.grow;
        const ref = grows ? heap.reallocate(refs[block] as Ref, trace.size[i]) : heap.allocate(trace.size[i]);
        if (ref === none) throw new Error(`request ${i} found no memory`);
        refs[block] = ref;
        addPlacement(hash, heap, ref);
      }
      // The capture wrote a free down before it ran, all else behind.
      events.after(op === GoldenOp.free ? i + 1 : i);
    }
    expect(checkpoints).toEqual([]);
    expect(hash.value).toBe(capture.finalHash);
    expect(events.list).toEqual(capture.events);
  });
});
