import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { defaultsOf, resolveOptions } from "../../memory/options.js";
import { Random } from "../../memory/random.js";
import type { AllocatorSpec, Ref, Reorganizing } from "../allocator.js";
import { none } from "../allocator.js";
import { EMPTY, QUARTERS, WORDS } from "./mini-heaps.js";
import { type MeshOptions, meshOptions } from "./options.js";
import { PageMesher } from "./page-mesher.js";
import { ShuffleVectors } from "./shuffle-vectors.js";
import * as sizes from "./size-classes.js";
import { Spans } from "./spans.js";
import { walkMesh } from "./walk.js";

// Constants of this module cost less in hot code than imported ones.
const { LARGEST_SMALL: LARGEST, classBytes, classObjects, classPages, classOfGranules } = sizes;
const bytesOf = Int32Array.from(classBytes);
const pagesOf = Int32Array.from(classPages);
const objectsOf = Int32Array.from(classObjects);
const perObject = Float64Array.from(classBytes, (bytes) => 1 / bytes);

const PAGE = 4096;
const PER_PAGE = 1 / PAGE;
const GRANULE = 16;
/** Granules of a page are 256 bits: 8 words. */
const PAGE_GRANULES = 256;
/** Free bytes with which a class stops attaching more spans: kMiniheapRefillGoalSize. */
const REFILL = 16384;

/**
 * Mesh: size classes in which free objects are handed out in random order, so that two sparse spans of a class often
 * hold their objects at different offsets. Then one physical span can serve both: `compact` copies the objects of one to
 * the frames of the other and lets both virtual spans show them. No address changes, so there is nothing to pin.
 */
class Mesh implements Reorganizing {
  private readonly space: AddressSpace;
  private readonly given: MeshOptions;
  private readonly spans: Spans;
  private readonly mesher: PageMesher;
  private readonly random: Random;
  private readonly base: Address;
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
    this.spans = new Spans(space, given.dirtyPages);
    this.base = this.spans.arena.base;
    this.mesher = new PageMesher(space, this.spans, this.random, given);
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
    const offset = ref - this.base;
    const page = (offset * PER_PAGE) | 0;
    const id = this.spans.owner[page];
    const { heaps } = this.spans;
    const sizeClass = heaps.sizeClass[id];
    const granule = (offset * (1 / GRANULE)) | 0;
    this.spans.live[granule >>> 5] &= ~(1 << (granule & 31));
    if (sizeClass < 0) {
      this.spans.release(id);
      return;
    }
    const object = ((offset - this.spans.first[page] * PAGE) * perObject[sizeClass] + 0.5) | 0;
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
    const id = this.spans.owner[((ref - this.base) * PER_PAGE) | 0];
    const sizeClass = this.spans.heaps.sizeClass[id];
    return sizeClass < 0 ? this.spans.heaps.pagesOf(id) * PAGE : bytesOf[sizeClass];
  }

  compactionDue(now: number): number {
    this.now = now;
    if (!this.given.meshing || !this.freedElsewhere || now - this.lastPass < this.given.period) return 0;
    return Number.POSITIVE_INFINITY;
  }

  /** One pass, in which a pair that would exceed the budget is not meshed. */
  compact(budget: number): number {
    this.freedElsewhere = false;
    this.lastPass = this.now;
    return this.mesher.run(budget);
  }

  walk(map: HeapMap): void {
    walkMesh(this.spans, map);
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
    this.spans.live[granule >>> 5] |= 1 << (granule & 31);
    return this.base + page * PAGE + offset;
  }

  /** libmesh.cc, xxmemalign: a class whose size is a multiple of the alignment will do, else whole pages. */
  private takeRare(size: number, alignment: number): Address {
    if (size <= LARGEST) {
      const granules = (size + 15) >> 4;
      const bytes = bytesOf[classOfGranules[granules]];
      if (bytes <= PAGE && bytes % alignment === 0) return this.take(granules);
    }
    const pages = Math.max(1, Math.ceil(size * PER_PAGE));
    const id = this.spans.create(-1, pages, Math.ceil(alignment * PER_PAGE));
    if (id < 0) return none;
    const page = this.spans.heaps.page[id];
    this.spans.live[page * WORDS] |= 1;
    return this.spans.arena.addressOf(page);
  }

  /**
   * The class has handed out all it had: attaches the span of the fullest bin, any of them with the same chance, else an
   * empty one, else a new one. With several spans at once, as later versions do, until enough is free.
   */
  private refill(sizeClass: number): boolean {
    const { vectors, most } = this;
    const { heaps } = this.spans;
    const objects = objectsOf[sizeClass];
    for (let i = 0; i < most; i++) this.detach(sizeClass, i);
    let count = 0;
    for (let free = 0; count < most && free < REFILL; count++) {
      let id = this.pick(sizeClass);
      if (id < 0) id = this.spans.create(sizeClass, pagesOf[sizeClass], 1);
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
    this.spans.heaps.attachedAs[id] = -1;
  }

  private pick(sizeClass: number): number {
    for (let bin = QUARTERS - 1; bin >= 0; bin--) {
      const spans = this.spans.heaps.inBin(sizeClass, bin);
      if (spans.length > 0) return spans[this.random.below(spans.length)];
    }
    return this.spans.heaps.inBin(sizeClass, EMPTY).at(-1) ?? -1;
  }

  private freeElsewhere(id: number, sizeClass: number, object: number): void {
    const { heaps } = this.spans;
    heaps.clearBit(id, object);
    heaps.inUse[id] -= 1;
    heaps.file(id);
    this.freedElsewhere = true;
    if (heaps.inUse[id] === 0 && heaps.inBin(sizeClass, EMPTY).length > this.given.emptySpans)
      this.spans.flush(sizeClass);
  }
}

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
