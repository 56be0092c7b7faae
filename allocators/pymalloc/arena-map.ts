import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import type { Geometry } from "./geometry.js";

/**
 * Nodes of this many bytes and more are mapped by the C library for themselves (M_MMAP_THRESHOLD of glibc), so they cost
 * the pages that hold entries; smaller ones come cleared from its heap and cost what they are.
 */
const SPARSE_BYTES = 131072;
/** Eight bytes for each entry, at every level. */
const ENTRIES_IN_PAGE = 512;

/** Node sizes in bytes and the address bits below each level of the radix tree of arenas. */
export interface ArenaMapShape {
  /** The root, and each node of the middle level. */
  readonly interiorBytes: number;
  /** Each node of the bottom level, 8 bytes for an arena. */
  readonly bottomBytes: number;
  /** Bytes of address space under one middle node. */
  readonly midSpan: number;
  /** Bytes of address space under one bottom node. */
  readonly bottomSpan: number;
  /** Bytes of address space under one entry of a bottom node: an arena. */
  readonly arena: number;
}

/** Shape for 2^arenaBits arenas and `addressBits` of address: 48 in 3.10, 64 from 3.11 on (obmalloc.c, ARENA_BITS). */
export function arenaMapShape(arenaBits: number, addressBits: number): ArenaMapShape {
  const interiorBits = Math.floor((addressBits - arenaBits + 2) / 3);
  const bottomBits = addressBits - arenaBits - 2 * interiorBits;
  const power = (bits: number): number => (1 << (bits >> 1)) * (1 << (bits - (bits >> 1)));
  return {
    interiorBytes: 8 * power(interiorBits),
    bottomBytes: 8 * power(bottomBits),
    midSpan: power(arenaBits + bottomBits + interiorBits),
    bottomSpan: power(arenaBits + bottomBits),
    arena: power(arenaBits),
  };
}

/** Nodes of `span` bytes each that the addresses from `first` to `last` need. */
export function nodesOver(first: Address, last: Address, span: number): number {
  return Math.floor(last / span) - Math.floor(first / span) + 1;
}

/** Bytes that one level of the tree costs: nodes of `bytes` over `span`, whose entries are over `under` each. */
function levelBytes(first: Address, last: Address, bytes: number, span: number, under: number): number {
  if (bytes < SPARSE_BYTES) return nodesOver(first, last, span) * bytes;
  return nodesOver(first, last, under * ENTRIES_IN_PAGE) * 8 * ENTRIES_IN_PAGE;
}

/**
 * The radix tree from addresses to arenas (bpo-37448): nothing but its memory, since the simulator finds an arena by a
 * shift. Nodes are never given back. Arenas lie side by side from `first` upwards, so the nodes that exist are those
 * from the first address to the last one ever covered. The root is static in C; its pages cost nothing before the
 * first arena, so it is mapped with that.
 */
export class ArenaMap {
  private readonly space: AddressSpace;
  private readonly shape: ArenaMapShape;
  private readonly first: Address;
  /** Address and bytes of each mapping that holds nodes. */
  private readonly starts: Address[] = [];
  private readonly sizes: number[] = [];
  private mapped = 0;
  /** The last address covered, 0 before the first arena. */
  last: Address = 0;
  private lastBefore: Address = 0;
  private mappingsBefore = 0;

  constructor(space: AddressSpace, geometry: Geometry, first: Address) {
    this.space = space;
    this.shape = arenaMapShape(geometry.arenaBits, geometry.mapBits);
    this.first = first;
  }

  /** Makes the nodes up to `last`; `false` where there is no memory for them, and nothing has changed then. */
  cover(last: Address): boolean {
    this.lastBefore = this.last;
    this.mappingsBefore = this.starts.length;
    if (last <= this.last) return true;
    const { interiorBytes, bottomBytes, midSpan, bottomSpan, arena } = this.shape;
    const need =
      levelBytes(this.first, last, interiorBytes, Number.POSITIVE_INFINITY, midSpan) +
      levelBytes(this.first, last, interiorBytes, midSpan, bottomSpan) +
      levelBytes(this.first, last, bottomBytes, bottomSpan, arena);
    if (need > this.mapped) {
      const bytes = Math.ceil((need - this.mapped) / this.space.pageSize) * this.space.pageSize;
      const at = this.space.map(bytes, this.space.pageSize, Use.meta);
      if (at === 0) return false;
      this.starts.push(at);
      this.sizes.push(bytes);
      this.mapped += bytes;
    }
    this.last = last;
    return true;
  }

  /** Takes the latest `cover` back. */
  uncover(): void {
    this.last = this.lastBefore;
    if (this.starts.length === this.mappingsBefore) return;
    const at = this.starts.pop() ?? 0;
    const bytes = this.sizes.pop() ?? 0;
    this.mapped -= bytes;
    this.space.unmap(at, bytes);
  }

  walk(map: HeapMap): void {
    this.starts.forEach((at, i) => {
      map.add(at, this.sizes[i], Kind.meta);
    });
  }
}
