import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { Bitset } from "../../memory/bitset.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { SideTable } from "./side-table.js";

/** Chunks lie at multiples of their size, which is at most this. */
const BASE_ALIGNMENT = 0x40000000;

/** The memory under a buddy system: chunks of one size in a reserved range, lowest first, each with its bookkeeping. */
export class Chunks {
  readonly base: Address;
  /** Places for chunks that have ever held one: places from here on are vacant. */
  places: number;
  private readonly space: AddressSpace;
  private readonly bytes: number;
  private readonly capacity: number;
  private readonly vacant: Bitset;
  private readonly table: SideTable;

  /** Chunks of `bytes` bytes in a range of `reserved`, with `record` bytes of bookkeeping for each beside the heap. */
  constructor(space: AddressSpace, bytes: number, reserved: number, record: number) {
    this.base = space.reserve(reserved, BASE_ALIGNMENT);
    this.places = 0;
    this.space = space;
    this.bytes = bytes;
    this.capacity = reserved / bytes;
    this.vacant = new Bitset();
    this.table = new SideTable(space, record, this.capacity);
  }

  /** Maps a chunk at the lowest vacant place. Returns the place, or -1 where there is no memory. */
  map(): number {
    const hole = this.vacant.first();
    const place = hole < 0 ? this.places : hole;
    if (place === this.capacity || !this.table.use(place)) return -1;
    if (!this.space.commit(this.base + place * this.bytes, this.bytes, Use.heap)) {
      this.table.drop(place);
      return -1;
    }
    if (hole < 0) this.places += 1;
    else this.vacant.clear(hole);
    return place;
  }

  unmap(place: number): void {
    this.space.unmap(this.base + place * this.bytes, this.bytes);
    this.table.drop(place);
    this.vacant.set(place);
  }

  isMapped(place: number): boolean {
    return place < this.places && !this.vacant.has(place);
  }

  /** Adds the bookkeeping beside the heap to a map. */
  walkTable(map: HeapMap): void {
    this.table.walk(map);
  }
}
