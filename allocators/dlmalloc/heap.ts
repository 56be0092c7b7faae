/** The heap of dlmalloc 2.8.6: how chunks are found, cut, freed and coalesced; victim and top. */
import type { AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { LeaChunks, MIN_CHUNK } from "../lea-chunks.js";
import type { ProgramBreak } from "../program-break.js";
import { Bins, FIRST_POSITION, FIRST_TREE } from "./bins.js";

const SMALLEST = MIN_CHUNK;
const TREE = FIRST_TREE;
/** Granules at the end of the heap for its segment record (TOP_FOOT_SIZE, 80 bytes), and one more asked for with it. */
export const FOOT = 5;
const PADDING = FOOT + 1;

/** Chunks by position and size in granules of 16 bytes. */
export class Heap {
  readonly chunks: LeaChunks;
  private readonly brk: ProgramBreak;
  private readonly bins: Bins;
  /** Position of the top, which ends `FOOT` granules below the break. */
  top: number;
  private readonly costs: Costs;
  private readonly unit: number;
  private readonly trimThreshold: number;
  /** The designated victim and its size; 0: none. It is marked free and in no bin. */
  private victim: number;
  private victimSize: number;

  /** A heap without memory, that grows by multiples of `unit` granules and has its top cut beyond `trimThreshold`. */
  constructor(space: AddressSpace, unit: number, trimThreshold: number) {
    this.chunks = new LeaChunks(space, FIRST_POSITION);
    this.brk = this.chunks.brk;
    this.bins = new Bins(this.chunks, space.costs);
    this.top = FIRST_POSITION;
    this.costs = space.costs;
    this.unit = unit;
    this.trimThreshold = trimThreshold;
    this.victim = 0;
    this.victimSize = 0;
  }

  /** Granules of the top. */
  topSize(): number {
    return Math.max(0, this.brk.end - FOOT - this.top);
  }

  /** A chunk in use from the bins, the victim or the top (dlmalloc); 0 where the heap must grow. */
  take(need: number): number {
    if (need < TREE) {
      const exact = this.bins.takeExact(need);
      if (exact > 0) {
        this.chunks.use(exact, need);
        return exact;
      }
      if (need > this.victimSize) {
        let at = this.bins.takeNextSmall(need);
        if (at === 0) at = this.bins.takeSmallestTree();
        if (at > 0) return this.cut(at, need, true);
      }
    } else {
      // Where the victim fits better or as well, it serves.
      const limit = this.victimSize >= need ? this.victimSize : Number.POSITIVE_INFINITY;
      const best = this.bins.takeBest(need, limit);
      if (best > 0) return this.cut(best, need, false);
    }
    if (need <= this.victimSize) return this.cutVictim(need);
    return need < this.topSize() ? this.takeFromTop(need) : 0;
  }

  takeFromTop(need: number): number {
    const at = this.top;
    this.costs[Cost.splits] += 1;
    this.chunks.use(at, need);
    this.moveTop(at + need);
    return at;
  }

  growTop(need: number): boolean {
    const units = Math.ceil((need - this.topSize() + PADDING) / this.unit);
    if (!this.brk.grow(units * this.unit)) return false;
    this.chunks.reachBreak();
    this.moveTop(this.top);
    this.brk.touch(this.brk.end - FOOT, 8, 8);
    return true;
  }

  /** Frees the `granules` at `start` (dispose_chunk). Returns whether they joined the top. */
  release(start: number, granules: number): boolean {
    const { bins, costs } = this;
    const { head } = this.chunks;
    const next = start + granules;
    let at = start;
    let size = granules;
    const before = at > FIRST_POSITION ? head[at - 1] : 0;
    if (before < 0) {
      at += before;
      size -= before;
      costs[Cost.coalesces] += 1;
      if (at !== this.victim) bins.unlink(at);
    }
    if (next === this.top) {
      costs[Cost.coalesces] += 1;
      if (at === this.victim) this.setVictim(0, 0);
      this.moveTop(at);
      return true;
    }
    let isVictim = at === this.victim;
    if (head[next] < 0) {
      costs[Cost.coalesces] += 1;
      size -= head[next];
      if (next === this.victim) isVictim = true;
      else bins.unlink(next);
    }
    this.makeFree(at, size);
    if (isVictim) this.setVictim(at, size);
    else bins.insert(at);
    return false;
  }

  /** Cuts a top beyond the threshold to one granularity or less (sys_trim). */
  trim(): void {
    const size = this.topSize();
    if (size <= this.trimThreshold || size <= FOOT) return;
    const units = Math.ceil((size - FOOT) / this.unit) - 1;
    if (units <= 0) return;
    this.brk.shrink(units * this.unit);
    this.moveTop(this.top);
    this.brk.touch(this.brk.end - FOOT, 8, 8);
  }

  /** Makes a chunk in use `need` granules large where it is (try_realloc_chunk); `false` where that cannot be. */
  resize(at: number, need: number): boolean {
    const { bins, chunks } = this;
    const before = chunks.head[at];
    const next = at + before;
    if (before >= need) {
      this.shrink(at, before, need);
      return true;
    }
    if (next === this.top) {
      if (before + this.topSize() <= need) return false;
      this.costs[Cost.coalesces] += 1;
      chunks.use(at, need);
      this.moveTop(at + need);
      return true;
    }
    const total = before - chunks.head[next];
    if (chunks.head[next] > 0 || total < need) return false;
    this.costs[Cost.coalesces] += 1;
    if (next !== this.victim) {
      bins.unlink(next);
      this.shrink(at, total, need);
      return true;
    }
    const rest = total - need;
    chunks.use(at, rest >= SMALLEST ? need : total);
    if (rest >= SMALLEST) this.makeFree(at + need, rest);
    this.setVictim(rest >= SMALLEST ? at + need : 0, rest >= SMALLEST ? rest : 0);
    return true;
  }

  /** A chunk in use of `total` granules keeps `need`; the rest is freed where it can be a chunk. */
  shrink(at: number, total: number, need: number): void {
    const rest = total - need;
    this.chunks.use(at, rest >= SMALLEST ? need : total);
    if (rest < SMALLEST) return;
    this.costs[Cost.splits] += 1;
    this.chunks.use(at + need, rest);
    this.release(at + need, rest);
  }

  /** Hands out the low end of an unlinked chunk; a remainder that can be a chunk is the new victim, or goes to its bin. */
  private cut(at: number, need: number, toVictim: boolean): number {
    const size = -this.chunks.head[at];
    const rest = size - need;
    if (rest < SMALLEST) {
      this.chunks.use(at, size);
      return at;
    }
    this.costs[Cost.splits] += 1;
    this.chunks.use(at, need);
    this.makeFree(at + need, rest);
    if (toVictim) this.replaceVictim(at + need, rest);
    else this.bins.insert(at + need);
    return at;
  }

  private cutVictim(need: number): number {
    const at = this.victim;
    const size = this.victimSize;
    const rest = size - need;
    if (rest < SMALLEST) {
      this.setVictim(0, 0);
      this.chunks.use(at, size);
      return at;
    }
    this.costs[Cost.splits] += 1;
    this.chunks.use(at, need);
    this.makeFree(at + need, rest);
    this.setVictim(at + need, rest);
    return at;
  }

  private setVictim(at: number, size: number): void {
    this.victim = at;
    this.victimSize = size;
  }

  private replaceVictim(at: number, size: number): void {
    if (this.victimSize > 0) this.bins.insert(this.victim);
    this.setVictim(at, size);
  }

  private moveTop(at: number): void {
    this.top = at;
    this.chunks.writeTop(at);
  }

  private makeFree(at: number, size: number): void {
    this.chunks.mark(at, size);
    this.chunks.writeFree(at, size);
  }
}
