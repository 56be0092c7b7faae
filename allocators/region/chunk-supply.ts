import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { Bitset } from "../../memory/bitset.js";
import { ResidentPages } from "../resident-pages.js";

/** 32 GiB of addresses. */
export const RESERVED = 0x800000000;
const LARGEST_CHUNK = 1 << 24;

/** Chunks of one size at multiples of it, mapped at the lowest vacant place. Places are numbers from 0. */
export class ChunkSupply {
  readonly base: Address;
  readonly pages: ResidentPages;
  /** Places that have ever held a chunk. */
  places = 0;
  private readonly space: AddressSpace;
  private readonly bytes: number;
  private readonly vacant = new Bitset();

  constructor(space: AddressSpace, bytes: number) {
    this.space = space;
    this.bytes = bytes;
    this.base = space.reserve(RESERVED, LARGEST_CHUNK);
    this.pages = new ResidentPages(space, this.base);
  }

  /** Maps a chunk and returns its place, or -1 where there is no memory. */
  take(): number {
    const hole = this.vacant.first();
    const place = hole < 0 ? this.places : hole;
    const offset = place * this.bytes;
    if (offset + this.bytes > RESERVED || !this.space.commit(this.base + offset, this.bytes, Use.heap)) return -1;
    if (hole < 0) this.places += 1;
    else this.vacant.clear(hole);
    this.pages.reach(offset + this.bytes);
    return place;
  }

  give(place: number): void {
    this.space.unmap(this.base + place * this.bytes, this.bytes);
    this.pages.forget(place * this.bytes, this.bytes);
    this.vacant.set(place);
  }

  isMapped(place: number): boolean {
    return place < this.places && !this.vacant.has(place);
  }
}
