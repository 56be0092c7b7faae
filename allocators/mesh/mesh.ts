import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { defaultsOf, resolveOptions } from "../../memory/options.js";
import { Random } from "../../memory/random.js";
import type { AllocatorSpec, Ref, Reorganizing } from "../allocator.js";
import { none } from "../allocator.js";
import { GrowingTable } from "./growing-table.js";
import { EMPTY, MiniHeaps, QUARTERS, WORDS } from "./mini-heaps.js";
import { type MeshOptions, meshOptions } from "./options.js";
import { PageArena } from "./page-arena.js";
import { ShuffleVectors } from "./shuffle-vectors.js";
import * as sizes from "./size-classes.js";
import { splitMesher } from "./split-mesher.js";
import { walkMesh } from "./walk.js";

// Constants of this module cost less in hot code than imported ones.
const { LARGEST_SMALL: LARGEST, MESH_LIMIT, classBytes, classObjects, classPages, classOfGranules } = sizes;
const bytesOf = Int32Array.from(classBytes);
const pagesOf = Int32Array.from(classPages);
const objectsOf = Int32Array.from(classObjects);
const perObject = Float64Array.from(classBytes, (bytes) => 1 / bytes);

const PAGE = 4096;
const PER_PAGE = 1 / PAGE;
const GRANULE = 16;
/** Granules of a page are 256 bits: 8 words. */
const PAGE_GRANULES = 256;
/** Bytes of a MiniHeap, its bitmap included. */
const MINI_HEAP = 64;
/** Free bytes with which a class stops attaching more spans: kMiniheapRefillGoalSize. */
const REFILL = 16384;

/**
 * Mesh: size classes in which free objects are handed out in random order, so that two sparse spans of a class often
 * hold their objects at different offsets. Then one physical span can serve both: `compact` copies the objects of one to
 * the frames of the other and lets both virtual spans show them. No address changes, so there is nothing to pin.
 */
class Mesh implements Reorganizing {
  readonly arena: PageArena;
  readonly heaps = new MiniHeaps();
  readonly descriptors: GrowingTable;
  readonly index: GrowingTable;
  /** The keeper that serves each page, -1 for a free one, and the first page of the virtual span it is in. */
  owner = new Int32Array(0);
  first = new Int32Array(0);
  /** A bit for each granule of the arena at which a live block starts: which of the spans that share a frame. */
  private live = new Int32Array(0);
  private readonly space: AddressSpace;
  private readonly given: MeshOptions;
  private readonly random: Random;
  private readonly vectors: ShuffleVectors;
  /** Spans that each class allocates from: `attached[class * most + position]`, and their first pages. */
  private readonly attached: Int32Array;
  private readonly attachedPage: Int32Array;
  private readonly most: number;
  /** Whether a block was freed in a span that no class allocates from since the last pass. */
  private freedElsewhere = false;
  private lastPass = 0;
  private now = 0;

  constructor(space: AddressSpace, given: MeshOptions) {
    this.space = space;
    this.given = given;
    this.random = new Random(given.seed);
    this.vectors = new ShuffleVectors(given.attached, this.random, given.randomize);
    this.index = PageArena.createIndex(space);
    this.arena = new PageArena(space, given.dirtyPages, this.index);
    this.descriptors = new GrowingTable(space, MINI_HEAP, 16777216);
    this.most = given.attached;
    this.attached = new Int32Array(classBytes.length * this.most).fill(-1);
    this.attachedPage = new Int32Array(classBytes.length * this.most);
  }

  allocate(size: number, alignment = GRANULE): Ref {
    const at = alignment <= GRANULE && size <= LARGEST ? this.take((size + 15) >> 4) : this.takeRare(size, alignment);
    if (at > 0) this.space.touch(at, size);
    return at as Ref;
  }

