import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";

/**
 * A table of equal records beside a heap, paged on demand under `Use.meta`: a page is mapped while a record in use lies
 * in it.
 */
export class SideTable {
  private readonly space: AddressSpace;
  private readonly base: Address;
  private readonly record: number;
  /** Records in use for each page. */
  private users: Int32Array;

  /** A table of at most `records` records of `bytes` bytes each; with 0 bytes nothing is ever mapped. */
  constructor(space: AddressSpace, bytes: number, records: number) {
    this.space = space;
    this.record = bytes;
    this.base = bytes === 0 ? 0 : space.reserve(Math.ceil(bytes * records), space.pageSize);
    this.users = new Int32Array(16);
  }

  /** Takes a record into use. `false` where there is no memory; nothing has changed then. */
  use(index: number): boolean {
    if (this.record === 0) return true;
    const first = this.firstPage(index);
    const end = this.endPage(index);
    while (end > this.users.length) {
      this.users = grown(this.users, this.users.length * 2);
    }
    for (let page = first; page < end; page++) {
      if (this.users[page] === 0 && !this.commit(page)) {
        for (let mapped = first; mapped < page; mapped++) this.leave(mapped);
        return false;
      }
      this.users[page] += 1;
    }
    return true;
  }

  /** Gives a record back. */
  drop(index: number): void {
    if (this.record === 0) return;
    for (let page = this.firstPage(index); page < this.endPage(index); page++) this.leave(page);
  }

  walk(map: HeapMap): void {
    const size = this.space.pageSize;
    this.users.forEach((users, page) => {
      if (users > 0) map.add(this.base + page * size, size, Kind.meta);
    });
  }

  private firstPage(index: number): number {
    return Math.floor((index * this.record) / this.space.pageSize);
  }

  private endPage(index: number): number {
    return Math.ceil(((index + 1) * this.record) / this.space.pageSize);
  }

  private commit(page: number): boolean {
    return this.space.commit(this.base + page * this.space.pageSize, this.space.pageSize, Use.meta);
  }

  private leave(page: number): void {
    this.users[page] -= 1;
    if (this.users[page] === 0) this.space.unmap(this.base + page * this.space.pageSize, this.space.pageSize);
  }
}
