import { Bitset } from "../../memory/bitset.js";
import { PairingHeaps } from "./pairing-heaps.js";

/** Holes of a MiB and more are of one size here: there are few, and what is left of one is large too. */
const LARGE = 65536;

/** The free blocks of a heap by size and, within a size, by address, for "the smallest one of at least n units below". */
export class SizedHoles {
  private readonly sizes = new Bitset();
  private readonly heaps = new PairingHeaps();
  /** The heap node of the hole that starts at a unit. */
  private readonly nodeOf = new Map<number, number>();

  clear(): void {
    this.sizes.reset();
    this.heaps.clear();
    this.nodeOf.clear();
  }

  add(start: number, units: number): void {
    const bin = Math.min(units, LARGE);
    if (this.heaps.isEmpty(bin)) this.sizes.set(bin);
    this.nodeOf.set(start, this.heaps.add(bin, start));
  }

  remove(start: number, units: number): void {
    const node = this.nodeOf.get(start);
    if (node === undefined) return;
    const bin = Math.min(units, LARGE);
    this.nodeOf.delete(start);
    this.heaps.remove(bin, node);
    if (this.heaps.isEmpty(bin)) this.sizes.clear(bin);
  }

  /** Start of the smallest hole below `limit` of at least `units`, the lowest of several; -1 without one. */
  find(units: number, limit: number, unitsOf: (start: number) => number): number {
    for (let bin = this.sizes.next(Math.min(units, LARGE)); bin >= 0; bin = this.sizes.next(bin + 1)) {
      const start =
        units < LARGE ? this.heaps.least(bin) : this.heaps.leastWhere(bin, (place) => unitsOf(place) >= units);
      if (start >= 0 && start < limit) return start;
    }
    return -1;
  }
}