  free(ref: Ref): void {
    const offset = ref - this.arena.base;
    const page = (offset * PER_PAGE) | 0;
    const id = this.owner[page];
    const { heaps } = this;
    const sizeClass = heaps.sizeClass[id];
    const granule = (offset * (1 / GRANULE)) | 0;
    this.live[granule >>> 5] &= ~(1 << (granule & 31));
    if (sizeClass < 0) {
      this.release(id);
      return;
    }
    const object = ((offset - this.first[page] * PAGE) * perObject[sizeClass] + 0.5) | 0;
    const position = heaps.attachedAs[id];
    if (position >= 0) this.vectors.push(sizeClass, (position << 8) | object);
    else this.freeElsewhere(id, sizeClass, object);
  }

  /** thread_local_heap.h: stays unless it grows, or shrinks to less than half; grows by a quarter at least. */
  reallocate(ref: Ref, size: number): Ref {
    const capacity = this.capacityOf(ref);
    if (size <= capacity && size >= capacity / 2) {
      this.space.touch(ref, size);
      return ref;
    }
    const roomy = Math.floor(capacity + capacity / 4);
    let moved = size > capacity && size < roomy ? this.takeAny(roomy) : none;
    if (moved === none) moved = this.takeAny(size);
    if (moved === none) return none;
    this.space.touch(moved, size);
    this.space.costs[Cost.bytesCopied] += Math.min(size, capacity);
    this.free(ref);
    return moved;
  }

  addressOf(ref: Ref): Address {
    return ref;
  }

  capacityOf(ref: Ref): number {
    const id = this.owner[((ref - this.arena.base) * PER_PAGE) | 0];
    const sizeClass = this.heaps.sizeClass[id];
    return sizeClass < 0 ? this.heaps.pagesOf(id) * PAGE : bytesOf[sizeClass];
  }

  compactionDue(now: number): number {
    this.now = now;
    if (!this.given.meshing || !this.freedElsewhere || now - this.lastPass < this.given.period) return 0;
    return Number.POSITIVE_INFINITY;
  }

  /**
   * One pass (global_heap.cc: meshAllSizeClassesLocked): gives free pages and empty spans back, then meshes each class.
   * Counts a system call for each mprotect, mmap and fallocate. A pair that would exceed the budget is not meshed.
   */
  compact(budget: number): number {
    const { given } = this;
    this.freedElsewhere = false;
    this.lastPass = this.now;
    this.space.costs[Cost.passes] += 1;
    this.arena.scavenge();
    for (let k = 0; k < bytesOf.length; k++) this.flush(k);
    let moved = 0;
    if (given.meshing && this.arena.meshed <= given.maxMeshes) {
      for (let k = 0; k < bytesOf.length && bytesOf[k] < MESH_LIMIT; k++) moved += this.meshClass(k, budget - moved);
    }
    this.arena.scavenge();
    return moved;
  }

  walk(map: HeapMap): void {
    walkMesh(this, map);
  }

  /** Whether a live block starts at this byte of the arena. */
  isLive(offset: number): boolean {
    const granule = Math.floor(offset / GRANULE);
    return ((this.live[granule >>> 5] >>> (granule & 31)) & 1) !== 0;
  }

  private takeAny(size: number): Ref {
    return (size <= LARGEST ? this.take((size + 15) >> 4) : this.takeRare(size, GRANULE)) as Ref;
  }

  /** A block of so many granules, not touched; 0 where there is no memory. */
  private take(granules: number): Address {
    const sizeClass = classOfGranules[granules];
    const { vectors } = this;
    let at = vectors.next[sizeClass];
    if (at === vectors.end[sizeClass]) {
      if (!this.refill(sizeClass)) return none;
      at = vectors.next[sizeClass];
    }
    vectors.next[sizeClass] = at + 1;
    const entry = vectors.list[at];
    const page = this.attachedPage[sizeClass * this.most + (entry >> 8)];
    const offset = (entry & 255) * bytesOf[sizeClass];
    const granule = page * PAGE_GRANULES + (offset >> 4);
    this.live[granule >>> 5] |= 1 << (granule & 31);
    return this.arena.base + page * PAGE + offset;
  }

