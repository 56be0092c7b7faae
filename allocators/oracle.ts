import type { Address, AddressSpace } from "../memory/address-space.js";
import { Use } from "../memory/address-space.js";
import { grown } from "../memory/columns.js";
import { type HeapMap, Kind } from "../memory/heap-map.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../memory/options.js";
import type { AllocatorSpec, Ref, Reorganizing } from "./allocator.js";
import { none } from "./allocator.js";

export interface OracleOptions {
  pack: "always" | "safepoint";
  header: number;
  granule: number;
  minBlock: number;
}

const options: OptionTable<OracleOptions> = {
  pack: {
    kind: "choice",
    values: ["always", "safepoint"],
    default: "always",
    help: "blocks are packed after every request, or only at safepoints, as every allocator here that moves blocks",
  },
  header: { kind: "integer", min: 0, max: 64, default: 0, help: "bytes in front of each block" },
  granule: { kind: "integer", min: 1, max: 4096, default: 16, help: "header and payload are rounded up to this" },
  minBlock: { kind: "integer", min: 1, max: 4096, default: 16, help: "smallest block, header included" },
};

/** Names are as long as their blocks, so that they never overlap; there are 2^40 of them, then memory is used up. */
const NAMES = 0x10000000000;
const MEMORY = 0x4000000000;
const MAX_ALIGNMENT = 1 << 20;

/**
 * The ceiling of what movement can bring: blocks are packed without a gap at no cost, a dereference costs nothing, there
 * is no table, and pins do not hinder. What remains is what moving cannot remove: headers and rounding of each block,
 * which `ideal` has not. Under `safepoint` the memory of freed blocks is reused only after the next safepoint.
 */
class Oracle implements Reorganizing {
  private readonly space: AddressSpace;
  private readonly given: OracleOptions;
  private readonly eager: boolean;
  private readonly names: Address;
  private readonly base: Address;
  private nextName: Address;
  /** By entry, 1 upwards: size asked for, name, and the free entry below in the list of free ones. */
  private sizes = new Float64Array(1024);
  private addresses = new Float64Array(1024);
  private below = new Int32Array(1024);
  private freeEntry = 0;
  private entries = 1;
  private live = 0;
  private count = 0;
  /** Bytes of live blocks, of the memory they were packed in last and what came since, and pages of it. */
  private blocks = 0;
  private top = 0;
  private pages = 0;

  constructor(space: AddressSpace, given: OracleOptions) {
    this.space = space;
    this.given = given;
    this.eager = given.pack === "always";
    this.base = space.reserve(MEMORY, space.pageSize);
    this.names = space.reserve(NAMES, MAX_ALIGNMENT);
    this.nextName = this.names;
  }

  allocate(size: number, alignment = 16): Ref {
    const step = alignment > 16 ? alignment : 16;
    const name = Math.ceil(this.nextName / step) * step;
    const bytes = this.bytesFor(size);
    if (name + size > this.names + NAMES || !this.hold(this.top + bytes)) return none;
    this.blocks += bytes;
    this.live += size;
    this.count++;
    const entry = this.takeEntry();
    this.sizes[entry] = size;
    this.addresses[entry] = name;
    this.nextName = name + (size > 16 ? size : 16);
    return entry as Ref;
  }

  free(ref: Ref): void {
    const size = this.sizes[ref];
    this.below[ref] = this.freeEntry;
    this.freeEntry = ref;
    this.live -= size;
    this.count--;
    this.blocks -= this.bytesFor(size);
    if (this.eager) this.hold(this.blocks);
  }

  /** In place: there is nothing that movement could not make room for. */
  reallocate(ref: Ref, size: number): Ref {
    const old = this.sizes[ref];
    const change = this.bytesFor(size) - this.bytesFor(old);
    const grows = size > old;
    const name = grows ? Math.ceil(this.nextName / 16) * 16 : this.addresses[ref];
    if (grows && name + size > this.names + NAMES) return none;
    if ((change > 0 || this.eager) && !this.hold(this.top + change)) return none;
    if (grows) this.nextName = name + size;
    this.addresses[ref] = name;
    this.sizes[ref] = size;
    this.live += size - old;
    this.blocks += change;
    return ref;
  }

  addressOf(ref: Ref): Address {
    return this.addresses[ref];
  }

  capacityOf(ref: Ref): number {
    return this.sizes[ref];
  }

  /** Packs at no cost: no bytes are counted as copied. */
  compact(): number {
    this.hold(this.blocks);
    return 0;
  }

  /** Wants to pack as soon as a page could be given back. */
  compactionDue(): number {
    const { pageSize } = this.space;
    return Math.ceil(this.blocks / pageSize) < this.pages ? Number.POSITIVE_INFINITY : 0;
  }

  /** Totals: bytes asked for, headers, rounding, what is to be packed, and the end of the last page. */
  walk(map: HeapMap): void {
    const { header } = this.given;
    let at = this.base;
    const add = (bytes: number, kind: Kind): void => {
      map.add(at, bytes, kind);
      at += bytes;
    };
    add(this.live, Kind.live);
    add(header * this.count, Kind.header);
    add(this.blocks - this.live - header * this.count, Kind.padding);
    add(this.top - this.blocks, Kind.free);
    add(this.pages * this.space.pageSize - this.top, Kind.tail);
  }

  private bytesFor(size: number): number {
    const { header, granule, minBlock } = this.given;
    const bytes = Math.ceil((header + size) / granule) * granule;
    return bytes > minBlock ? bytes : minBlock;
  }

  private takeEntry(): number {
    const entry = this.freeEntry;
    if (entry > 0) {
      this.freeEntry = this.below[entry];
      return entry;
    }
    if (this.entries === this.sizes.length) this.grow();
    return this.entries++;
  }

  /** Makes the memory just large enough for `top` bytes. */
  private hold(top: number): boolean {
    const { pageSize } = this.space;
    const pages = Math.ceil(top / pageSize);
    if (pages !== this.pages && !this.resize(pages)) return false;
    this.top = top;
    return true;
  }

  private resize(pages: number): boolean {
    const { pageSize } = this.space;
    const end = this.base + this.pages * pageSize;
    const change = (pages - this.pages) * pageSize;
    if (change > 0) {
      if (pages * pageSize > MEMORY || !this.space.commit(end, change, Use.heap)) return false;
      this.space.touch(end, change);
    } else {
      this.space.unmap(end + change, -change);
    }
    this.pages = pages;
    return true;
  }

  private grow(): void {
    const length = 2 * this.sizes.length;
    this.sizes = grown(this.sizes, length);
    this.addresses = grown(this.addresses, length);
    this.below = grown(this.below, length);
  }
}

export const oracle: AllocatorSpec<OracleOptions> = {
  name: "oracle",
  title: "Oracle: free movement, free dereference",
  source: "the ceiling of every moving manager with the same blocks: a perfect packing at no cost",
  indirect: true,
  placeless: true,
  alignment: 16,
  options,
  defaults: defaultsOf(options),
  variants: [{ pack: "safepoint" }, { header: 16 }, { pack: "safepoint", header: 8, minBlock: 32 }],
  create: (space, given) => new Oracle(space, resolveOptions("oracle", options, given)),
};
