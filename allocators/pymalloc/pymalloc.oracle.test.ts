/**
 * Every placement, arena event, statistic and dump of the real compiled CPython allocator, on eight traces, under each
 * variant, base and geometry recorded. `golden/` holds their digests (format: golden-trace.ts).
 */
import { readFileSync } from "node:fs";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createAddressSpace } from "../../memory/address-space.js";
import { none, type Ref } from "../allocator.js";
import { dumpOf } from "./dump.js";
import type { PymallocOptions, PymallocVariant } from "./geometry.js";
import {
  decodeTrace,
  digestOf,
  Fnv,
  type GoldenFile,
  GoldenOp,
  type GoldenResult,
  type GoldenTexts,
  type GoldenTrace,
  hex,
  statisticsDigest,
} from "./golden-trace.js";
import { type PymallocAllocator, pymalloc } from "./pymalloc.js";
import { pymallocStatistics } from "./statistics.js";
import { statisticsText } from "./statistics-text.js";

const folder = new URL("./golden/", import.meta.url);
const unzip = (file: string): Buffer => gunzipSync(readFileSync(new URL(file, folder)));
const golden = JSON.parse(unzip("results.json.gz").toString("utf8")) as GoldenFile;
const goldenTexts = JSON.parse(
  brotliDecompressSync(readFileSync(new URL("texts.json.br", folder))).toString("utf8"),
) as GoldenTexts;

/** "cpython-3.9/mixed", or "geo-p12-a20/mixed" for the code of 3.10 with pools of 2^12 and arenas of 2^20 bytes. */
function optionsOf(key: string): Partial<PymallocOptions> {
  const [name = "", base = ""] = key.split("/");
  const geometry = /^geo-p(\d+)-a(\d+)$/.exec(name);
  const sizes = geometry === null ? {} : { pool: 1 << Number(geometry[1]), arena: 1 << Number(geometry[2]) };
  const variant = geometry === null ? (name as PymallocVariant) : "cpython-3.10";
  return { variant, base: base as PymallocOptions["base"], ...sizes };
}

/** The list of arenas made and returned: [operation, "A" or "F", ordinal, slot, offset, pools, length of arenas[]]. */
class ArenaEvents {
  readonly list: unknown[] = [];
  private readonly heap: PymallocAllocator;
  private readonly slots = new Map<number, number>();
  private made = 0;
  private returned = 0;

  constructor(heap: PymallocAllocator) {
    this.heap = heap;
  }

  /** An operation makes one arena at most, and before it returns one. */
  after(operation: number): void {
    const { arenas, geometry } = this.heap;
    const offset = (ordinal: number): number => geometry.offsets[ordinal % geometry.offsets.length];
    if (arenas.created !== this.made) {
      const slot = arenas.ordinal.indexOf(this.made);
      this.list.push([operation, "A", this.made, slot, offset(this.made), arenas.total[slot], arenas.slots]);
      this.slots.set(this.made++, slot);
    }
    const returned = arenas.created - (arenas.slots - arenas.unusedSlots);
    if (returned === this.returned) return;
    this.returned = returned;
    for (const [ordinal, slot] of this.slots) {
      if (arenas.ordinal[slot] === ordinal) continue;
      this.list.push([operation, "F", ordinal, slot, offset(ordinal), null, arenas.slots]);
      this.slots.delete(ordinal);
    }
  }
}

function statisticsOf(heap: PymallocAllocator, allocatedBlocks: number): string {
  const { classes, arenaMap, ...numbers } = pymallocStatistics(heap);
  const rows = classes.map((row) => [row.class, row.size, row.pools, row.blocksInUse, row.availBlocks]);
  const map = arenaMap && {
    mapMidNodes: arenaMap.midNodes,
    mapBotNodes: arenaMap.botNodes,
    bytesMapRoot: arenaMap.bytesRoot,
    bytesMapMid: arenaMap.bytesMid,
    bytesMapBot: arenaMap.bytesBot,
    mapTotal: arenaMap.total,
  };
  expect(numbers.total).toBe(numbers.bytesArenas);
  return statisticsDigest(rows, { allocatedBlocks, ...numbers, ...map });
}

