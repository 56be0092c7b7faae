import { type AddressSpace, Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { Cost } from "../../memory/costs.js";
import { ceilPowerOfTwo } from "../../memory/exact-math.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";

/** Address and size of an object, eight bytes each. */
const ENTRY = 16;
const MOST = 1 << 26;
const RESERVED = MOST * ENTRY;

/** No object at this entry: it waits to be used again. */
const VACANT = -1;

/**
 * The handle table: where each object is, and how large, in granules. With it a heap needs no headers: the modelled pass
 * sorts the entries by address, for which the simulator keeps the entry of each block at its first granule. Entries are
 * used again last in, first out, and the table never shrinks.
 */
export class Objects {
  /** Granule at which the object starts, or `VACANT`. */
  at = new Int32Array(1024);
  size = new Int32Array(1024);
  /** Granules between the addresses that the object may start at, as a power of two. */
  step = new Uint8Array(1024);
  pins = new Int32Array(1024);
  /** 1 for an object that was freed while pinned. */
  doomed = new Uint8Array(1024);
  /** At the granule where an object starts its entry and 1, else 0. */
  private owners = new Int32Array(4096);
  /** Entries ever used. */
  private used = 0;
  private readonly vacant: number[] = [];
  private readonly space: AddressSpace;
  private readonly base: number;
  private mapped = 0;

  constructor(space: AddressSpace) {
    this.space = space;
    this.base = space.reserve(RESERVED, space.pageSize);
  }

  /** Whether there is an entry for one more object. */
  ready(): boolean {
    if (this.vacant.length > 0 || (this.used + 1) * ENTRY <= this.mapped) return true;
    const page = this.space.pageSize;
    if (this.mapped + page > RESERVED || !this.space.commit(this.base + this.mapped, page, Use.table)) return false;
    this.mapped += page;
    return true;
  }

  /** An entry for an object; `ready` said that there is one. */
  take(at: number, size: number, step: number): number {
    const entry = this.vacant.pop() ?? this.used++;
    if (entry === this.at.length) this.grow();
    this.at[entry] = VACANT;
    this.size[entry] = size;
    this.step[entry] = step;
    this.pins[entry] = 0;
    this.doomed[entry] = 0;
    this.place(entry, at);
    return entry;
  }

  /** The object is at `at` now. */
  place(entry: number, at: number): void {
    this.leave(entry);
    this.at[entry] = at;
    if (at >= this.owners.length) {
      this.owners = grown(this.owners, ceilPowerOfTwo(at + 1));
    }
    this.owners[at] = entry + 1;
    this.space.costs[Cost.tableWrites] += 1;
  }

  give(entry: number): void {
    this.leave(entry);
    this.at[entry] = VACANT;
    this.space.costs[Cost.tableWrites] += 1;
    this.vacant.push(entry);
  }

  /** Entries of all objects, by address. */
  inOrder(): Int32Array {
    const { owners } = this;
    const entries = new Int32Array(this.used - this.vacant.length);
    for (let at = 0, count = 0; count < entries.length; at++) if (owners[at] > 0) entries[count++] = owners[at] - 1;
    return entries;
  }

  walk(map: HeapMap): void {
    map.add(this.base, this.mapped, Kind.table);
  }

  private leave(entry: number): void {
    const at = this.at[entry];
    if (at >= 0 && this.owners[at] === entry + 1) this.owners[at] = 0;
  }

  private grow(): void {
    const length = this.at.length * 2;
    this.at = grown(this.at, length);
    this.size = grown(this.size, length);
    this.step = grown(this.step, length);
    this.pins = grown(this.pins, length);
    this.doomed = grown(this.doomed, length);
  }
}
