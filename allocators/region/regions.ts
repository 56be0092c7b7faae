import type { Address, AddressSpace } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { SideTable } from "../buddy/side-table.js";
import type { ResidentPages } from "../resident-pages.js";
import { ChunkSupply, RESERVED } from "./chunk-supply.js";

const GRANULE = 16;
/** Granules at the start of a chunk: the next one of its region, and where it is filled to. */
const HEADER = 1;
/** Bytes of a region's record: first and last chunk, fill, end. */
const RECORD = 32;
const NONE = -1;

/** Regions by number and the chunks they are made of, filled from below. Positions and sizes are in granules. */
export class Regions {
  readonly base: Address;
  readonly end: Address;
  readonly pages: ResidentPages;
  /** At the first granule of a block its granules, negative when it is dead or a gap. */
  sizes: Int32Array;
  /** Live blocks of each region. */
  live = new Int32Array(16);
  private readonly supply: ChunkSupply;
  private readonly table: SideTable;
  private readonly shift: number;
  // By region: the first and the last chunk, NONE where it does not exist, and the fill and end of the last.
  private firsts = new Int32Array(16).fill(NONE);
  private lasts = new Int32Array(16);
  private tops = new Int32Array(16);
  private ends = new Int32Array(16);
  // By chunk: the next of its region, the region, the fill when it was left, and the end of its highest block ever.
  private nexts = new Int32Array(16);
  private owners = new Int32Array(16);
  private fills = new Int32Array(16);
  private used = new Int32Array(16);

  constructor(space: AddressSpace, chunk: number) {
    this.supply = new ChunkSupply(space, chunk);
    this.base = this.supply.base;
    this.end = this.base + RESERVED;
    this.pages = this.supply.pages;
    this.shift = 31 - Math.clz32(chunk / GRANULE);
    this.sizes = new Int32Array(chunk / GRANULE);
    this.table = new SideTable(space, RECORD, RESERVED / chunk + 64);
  }

  exists(region: number): boolean {
    return region < this.firsts.length && this.firsts[region] !== NONE;
  }

  /** Places a block behind the others of a region; -1 where its last chunk has no room, or it has none. */
  place(region: number, granules: number, alignment: number): number {
    if (!this.exists(region)) return -1;
    const top = this.tops[region];
    const step = alignment / GRANULE;
    const at = step > 1 ? Math.ceil(top / step) * step : top;
    if (at + granules > this.ends[region]) return -1;
    if (at > top) this.sizes[top] = top - at;
    this.sizes[at] = granules;
    this.tops[region] = at + granules;
    this.live[region] += 1;
    return at;
  }

  /** A block is dead. Returns its region. */
  free(at: number): number {
    this.sizes[at] = -this.sizes[at];
    const region = this.owners[at >>> this.shift];
    this.live[region] -= 1;
    return region;
  }

  /** Makes the block at `at` larger, if it is the last of its region and its chunk has room. */
  growLast(at: number, granules: number): boolean {
    const region = this.owners[at >>> this.shift];
    if (at + this.sizes[at] !== this.tops[region] || at + granules > this.ends[region]) return false;
    this.sizes[at] = granules;
    this.tops[region] = at + granules;
    return true;
  }

  /** Maps a chunk that belongs to no region yet; -1 where there is no memory. */
  takeChunk(): number {
    const chunk = this.supply.take();
    if (chunk >= this.nexts.length) this.growChunks();
    const needed = (chunk + 1) << this.shift;
    if (needed > this.sizes.length) {
      this.sizes = grown(this.sizes, Math.max(needed, this.sizes.length * 2));
    }
    return chunk;
  }

  /** Makes a chunk the last of a region, which exists from now on. `false`, and the chunk is given back: no memory. */
  addChunk(region: number, chunk: number): boolean {
    if (region >= this.firsts.length) this.growRegions(region);
    if (this.firsts[region] === NONE) {
      if (!this.table.use(region)) {
        this.supply.give(chunk);
        return false;
      }
      this.firsts[region] = chunk;
      this.live[region] = 0;
    } else {
      this.leave(region);
      this.nexts[this.lasts[region]] = chunk;
    }
    this.owners[chunk] = region;
    this.nexts[chunk] = NONE;
    this.used[chunk] = chunk << this.shift;
    this.pages.touch((chunk << this.shift) * GRANULE, HEADER * GRANULE);
    this.fill(region, chunk);
    return true;
  }

  /** Gives all chunks but the first back; the region is empty. */
  clear(region: number): void {
    const first = this.firsts[region];
    this.leave(region);
    this.giveFrom(this.nexts[first]);
    this.nexts[first] = NONE;
    this.fill(region, first);
  }

  /** Gives all chunks back; the region exists no more. */
  destroy(region: number): void {
    this.giveFrom(this.firsts[region]);
    this.firsts[region] = NONE;
    this.table.drop(region);
  }

  walk(map: HeapMap): void {
    for (let chunk = 0; chunk < this.supply.places; chunk++) {
      if (this.supply.isMapped(chunk)) this.walkChunk(map, chunk);
    }
    this.table.walk(map);
  }

  private walkChunk(map: HeapMap, chunk: number): void {
    const { base, sizes } = this;
    const region = this.owners[chunk];
    const start = chunk << this.shift;
    const end = (chunk + 1) << this.shift;
    const last = this.lasts[region] === chunk;
    const fill = last ? this.tops[region] : this.fills[chunk];
    map.add(base + start * GRANULE, HEADER * GRANULE, Kind.header);
    for (let at = start + HEADER; at < fill; at += Math.abs(sizes[at])) {
      const address = base + at * GRANULE;
      if (sizes[at] > 0) map.add(address, sizes[at] * GRANULE, Kind.live, address);
      else map.add(address, -sizes[at] * GRANULE, Kind.free);
    }
    const fresh = last ? Math.max(fill, this.used[chunk]) : fill;
    map.add(base + fill * GRANULE, (fresh - fill) * GRANULE, Kind.free);
    map.add(base + fresh * GRANULE, (end - fresh) * GRANULE, last ? Kind.fresh : Kind.tail);
  }

  /** Notes how far the last chunk of a region is filled. */
  private leave(region: number): void {
    const chunk = this.lasts[region];
    this.fills[chunk] = this.tops[region];
    this.used[chunk] = Math.max(this.used[chunk], this.tops[region]);
  }

  /** A chunk is the last one of a region, and empty. */
  private fill(region: number, chunk: number): void {
    this.lasts[region] = chunk;
    this.tops[region] = (chunk << this.shift) + HEADER;
    this.ends[region] = (chunk + 1) << this.shift;
  }

  private giveFrom(first: number): void {
    for (let chunk = first; chunk !== NONE; chunk = this.nexts[chunk]) this.supply.give(chunk);
  }

  private growRegions(region: number): void {
    const length = Math.max(region + 1, this.firsts.length * 2);
    this.firsts = grown(this.firsts, length, NONE);
    this.lasts = grown(this.lasts, length);
    this.tops = grown(this.tops, length);
    this.ends = grown(this.ends, length);
    this.live = grown(this.live, length);
  }

  private growChunks(): void {
    const length = this.nexts.length * 2;
    this.nexts = grown(this.nexts, length);
    this.owners = grown(this.owners, length);
    this.fills = grown(this.fills, length);
    this.used = grown(this.used, length);
  }
}
