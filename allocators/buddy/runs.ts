import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { SideTable } from "./side-table.js";
import { VacantRuns } from "./vacant-runs.js";

/** Addresses set aside for runs: two of the largest. */
const RESERVED = 0x800000000;
const LARGEST = RESERVED / 2;
/** The base is a multiple of this, so runs up to this size lie at multiples of their size. */
const BASE_ALIGNMENT = 0x40000000;

/**
 * Blocks larger than a chunk. Each is a run of 2^k chunks at a multiple of its size, mapped when it is handed out and
 * unmapped when it is freed. Their addresses are a buddy system of their own, lowest first. Where the sizes of the buddy
 * system are others, only as much of a run is mapped as a block of the next larger size has.
 */
export class Runs {
  readonly base: Address;
  private readonly space: AddressSpace;
  private readonly chunk: number;
  /** Bytes of the header before the program's bytes: 0 or 16. */
  private readonly header: number;
  private readonly vacant: VacantRuns;
  /** At the first chunk of a run and at the one its address lies in: the order plus 1. */
  private orders: Uint8Array;
  /** At the first chunk of a run: bytes from its start to the program's. */
  private leads: Float64Array;
  /** At the first chunk of a run: bytes mapped. */
  private extents: Float64Array;
  private readonly roundUp: ((bytes: number) => number) | undefined;
  /** A byte for each chunk of addresses, in use for the first one of a run: its order, where no header tells it. */
  private readonly table: SideTable;

  /** `roundUp` gives the size of a block for so many bytes; without it a run is mapped as a whole. */
  constructor(space: AddressSpace, chunk: number, header: number, roundUp?: (bytes: number) => number) {
    this.base = space.reserve(RESERVED, BASE_ALIGNMENT);
    this.space = space;
    this.chunk = chunk;
    this.header = header;
    this.vacant = new VacantRuns(31 - Math.clz32(LARGEST / chunk));
    this.orders = new Uint8Array(16);
    this.leads = new Float64Array(16);
    this.extents = new Float64Array(16);
    this.roundUp = roundUp;
    this.table = new SideTable(space, header === 0 ? 1 : 0, RESERVED / chunk);
  }

  /** Address of a new run with `size` bytes for the program, behind `lead`; 0 where there is no memory. */
  allocate(size: number, alignment: number, lead: number): Address {
    const bytes = Math.max(lead + Math.max(size, 1), alignment);
    if (bytes > LARGEST || alignment > BASE_ALIGNMENT) return 0;
    const order = this.orderFor(bytes);
    const slot = this.vacant.take(order);
    if (slot < 0) return 0;
    const extent = this.extentFor(bytes, order);
    if (!this.map(slot, extent)) {
      this.vacant.give(slot, order);
      return 0;
    }
    const inside = slot + Math.floor(lead / this.chunk);
    this.reach(inside + 1);
    this.orders[slot] = order + 1;
    this.orders[inside] = order + 1;
    this.leads[slot] = lead;
    this.extents[slot] = extent;
    const start = this.base + slot * this.chunk;
    if (this.header > 0) this.space.touch(start, this.header);
    this.space.touch(start + lead - this.header, this.header + size);
    return start + lead;
  }

  free(address: Address): void {
    const inside = Math.floor((address - this.base) / this.chunk);
    const order = this.orders[inside] - 1;
    const slot = startOf(inside, order);
    this.orders[inside] = 0;
    this.orders[slot] = 0;
    this.table.drop(slot);
    this.space.unmap(this.base + slot * this.chunk, this.extents[slot]);
    this.vacant.give(slot, order);
  }

  capacityOf(address: Address): number {
    const inside = Math.floor((address - this.base) / this.chunk);
    const slot = startOf(inside, this.orders[inside] - 1);
    return this.base + slot * this.chunk + this.extents[slot] - address;
  }

  /** Unmaps the upper parts that `size` bytes leave unused, while the run stays larger than a chunk. Returns splits. */
  shorten(address: Address, size: number): number {
    const inside = Math.floor((address - this.base) / this.chunk);
    const before = this.orders[inside] - 1;
    const slot = startOf(inside, before);
    // What would fit a chunk keeps the least run there is, in every sequence of sizes.
    const bytes = Math.max(this.chunk + 1, this.leads[slot] + size);
    const needed = this.orderFor(bytes);
    for (let k = before - 1; k >= needed; k--) {
      const half = slot + (1 << k);
      this.cut(slot, this.chunk * (1 << k));
      this.vacant.give(half, k);
    }
    const order = Math.min(before, needed);
    this.orders[inside] = order + 1;
    this.orders[slot] = order + 1;
    this.cut(slot, this.extentFor(bytes, order));
    return before - order;
  }

  walk(map: HeapMap): void {
    for (let slot = 0; slot < this.orders.length; slot++) {
      const order = this.orders[slot] - 1;
      if (order < 0) continue;
      const start = this.base + slot * this.chunk;
      const lead = this.leads[slot];
      map.add(start, this.header, Kind.header);
      map.add(start + this.header, lead - this.header, Kind.padding);
      map.add(start + lead, this.extents[slot] - lead, Kind.live, start + lead);
      slot += (1 << order) - 1;
    }
    this.table.walk(map);
  }

  /** Bytes to map of a run of an order for a block of so many bytes. */
  private extentFor(bytes: number, order: number): number {
    const whole = this.chunk * (1 << order);
    if (this.roundUp === undefined) return whole;
    return Math.min(whole, Math.ceil(this.roundUp(bytes) / this.space.pageSize) * this.space.pageSize);
  }

  /** Unmaps what a run has beyond its first `extent` bytes. */
  private cut(slot: number, extent: number): void {
    const before = this.extents[slot];
    if (extent >= before) return;
    this.space.unmap(this.base + slot * this.chunk + extent, before - extent);
    this.extents[slot] = extent;
  }

  private map(slot: number, extent: number): boolean {
    if (!this.table.use(slot)) return false;
    if (this.space.commit(this.base + slot * this.chunk, extent, Use.heap)) return true;
    this.table.drop(slot);
    return false;
  }

  /** Chunks for `bytes`, as a power of two: at least 2. */
  private orderFor(bytes: number): number {
    const chunks = Math.ceil(bytes / this.chunk);
    return Math.max(1, 32 - Math.clz32(chunks - 1));
  }

  private reach(length: number): void {
    if (length <= this.orders.length) return;
    const capacity = Math.max(length, this.orders.length * 2);
    this.orders = grown(this.orders, capacity);
    this.leads = grown(this.leads, capacity);
    this.extents = grown(this.extents, capacity);
  }
}

/** The first chunk of a run of 2^order chunks that covers a chunk. */
function startOf(inside: number, order: number): number {
  return inside & -(1 << order);
}
