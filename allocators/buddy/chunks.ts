import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { Bitset } from "../../memory/bitset.js";
import { grown } from "../../memory/columns.js";
import type { HeapMap } from "../../memory/heap-map.js";
import { SideTable } from "./side-table.js";

/** The heap has at most 32 GiB, and 2^30 units. */
const LARGEST_HEAP = 0x800000000;
const MOST_UNITS = 0x40000000;
/** Chunks lie at multiples of their size, which is at most this. */
const BASE_ALIGNMENT = 0x40000000;

/**
 * Bytes of bookkeeping beside a chunk of so many smallest blocks. Bitmaps of free blocks: a bit for each block of each order, and a 32nd as many for
 * each level above, by which the lowest is found. Split and pair bits: one for each pair of each order.
 */
export function bytesBeside(units: number, lowest: boolean, inBand: boolean): number {
  const pairs = Math.ceil(units / 8);
  const bitmaps = Math.ceil(((2 * units - 1) * 32) / 31 / 8);
  const free = lowest ? bitmaps : inBand ? 0 : pairs;
  return free + (inBand ? 0 : pairs);
}

/** The memory under a buddy system: chunks of one size in a reserved range, lowest first, each with its bookkeeping. */
export class Chunks {
  readonly base: Address;
  /** Places for chunks that have ever held one: places from here on are vacant. */
  places: number;
  /** A byte for each page of the places: 1 where it is known to be resident, as it stays until its chunk is unmapped. */
  resident: Uint8Array;
  private readonly space: AddressSpace;
  private readonly bytes: number;
  /** Bytes that are mapped of a chunk: where no size of the buddy system fills it, less than its addresses. */
  private readonly extent: number;
  private readonly capacity: number;
  private readonly vacant: Bitset;
  private readonly table: SideTable;

  /**
   * Chunks of `bytes` bytes, divided into units, with `record` bytes of bookkeeping for each beside the heap. Only the
   * pages of the first `extent` bytes are mapped.
   */
  constructor(space: AddressSpace, bytes: number, unit: number, record: number, extent = bytes) {
    const reserved = Math.min(LARGEST_HEAP, MOST_UNITS * unit);
    this.base = space.reserve(reserved, BASE_ALIGNMENT);
    this.places = 0;
    this.resident = new Uint8Array(Math.ceil(bytes / space.pageSize));
    this.space = space;
    this.bytes = bytes;
    this.extent = Math.ceil(extent / space.pageSize) * space.pageSize;
    this.capacity = reserved / bytes;
    this.vacant = new Bitset();
    this.table = new SideTable(space, record, this.capacity);
  }

  /** Maps a chunk at the lowest vacant place. Returns the place, or -1 where there is no memory. */
  map(): number {
    const hole = this.vacant.first();
    const place = hole < 0 ? this.places : hole;
    if (place === this.capacity || !this.table.use(place)) return -1;
    if (!this.space.commit(this.base + place * this.bytes, this.extent, Use.heap)) {
      this.table.drop(place);
      return -1;
    }
    if (hole < 0) this.addPlace();
    else this.vacant.clear(hole);
    return place;
  }

  unmap(place: number): void {
    this.space.unmap(this.base + place * this.bytes, this.extent);
    const pages = this.bytes / this.space.pageSize;
    this.resident.fill(0, place * pages, (place + 1) * pages);
    this.table.drop(place);
    this.vacant.set(place);
  }

  /** Touches bytes inside one chunk, given by their offset from the base. */
  touch(offset: number, bytes: number): void {
    this.space.touch(this.base + offset, bytes);
    const { pageSize } = this.space;
    if (bytes > 0) this.resident.fill(1, Math.floor(offset / pageSize), Math.ceil((offset + bytes) / pageSize));
  }

  isMapped(place: number): boolean {
    return place < this.places && !this.vacant.has(place);
  }

  /** Adds the bookkeeping beside the heap to a map. */
  walkTable(map: HeapMap): void {
    this.table.walk(map);
  }

  private addPlace(): void {
    this.places += 1;
    const pages = (this.places * this.bytes) / this.space.pageSize;
    if (pages <= this.resident.length) return;
    this.resident = grown(this.resident, this.resident.length * 2);
  }
}