  /** libmesh.cc, xxmemalign: a class whose size is a multiple of the alignment will do, else whole pages. */
  private takeRare(size: number, alignment: number): Address {
    if (size <= LARGEST) {
      const granules = (size + 15) >> 4;
      const bytes = bytesOf[classOfGranules[granules]];
      if (bytes <= PAGE && bytes % alignment === 0) return this.take(granules);
    }
    const pages = Math.max(1, Math.ceil(size * PER_PAGE));
    const id = this.createSpan(-1, pages, Math.ceil(alignment * PER_PAGE));
    if (id < 0) return none;
    const page = this.heaps.page[id];
    this.live[page * WORDS] |= 1;
    return this.arena.addressOf(page);
  }

  /**
   * The class has handed out all it had: attaches the span of the fullest bin, any of them with the same chance, else an
   * empty one, else a new one. With several spans at once, as later versions do, until enough is free.
   */
  private refill(sizeClass: number): boolean {
    const { heaps, vectors, most } = this;
    const objects = objectsOf[sizeClass];
    for (let i = 0; i < most; i++) this.detach(sizeClass, i);
    let count = 0;
    for (let free = 0; count < most && free < REFILL; count++) {
      let id = this.pick(sizeClass);
      if (id < 0) id = this.createSpan(sizeClass, pagesOf[sizeClass], 1);
      if (id < 0) break;
      heaps.unfile(id);
      heaps.attachedAs[id] = count;
      this.attached[sizeClass * most + count] = id;
      this.attachedPage[sizeClass * most + count] = heaps.page[id];
      free += (objects - heaps.inUse[id]) * bytesOf[sizeClass];
    }
    vectors.clear(sizeClass, objects * count);
    for (let i = 0; i < count; i++) {
      const id = this.attached[sizeClass * most + i];
      vectors.next[sizeClass] = heaps.handOut(id, i << 8, vectors.list, vectors.next[sizeClass]);
    }
    vectors.shuffle(sizeClass);
    return count > 0;
  }

  /** A span whose objects are all handed out is attached no longer. */
  private detach(sizeClass: number, position: number): void {
    const at = sizeClass * this.most + position;
    const id = this.attached[at];
    if (id < 0) return;
    this.attached[at] = -1;
    this.heaps.attachedAs[id] = -1;
  }

  private pick(sizeClass: number): number {
    for (let bin = QUARTERS - 1; bin >= 0; bin--) {
      const spans = this.heaps.inBin(sizeClass, bin);
      if (spans.length > 0) return spans[this.random.below(spans.length)];
    }
    return this.heaps.inBin(sizeClass, EMPTY).at(-1) ?? -1;
  }

  private freeElsewhere(id: number, sizeClass: number, object: number): void {
    const { heaps } = this;
    heaps.clearBit(id, object);
    heaps.inUse[id] -= 1;
    heaps.file(id);
    this.freedElsewhere = true;
    if (heaps.inUse[id] === 0 && heaps.inBin(sizeClass, EMPTY).length > this.given.emptySpans) this.flush(sizeClass);
  }

  /** Gives the pages of all empty spans of a class back. */
  private flush(sizeClass: number): void {
    const empty = this.heaps.inBin(sizeClass, EMPTY);
    for (let id = empty.at(-1); id !== undefined; id = empty.at(-1)) this.release(id);
  }

  /** A new span for a size class, or -1 for a large block; -1 where there is no memory. */
  private createSpan(sizeClass: number, pages: number, alignment: number): number {
    if (!this.descriptors.ensure(this.heaps.following + 1)) return -1;
    const page = this.arena.take(pages, alignment);
    if (page < 0) return -1;
    if (this.arena.end > this.owner.length) this.growPages(this.arena.end);
    const id = this.heaps.create(page, sizeClass, pages);
    this.owner.fill(id, page, page + pages);
    this.first.fill(page, page, page + pages);
    return id;
  }

