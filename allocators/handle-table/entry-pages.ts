import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { Bitset } from "../../memory/bitset.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";

/** Most entries: their records are indexed by int32, four words each. */
const MAX_ENTRIES = 1 << 29;
/** The range of the published table: 2^31 entries of 8 bytes. */
const RESERVED = 0x80000000 * 8;

/** Bytes of a generation floor, which the directory keeps for each page of the table that can go. */
const FLOOR_BYTES = 4;

/**
 * The pages that a handle table lies in, mapped under `Use.table` at the first use of an entry in them. With `releases`,
 * a page without a live entry can be given back; the directory beside the table then keeps one generation for it. With
 * `marks` it keeps a bit for each entry too, by which the lowest free one is found.
 */
export class EntryPages {
  /** Entries of a page. */
  readonly perPage: number;
  /** Pages up to the highest ever mapped. */
  count = 0;
  private readonly space: AddressSpace;
  private readonly base: Address;
  private readonly directory: Address;
  /** Bytes of the directory for each page, and in all. */
  private readonly perDirectory: number;
  private directoryBytes = 0;
  /** Pages below `count` that are not mapped, and those of them that can be mapped again. */
  private readonly gone = new Bitset();
  private readonly dropped = new Bitset();

  constructor(space: AddressSpace, entryBytes: number, releases: boolean, marks: boolean) {
    this.space = space;
    this.perPage = Math.floor(space.pageSize / entryBytes);
    const whole = Math.ceil(MAX_ENTRIES / this.perPage) * space.pageSize;
    this.base = space.reserve(Math.max(RESERVED, whole), space.pageSize);
    this.perDirectory = (releases ? FLOOR_BYTES : 0) + (marks ? Math.ceil(this.perPage / 8) : 0);
    const most =
      Math.ceil((Math.ceil(MAX_ENTRIES / this.perPage) * this.perDirectory) / space.pageSize) * space.pageSize;
    this.directory = this.perDirectory > 0 ? space.reserve(most, space.pageSize) : 0;
  }

  /** Maps the next page. `false` without memory. */
  grow(): boolean {
    const { space, count } = this;
    if ((count + 1) * this.perPage > MAX_ENTRIES) return false;
    const more = (count + 1) * this.perDirectory > this.directoryBytes ? space.pageSize : 0;
    if (more > 0 && !space.commit(this.directory + this.directoryBytes, more, Use.table)) return false;
    this.directoryBytes += more;
    if (!space.commit(this.addressOf(count), space.pageSize, Use.table)) return false;
    this.count++;
    return true;
  }

  /** Gives the last page back, which nothing has used. */
  shrink(): void {
    this.count--;
    this.space.unmap(this.addressOf(this.count), this.space.pageSize);
  }

  /** Gives a page back, for good where its entries are worn out. */
  drop(page: number, forGood: boolean): void {
    this.gone.set(page);
    if (!forGood) this.dropped.set(page);
    this.space.unmap(this.addressOf(page), this.space.pageSize);
  }

  /** Maps the lowest page that was given back. Its number, or -1 where there is none or no memory. */
  restore(): number {
    const page = this.dropped.first();
    if (page < 0 || !this.space.commit(this.addressOf(page), this.space.pageSize, Use.table)) return -1;
    this.dropped.clear(page);
    this.gone.clear(page);
    return page;
  }

  walk(map: HeapMap): void {
    const { pageSize } = this.space;
    let start = 0;
    for (let page = 0; page <= this.count; page++) {
      if (page < this.count && !this.gone.has(page)) continue;
      map.add(this.addressOf(start), (page - start) * pageSize, Kind.table);
      start = page + 1;
    }
    map.add(this.directory, this.directoryBytes, Kind.table);
  }

  private addressOf(page: number): Address {
    return this.base + page * this.space.pageSize;
  }
}
