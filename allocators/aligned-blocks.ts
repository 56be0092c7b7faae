import type { Address } from "../memory/address-space.js";

/**
 * Blocks whose program's bytes start at a multiple inside, for an allocator that has no other way to align: the start of
 * the block by the address that the program has. Rare, hence a map; where there is none a look costs next to nothing.
 */
export class AlignedBlocks {
  private readonly starts = new Map<Address, Address>();
  private readonly inside = new Map<Address, Address>();

  add(address: Address, start: Address): void {
    if (address === start) return;
    this.starts.set(address, start);
    this.inside.set(start, address);
  }

  /** The start of the block that the program has at `address`. */
  startOf(address: Address): Address {
    return this.starts.size === 0 ? address : (this.starts.get(address) ?? address);
  }

  /** What the program has of the block at `start`: an address inside, or its start. */
  addressIn(start: Address): Address {
    return this.inside.get(start) ?? start;
  }

  /** The block that the program has at `address` is free. Returns its start. */
  remove(address: Address): Address {
    if (this.starts.size === 0) return address;
    const start = this.starts.get(address);
    if (start === undefined) return address;
    this.starts.delete(address);
    this.inside.delete(start);
    return start;
  }
}
