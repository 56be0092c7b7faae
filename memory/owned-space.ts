import type { Address, AddressSpace, Use } from "./address-space.js";
import type { FootprintLog } from "./footprint-log.js";
import type { PageTable } from "./page-table.js";

const PAGE = 4096;
const PER_PAGE = 1 / PAGE;

/**
 * A view of an address space for one of several heaps that share it: everything goes to the space, which counts all of
 * them together, and every page that is mapped through the view is marked with its owner. Numbers are those of the whole
 * space.
 */
export class OwnedSpace implements AddressSpace {
  private readonly space: AddressSpace;
  private readonly owners: PageTable;
  private readonly owner: number;

  /** Pages are marked with `owner` (1 to 15) in `owners` while they are mapped. */
  constructor(space: AddressSpace, owners: PageTable, owner: number) {
    this.space = space;
    this.owners = owners;
    this.owner = owner;
  }

  get pageSize(): number {
    return this.space.pageSize;
  }

  get mapped(): number {
    return this.space.mapped;
  }

  get resident(): number {
    return this.space.resident;
  }

  get footprint(): number {
    return this.space.footprint;
  }

  get peakMapped(): number {
    return this.space.peakMapped;
  }

  get peakResident(): number {
    return this.space.peakResident;
  }

  get peakFootprint(): number {
    return this.space.peakFootprint;
  }

  get costs(): Float64Array {
    return this.space.costs;
  }

  get log(): FootprintLog {
    return this.space.log;
  }

  mappedFor(use: Use): number {
    return this.space.mappedFor(use);
  }

  map(bytes: number, alignment: number, use: Use): Address {
    const at = this.space.map(bytes, alignment, use);
    if (at !== 0) this.mark(at, bytes, this.owner);
    return at;
  }

  reserve(bytes: number, alignment: number): Address {
    return this.space.reserve(bytes, alignment);
  }

  commit(at: Address, bytes: number, use: Use): boolean {
    const done = this.space.commit(at, bytes, use);
    if (done) this.mark(at, bytes, this.owner);
    return done;
  }

  unmap(at: Address, bytes: number): void {
    this.space.unmap(at, bytes);
    this.mark(at, bytes, 0);
  }

  remap(at: Address, bytes: number, newBytes: number): Address {
    const moved = this.space.remap(at, bytes, newBytes);
    if (moved === 0) return 0;
    this.mark(at, bytes, 0);
    this.mark(moved, newBytes, this.owner);
    return moved;
  }

  touch(at: Address, bytes: number): void {
    this.space.touch(at, bytes);
  }

  discard(at: Address, bytes: number): number {
    return this.space.discard(at, bytes);
  }

  alias(from: Address, to: Address, bytes: number): void {
    this.space.alias(from, to, bytes);
  }

  footprintOf(at: Address, bytes: number): number {
    return this.space.footprintOf(at, bytes);
  }

  frameOf(at: Address): Address {
    return this.space.frameOf(at);
  }

  regions(visit: (start: Address, bytes: number, use: Use) => void): void {
    this.space.regions(visit);
  }

  private mark(at: Address, bytes: number, owner: number): void {
    if (bytes > 0) this.owners.fill(at * PER_PAGE, Math.ceil((at + bytes) * PER_PAGE), owner);
  }
}
