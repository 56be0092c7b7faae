import type { Address, AddressSpace } from "../memory/address-space.js";
import { Use } from "../memory/address-space.js";
import { type HeapMap, Kind } from "../memory/heap-map.js";

/** Bookkeeping of equal records that never shrinks, mapped under `Use.meta` page by page as records come into use. */
export class GrowingTable {
  private readonly space: AddressSpace;
  private readonly base: Address;
  private readonly record: number;
  private bytes = 0;

  /** Room for `records` records of `record` bytes each; nothing is mapped yet. */
  constructor(space: AddressSpace, record: number, records: number) {
    this.space = space;
    this.record = record;
    this.base = space.reserve(record * records, space.pageSize);
  }

  /** Maps all pages of the first `count` records. `false` where there is no memory; nothing has changed then. */
  ensure(count: number): boolean {
    const { pageSize } = this.space;
    const needed = Math.ceil((count * this.record) / pageSize) * pageSize;
    if (needed <= this.bytes) return true;
    if (!this.space.commit(this.base + this.bytes, needed - this.bytes, Use.meta)) return false;
    this.bytes = needed;
    return true;
  }

  walk(map: HeapMap): void {
    map.add(this.base, this.bytes, Kind.meta);
  }
}
