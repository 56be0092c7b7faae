import { grown } from "../../memory/columns.js";
import { ceilPowerOfTwo } from "../../memory/exact-math.js";
import { PlaceTree } from "../sequential-fit/place-tree.js";
import { SizeColumn } from "../sequential-fit/sizes.js";

/** The holes below the top of a heap, joined with their neighbours, with exact first fit. In granules. */
export class Holes {
  /** Granules in all holes. */
  total = 0;
  readonly index: PlaceTree;
  /** At the first granule of a hole its size, and at its last granule where it starts. */
  private readonly sizes = new SizeColumn(1024);
  private starts = new Int32Array(1024);

  constructor() {
    this.index = new PlaceTree(this.sizes);
  }

  /** Makes positions up to `end` usable. */
  reach(end: number): void {
    if (end < this.sizes.length) return;
    this.sizes.grow(ceilPowerOfTwo(end + 1));
    this.starts = grown(this.starts, this.sizes.length);
    this.index.grow();
  }

  /** A hole, apart from its neighbours. */
  insert(at: number, size: number): void {
    this.sizes.column[at] = size;
    this.starts[at + size - 1] = at + 1;
    this.total += size;
    this.index.insert(at, size);
  }

  /** Granules of the hole that starts at `at`, or 0. */
  sizeAt(at: number): number {
    return this.sizes.sizeAt(at);
  }

  remove(at: number): number {
    const size = this.sizes.column[at];
    this.index.remove(at, size);
    this.starts[at + size - 1] = 0;
    this.sizes.column[at] = 0;
    this.total -= size;
    return size;
  }

  /** Takes `size` granules of the hole at `hole`, from `at` on. */
  carve(hole: number, at: number, size: number): void {
    const end = hole + this.remove(hole);
    if (at > hole) this.insert(hole, at - hole);
    if (at + size < end) this.insert(at + size, end - at - size);
  }

  /** The start of the hole that ends at `end`, or -1. */
  before(end: number): number {
    return end === 0 ? -1 : this.starts[end - 1] - 1;
  }

  /** Cuts the hole that lies on both sides of `at`, if there is one: `start` is where it starts. */
  cut(start: number, at: number): void {
    const size = this.remove(start);
    this.insert(start, at - start);
    this.insert(at, start + size - at);
  }

  /** Joins the holes that meet at `at`, if there are two. */
  join(at: number): void {
    const start = this.before(at);
    if (start < 0 || this.sizes.column[at] === 0) return;
    const size = this.remove(start) + this.remove(at);
    this.insert(start, size);
  }

  /** Holes in address order, from the lowest. */
  *all(): Generator<readonly [at: number, size: number]> {
    for (let at = this.index.first(1); at >= 0; at = this.index.next(at, 1)) yield [at, this.sizes.column[at]];
  }
}