  /** Ends a span without objects, and those that share its frames. */
  private release(keeper: number): void {
    const { heaps } = this;
    const pages = heaps.pagesOf(keeper);
    heaps.unfile(keeper);
    for (let id = keeper; id >= 0; id = heaps.next[id]) {
      const page = heaps.page[id];
      this.owner.fill(-1, page, page + pages);
      if (id === keeper) this.arena.give(page, pages);
      else this.arena.giveMeshed(page, pages);
      heaps.destroy(id);
    }
  }

  private meshClass(sizeClass: number, budget: number): number {
    const { heaps, given } = this;
    const most = given.occupancy * classObjects[sizeClass];
    const candidates: number[] = [];
    for (let bin = 0; bin < QUARTERS; bin++) {
      for (const id of heaps.inBin(sizeClass, bin)) if (heaps.inUse[id] < most) candidates.push(id);
    }
    const fits = (a: number, b: number): boolean => heaps.areDisjoint(a, b);
    const pairs = splitMesher(candidates, fits, this.random, given.probes, given.maxPairs);
    this.space.costs[Cost.blocksVisited] += pairs.compared;
    let moved = 0;
    pairs.left.forEach((left, i) => {
      const right = pairs.right[i];
      if (heaps.shared[left] + heaps.shared[right] > given.maxShared) return;
      const [keep, from] = heaps.shared[left] < heaps.shared[right] ? [right, left] : [left, right];
      const bytes = heaps.inUse[from] * bytesOf[sizeClass];
      if (moved + bytes > budget) return;
      this.meshPair(keep, from, sizeClass);
      moved += bytes;
    });
    return moved;
  }

  /** Copies the objects of `from` to the frames of `keep`, and lets all virtual spans of `from` show those. */
  private meshPair(keep: number, from: number, sizeClass: number): void {
    const { heaps, arena, space } = this;
    const bytes = bytesOf[sizeClass];
    const pages = classPages[sizeClass];
    const target = arena.addressOf(heaps.page[keep]);
    for (let object = 0; object < classObjects[sizeClass]; object++) {
      if (heaps.hasBit(from, object)) space.touch(target + object * bytes, bytes);
    }
    space.costs[Cost.moves] += heaps.inUse[from];
    space.costs[Cost.bytesMoved] += heaps.inUse[from] * bytes;
    for (let id = from; id >= 0; id = heaps.next[id]) {
      const page = heaps.page[id];
      if (id === from) arena.mesh(heaps.page[keep], page, pages);
      else arena.show(heaps.page[keep], page, pages);
      this.owner.fill(keep, page, page + pages);
    }
    heaps.join(keep, from);
  }

  private growPages(pages: number): void {
    const length = Math.max(pages, 2 * this.owner.length);
    const grown = (old: Int32Array, scale: number): Int32Array<ArrayBuffer> => {
      const column = new Int32Array(length * scale);
      column.set(old);
      return column;
    };
    this.owner = grown(this.owner, 1).fill(-1, this.owner.length);
    this.first = grown(this.first, 1);
    this.live = grown(this.live, WORDS);
  }
}

/** What `walkMesh` reads of a heap. */
export type MeshHeap = Pick<Mesh, "arena" | "heaps" | "descriptors" | "index" | "owner" | "first" | "isLive">;

/** Mesh as published, with its constants; later versions differ in how spans are chosen (`attached`). */
export const mesh: AllocatorSpec<MeshOptions> = {
  name: "mesh",
  title: "Mesh: page meshing with random placement",
  source: "Powers, Tench, Berger & McGregor, Mesh, PLDI 2019, sections 3 and 4; plasma-umass/Mesh",
  indirect: false,
  alignment: GRANULE,
  options: meshOptions,
  defaults: defaultsOf(meshOptions),
  variants: [
    { period: 0, dirtyPages: 16, emptySpans: 1 },
    { meshing: false },
    { randomize: false, period: 0 },
    { attached: 24, period: 0.2, maxShared: 3, emptySpans: 4 },
  ],
  create: (space, given) => new Mesh(space, resolveOptions("mesh", meshOptions, given)),
};
