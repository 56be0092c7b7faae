import type { AddressSpace } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import type { Random } from "../../memory/random.js";
import { QUARTERS } from "./mini-heaps.js";
import type { MeshOptions } from "./options.js";
import { classBytes, classObjects, classPages, MESH_LIMIT } from "./size-classes.js";
import type { Spans } from "./spans.js";
import { splitMesher } from "./split-mesher.js";

/** Meshing passes over the spans of a heap (global_heap.cc: meshAllSizeClassesLocked). */
export class PageMesher {
  private readonly space: AddressSpace;
  private readonly spans: Spans;
  private readonly random: Random;
  private readonly given: MeshOptions;

  constructor(space: AddressSpace, spans: Spans, random: Random, given: MeshOptions) {
    this.space = space;
    this.spans = spans;
    this.random = random;
    this.given = given;
  }

  /**
   * Gives free pages and empty spans back, then meshes each class. Counts a system call for each mprotect, mmap and
   * fallocate, and pairs of spans compared as blocks visited. A pair that would exceed the budget is not meshed.
   */
  run(budget: number): number {
    const { given, spans } = this;
    this.space.costs[Cost.passes] += 1;
    spans.arena.scavenge();
    for (let k = 0; k < classBytes.length; k++) spans.flush(k);
    let moved = 0;
    if (given.meshing && spans.arena.meshed <= given.maxMeshes) {
      for (let k = 0; classBytes[k] < MESH_LIMIT; k++) moved += this.meshClass(k, budget - moved);
    }
    spans.arena.scavenge();
    return moved;
  }

  private meshClass(sizeClass: number, budget: number): number {
    const { given } = this;
    const { heaps } = this.spans;
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
      const bytes = heaps.inUse[from] * classBytes[sizeClass];
      if (moved + bytes > budget) return;
      this.meshPair(keep, from, sizeClass);
      moved += bytes;
    });
    return moved;
  }

  /** Copies the objects of `from` to the frames of `keep`, and lets all virtual spans of `from` show those. */
  private meshPair(keep: number, from: number, sizeClass: number): void {
    const { space } = this;
    const { arena, heaps, owner } = this.spans;
    const bytes = classBytes[sizeClass];
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
      owner.fill(keep, page, page + pages);
    }
    heaps.join(keep, from);
  }
}
