import { type Address, type AddressSpace, Use } from "../memory/address-space.js";
import { type HeapMap, Kind } from "../memory/heap-map.js";

/** A chunk's two words: how far into its mapping it starts, and its size. */
const HEADER = 16;

/**
 * Chunks in mappings of their own, whole pages each: a header, the program's bytes, and a foot that dlmalloc has and
 * glibc has not (glibc: sysmalloc_mmap, munmap_chunk, mremap_chunk; dlmalloc: mmap_alloc, mmap_resize).
 */
export class MappedChunks {
  private readonly space: AddressSpace;
  private readonly extra: number;
  private readonly foot: number;
  /** By address of the program's bytes: bytes of the mapping in front of them, header included, and of all of it. */
  private readonly chunks = new Map<Address, { lead: number; bytes: number }>();

  /** Mappings have `extra` bytes more than the chunks asked for, rounded up to pages, and the last `foot` are no chunk's. */
  constructor(space: AddressSpace, extra: number, foot: number) {
    this.space = space;
    this.extra = extra;
    this.foot = foot;
  }

  /**
   * A mapping for a chunk of `need` bytes in which the program's `size` bytes start at a multiple of `alignment`. Where
   * that is more than the 16 bytes of any chunk, `need` has room for it (_int_memalign). 0 where there is no memory.
   */
  map(need: number, size: number, alignment: number): Address {
    const { pageSize } = this.space;
    const bytes = Math.ceil((need + this.extra) / pageSize) * pageSize;
    const at = this.space.map(bytes, pageSize, Use.heap);
    if (at === 0) return 0;
    let address = at + HEADER;
    if (address % alignment !== 0) {
      address = Math.ceil(address / alignment) * alignment;
      // A lead must be as large as the smallest chunk, though none is made of it here.
      if (address - at - HEADER < 32) address += alignment;
      this.space.touch(at, HEADER);
    }
    this.chunks.set(address, { lead: address - at, bytes });
    this.space.touch(address - HEADER, HEADER + size);
    return address;
  }

  /** Unmaps a chunk; returns its size, which counts from its header. */
  unmap(address: Address): number {
    const { lead, bytes } = this.chunkAt(address);
    this.chunks.delete(address);
    this.space.unmap(address - lead, bytes);
    return bytes - lead + HEADER;
  }

  /** Moves a chunk's pages to a mapping for `need` bytes, of which the program writes `size`. 0: there is no memory. */
  remap(address: Address, need: number, size: number): Address {
    const chunk = this.chunkAt(address);
    const { pageSize } = this.space;
    const { lead } = chunk;
    const bytes = Math.ceil((need + lead - HEADER + this.extra) / pageSize) * pageSize;
    let moved = address;
    if (bytes !== chunk.bytes) {
      const at = this.space.remap(address - lead, chunk.bytes, bytes);
      if (at === 0) return 0;
      moved = at + lead;
      this.chunks.delete(address);
      this.chunks.set(moved, { lead, bytes });
    }
    this.space.touch(moved, size);
    return moved;
  }

  capacityOf(address: Address): number {
    const { lead, bytes } = this.chunkAt(address);
    return bytes - lead - this.foot;
  }

  walk(map: HeapMap): void {
    for (const [address, { lead, bytes }] of this.chunks) {
      map.add(address - lead, lead - HEADER, Kind.padding);
      map.add(address - HEADER, HEADER, Kind.header);
      map.add(address, bytes - lead - this.foot, Kind.live, address);
      map.add(address - lead + bytes - this.foot, this.foot, Kind.header);
    }
  }

  private chunkAt(address: Address): { lead: number; bytes: number } {
    return this.chunks.get(address) ?? { lead: HEADER, bytes: 0 };
  }
}