/**
 * What became of a reallocation: K a small block stayed, M it moved to a new one, L a block of the C library stays one,
 * N there was none before.
 */
function fateOf(heap: PymallocAllocator, op: number, old: Ref, wasSmall: boolean, ref: Ref): string {
  if (op === GoldenOp.malloc) return "";
  if (op === GoldenOp.adopt) return "N";
  if (!wasSmall) return heap.placementOf(ref) === undefined ? "L" : "a large block became small";
  return ref === old ? "K" : "M";
}

interface Replayed {
  readonly result: GoldenResult;
  /** By row, to find a difference. */
  readonly digests: number[];
  readonly texts: string[];
}

/** Replays a trace and returns what the result files say of it. */
function replay(trace: GoldenTrace, key: string, labels: number): Replayed {
  const heap = pymalloc.create(createAddressSpace(), optionsOf(key));
  const refs = new Float64Array(trace.length + 1);
  const events = new ArenaEvents(heap);
  const placements = new Fnv();
  const digests: number[] = [];
  const statistics: string[] = [];
  const dumps: string[] = [];
  const texts: string[] = [];
  const fates: string[] = [];
  let rows = 0;
  let live = 0;
  for (let i = 0; i < trace.length; i++) {
    const op = trace.op[i];
    const block = trace.block[i];
    if (op === GoldenOp.statistics) {
      statistics.push(statisticsOf(heap, live));
      texts.push(statisticsText(pymallocStatistics(heap), heap.geometry));
    } else if (op === GoldenOp.dump) dumps.push(digestOf(dumpOf(heap)));
    else if (op === GoldenOp.free) {
      heap.free(refs[block] as Ref);
      live--;
    } else {
      const old = refs[block] as Ref;
      const wasSmall = op === GoldenOp.grow && heap.placementOf(old) !== undefined;
      const ref = op === GoldenOp.grow ? heap.reallocate(old, trace.size[i]) : heap.allocate(trace.size[i]);
      if (ref === none) throw new Error(`operation ${i} found no memory`);
      if (op !== GoldenOp.grow) live++;
      refs[block] = ref;
      const place = heap.placementOf(ref);
      fates.push(fateOf(heap, op, old, wasSmall, ref));
      placements.word(place?.arena ?? 0xffffffff);
      placements.word(place?.offset ?? 0xffffffff);
      if (++rows % 1000 === 0) digests.push(placements.value);
    }
    events.after(i);
  }
  digests.push(placements.value);
  const result = {
    arenas: heap.arenas.created,
    digest: hex(placements.value),
    // Of the geometries that no release has, only the last ones are recorded.
    statistics: statistics.slice(-labels),
    events: digestOf(events.list),
    dumps,
    fates: digestOf(fates.join("")),
  };
  return { result, digests, texts: texts.slice(-labels) };
}

for (const [name, { rows, results }] of Object.entries(golden)) {
  const trace = decodeTrace(unzip(`${name}.ops.gz`));

  describe(`on the trace ${name}, pymalloc does to the byte what CPython did`, () => {
    it.each(Object.entries(results))("as %s", (key, expected) => {
      const { result, digests, texts } = replay(trace, key, expected.statistics.length);
      if (expected.digests !== undefined) {
        const words = Buffer.from(expected.digests, "base64");
        expect(words.length).toBe(4 * (Math.floor(rows / 1000) + 1));
        const wrong = digests.findIndex((digest, i) => digest !== words.readUInt32LE(i * 4));
        expect(wrong === -1 ? "no placement" : `one of the 1000 placements from ${wrong * 1000}`).toBe("no placement");
        expect(digests.length).toBe(words.length / 4);
      }
      expect(texts).toEqual(goldenTexts[name]?.[key]);
      const { digests: _, ...rest } = expected;
      expect(result).toMatchObject(rest);
    });
  });
}
