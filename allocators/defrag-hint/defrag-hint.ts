import type { Address, AddressSpace } from "../../memory/address-space.js";
import { type Coefficients, coefficients } from "../../memory/coefficients.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { HeapMap, Kind } from "../../memory/heap-map.js";
import { defaultsOf, resolveOptions } from "../../memory/options.js";
import { AddressIndex } from "../address-index.js";
import { type AllocatorSpec, type Compacting, type MoveLog, none, type Ref, type Timed } from "../allocator.js";
import { Jemalloc } from "../jemalloc/jemalloc.js";
import { DefragCycle } from "./defrag-cycle.js";
import { Names, nameOf, refOf } from "./names.js";
import { checkDefragOptions, type DefragOptions, defragOptions } from "./options.js";

/** Objects looked at between two looks at the clock (activeDefragCycle). */
const STEP = 16;

/**
 * Redis' active defragmentation over jemalloc: the program itself walks its objects, asks the allocator of each whether
 * its slab is thin, allocates it anew if so, copies it, patches its own pointers and frees the old place.
 *
 * **No handles.** Addresses change, but the program changes its pointers with them, so there is no table and no
 * dereference costs more: a ref is a name that only the simulator sees. A pinned object is one that the program cannot
 * find in its walk: it stays.
 *
 * The walk goes through the objects in an order that has nothing to do with where they lie or when they came, always the
 * same, as Redis goes through the buckets of a hash table. A pass that no cycle asked for is one walk over all objects
 * without regard to time.
 */
class DefragHint implements Compacting, Timed {
  private readonly costs: Costs;
  private readonly heap: Jemalloc;
  private readonly names = new Names();
  private readonly cycle: DefragCycle;
  private readonly byMean: boolean;
  private readonly chunkPages: number;
  private readonly prefix: number;
  private readonly references: number;
  private readonly ns: Coefficients;
  /** Where the walk is, of 2^`bits` places, as many as there are names and more. */
  private cursor = 0;
  private bits = 0;
  /** Milliseconds of the slice that was asked for; 0 for none. */
  private slice = 0;
  private readonly inside = new HeapMap();
  private readonly index = new AddressIndex();

  constructor(space: AddressSpace, options: DefragOptions) {
    this.costs = space.costs;
    this.heap = new Jemalloc(space, options);
    this.cycle = new DefragCycle(options);
    this.byMean = options.hint === "mean";
    this.chunkPages = Math.floor(options.chunk / 4096);
    this.prefix = options.prefix;
    this.references = options.references;
    this.ns = coefficients[options.passTime];
  }

  allocate(size: number, alignment?: number): Ref {
    const place = alignment === undefined ? this.heap.allocate(size) : this.heap.allocate(size, alignment);
    return place === none ? none : refOf(this.names.take(place));
  }

  /** The free of a pinned object waits for its last unpin. */
  free(ref: Ref): void {
    const { names } = this;
    const name = nameOf(ref);
    if (names.pins[name] > 0) {
      names.doomed[name] = 1;
      this.costs[Cost.deferredFrees] += 1;
      return;
    }
    this.heap.free(names.place[name] as Ref);
    names.give(name);
  }

  reallocate(ref: Ref, size: number): Ref {
    const { place } = this.names;
    const name = nameOf(ref);
    const moved = this.heap.reallocate(place[name] as Ref, size);
    if (moved === none) return none;
    place[name] = moved;
    return ref;
  }

  addressOf(ref: Ref): Address {
    return this.names.place[nameOf(ref)];
  }

  capacityOf(ref: Ref): number {
    return this.heap.capacityOf(this.names.place[nameOf(ref)] as Ref);
  }

  /** A dereference is that of a plain pointer. */
  access(): void {}

  pin(ref: Ref): void {
    this.costs[Cost.pins] += 1;
    this.names.pins[nameOf(ref)] += 1;
  }

  /** An unpin without a pin is ignored. */
  unpin(ref: Ref): void {
    const { names } = this;
    const name = nameOf(ref);
    if (names.pins[name] === 0) return;
    names.pins[name] -= 1;
    if (names.pins[name] === 0 && names.doomed[name] === 1) this.free(ref);
  }

  tick(now: number): void {
    this.heap.tick(now);
  }

  compactionDue(now: number): number {
    if (!this.cycle.isAwake(now)) return 0;
    this.slice = this.cycle.slice(this.heap.slabs.wasted(), this.heap.allocated());
    return this.slice > 0 ? Number.POSITIVE_INFINITY : 0;
  }

