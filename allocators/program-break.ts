import { type Address, type AddressSpace, Use } from "../memory/address-space.js";

/** Positions and sizes in a heap are in granules of 16 bytes. */
const GRANULE = 16;
const PER_GRANULE = 1 / GRANULE;
/** Addresses set aside: 32 GiB, as many granules as an int32 counts. */
const RESERVED = 0x800000000;
const MAX_GRANULES = 0x7fffffff;

/**
 * The data segment of a process: one range that grows and shrinks at its end by whole pages, as sbrk(2) does. Positions
 * are granules from `origin`, and the segment starts at position `start`, so that an owner can keep nodes of its own
 * below.
 */
export class ProgramBreak {
  /** Address of position 0; the segment starts `start` granules above. */
  readonly origin: Address;
  readonly start: number;
  /** The break. */
  end: number;
  /** End of the highest position handed out since it was mapped: what lies above is fresh. The owner raises it. */
  high: number;
  /** Start of a page below which every page is resident: nothing there needs `touch`. */
  resident: number;
  private readonly space: AddressSpace;
  private readonly page: number;

  /** An empty segment whose first position is `start`. */
  constructor(space: AddressSpace, start: number) {
    this.origin = space.reserve(RESERVED, space.pageSize) - start * GRANULE;
    this.start = start;
    this.end = start;
    this.high = start;
    this.resident = start;
    this.space = space;
    this.page = space.pageSize * PER_GRANULE;
  }

  /** Whether an address lies in the range that the segment may grow over. */
  holds(at: Address): boolean {
    return at >= this.origin && at < this.origin + RESERVED;
  }

  /** Moves the break up by `granules`, whole pages. `false` where there is no memory; nothing has changed. */
  grow(granules: number): boolean {
    if (this.end + granules > MAX_GRANULES) return false;
    if (!this.space.commit(this.origin + this.end * GRANULE, granules * GRANULE, Use.heap)) return false;
    this.end += granules;
    return true;
  }

  /** Moves the break down by `granules`, whole pages. */
  shrink(granules: number): void {
    this.end -= granules;
    this.space.unmap(this.origin + this.end * GRANULE, granules * GRANULE);
    if (this.high > this.end) this.high = this.end;
    if (this.resident > this.end) this.resident = this.end;
  }

  /** Touches `bytes` bytes from `offset` bytes behind a position, and moves `resident` on where they join it. */
  touch(position: number, offset: number, bytes: number): void {
    const from = (position - this.start) * GRANULE + offset;
    this.space.touch(this.origin + this.start * GRANULE + from, bytes);
    const { pageSize } = this.space;
    const first = this.start + Math.floor(from / pageSize) * this.page;
    const last = this.start + Math.ceil((from + bytes) / pageSize) * this.page;
    if (first <= this.resident && last > this.resident) this.resident = last;
  }
}
