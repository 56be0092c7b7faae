import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";

/** Bytes before the program's in a block of its own: its length, and a pad. */
const HEADER = 16;

/** Blocks that are mapped and unmapped one by one, in whole pages behind a header of 16 bytes. */
export class LargeBlocks {
  private readonly space: AddressSpace;
  /** By the program's address: where the mapping starts, and its bytes. */
  private readonly blocks = new Map<Address, { readonly start: Address; readonly bytes: number }>();

  constructor(space: AddressSpace) {
    this.space = space;
  }

  /** The program's address of a new block, or 0. */
  allocate(size: number, alignment: number): Address {
    const { pageSize } = this.space;
    const lead = Math.max(HEADER, alignment);
    const bytes = Math.ceil((lead + size) / pageSize) * pageSize;
    const start = this.space.map(bytes, Math.max(alignment, pageSize), Use.heap);
    if (start === 0) return 0;
    const address = start + lead;
    this.blocks.set(address, { start, bytes });
    this.space.touch(address - HEADER, HEADER + size);
    return address;
  }

  free(address: Address): void {
    const block = this.blocks.get(address);
    if (block === undefined) return;
    this.blocks.delete(address);
    this.space.unmap(block.start, block.bytes);
  }

  touch(address: Address, bytes: number): void {
    this.space.touch(address, bytes);
  }

  capacityOf(address: Address): number {
    const block = this.blocks.get(address);
    return block === undefined ? 0 : block.start + block.bytes - address;
  }

  walk(map: HeapMap): void {
    for (const [address, { start, bytes }] of this.blocks) {
      map.add(start, address - HEADER - start, Kind.padding);
      map.add(address - HEADER, HEADER, Kind.header);
      map.add(address, start + bytes - address, Kind.live, address);
    }
  }
}