  compact(budget: number, log: MoveLog): number {
    const { names, costs, slice } = this;
    costs[Cost.passes] += 1;
    this.slice = 0;
    const start = this.spent();
    let moved = 0;
    this.makePlaces();
    const places = 1 << this.bits;
    // At most once over all objects, however little time that takes.
    for (let looks = 1; looks <= places && moved < budget; looks++) {
      if (this.cursor === places) {
        this.cursor = 0;
        if (slice > 0 && !this.cycle.scanned(this.heap.slabs.wasted(), this.heap.allocated())) break;
      }
      const name = scattered(this.cursor++, this.bits);
      if (name < names.used) moved += this.look(name, log);
      if (slice > 0 && looks % STEP === 0 && this.spent() - start >= slice) break;
    }
    return moved;
  }

  walk(map: HeapMap): void {
    const { names, inside } = this;
    this.index.build(names.place, names.used);
    inside.clear();
    this.heap.walk(inside);
    for (let i = 0; i < inside.length; i++) {
      const kind = inside.kind[i] as Kind;
      const name = kind === Kind.live ? this.index.find(inside.owner[i]) : -1;
      if (name < 0) map.add(inside.start[i], inside.bytes[i], kind, inside.owner[i]);
      else if (names.doomed[name] === 1) map.add(inside.start[i], inside.bytes[i], Kind.padding);
      else map.add(inside.start[i], inside.bytes[i], Kind.live, refOf(name));
    }
  }

  /** Has a place for each name; with more places the walk begins anew. */
  private makePlaces(): void {
    while (1 << this.bits < this.names.used) {
      this.bits++;
      this.cursor = 0;
    }
  }

  /** Looks at an object and moves it if that is worth while. Returns the bytes copied: a whole region, or 0. */
  private look(name: number, log: MoveLog): number {
    const { names, heap, costs } = this;
    const place = names.place[name] as Ref;
    if (place === none) return 0;
    costs[Cost.blocksVisited] += 1;
    if (names.pins[name] > 0) return 0;
    const slab = heap.slabOf(place);
    if (slab < 0) return 0;
    if (!(this.byMean ? heap.slabs.isBelowMean(slab, this.chunkPages) : heap.slabs.isThin(slab))) return 0;
    const target = heap.another(place, this.prefix);
    if (target === none) return 0;
    const bytes = heap.capacityOf(place);
    heap.write(target, bytes);
    log.move(refOf(name), place, target, bytes);
    names.place[name] = target;
    heap.free(place);
    costs[Cost.moves] += 1;
    costs[Cost.bytesMoved] += bytes;
    costs[Cost.referencesPatched] += this.references;
    return bytes;
  }

  /** Virtual milliseconds of all that passes do, so far. */
  private spent(): number {
    const { costs, ns } = this;
    return (
      1e-6 *
      (costs[Cost.blocksVisited] * (ns.blocksVisited ?? 0) +
        costs[Cost.moves] * (ns.moves ?? 0) +
        costs[Cost.bytesMoved] * (ns.bytesMoved ?? 0) +
        costs[Cost.pagesReleased] * (ns.pagesReleased ?? 0) +
        costs[Cost.pageFaults] * (ns.pageFaults ?? 0))
    );
  }
}

/** The place i of 2^bits, without a pattern: steps that can be undone, so that each number comes once. */
function scattered(i: number, bits: number): number {
  const mask = (1 << bits) - 1;
  const half = (bits + 1) >> 1;
  let x = i ^ (i >>> half);
  x = Math.imul(x, 0x9e3779b1) & mask;
  x ^= x >>> half;
  x = Math.imul(x, 0x85ebca6b) & mask;
  return x ^ (x >>> half);
}

/** Redis' active defragmentation, guided by how full jemalloc's slabs are. */
export const defragHint: AllocatorSpec<DefragOptions> = {
  name: "defrag-hint",
  title: "Redis' active defragmentation over jemalloc: patched pointers, no handles",
  source: "Redis 7.2: defrag.c, and iget_defrag_hint of its jemalloc 5.3; hint=mean: Redis 4.0, je_get_defrag_hint",
  indirect: true,
  patched: true,
  alignment: 8,
  options: defragOptions,
  defaults: defaultsOf(defragOptions),
  variants: [
    { ignore: 0, lower: 0, period: 0.1, passTime: "raw", dirtyDecay: 1 },
    { hint: "mean", ignore: 0, lower: 0, cycleMin: 25, cycleMax: 75, quantum: "8", references: 2 },
    { hint: "mean", ignore: 0, lower: 0, period: 0.1, passTime: "raw", prefix: 8, pages: "chunks", chunk: 65536 },
  ],
  create(space, given) {
    const options = resolveOptions("defrag-hint", defragOptions, given);
    checkDefragOptions(options);
    return new DefragHint(space, options);
  },
};
