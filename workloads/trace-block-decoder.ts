/** Decoding of the blocks of a trace file (layout: trace-block.ts). */
import { BOTTOM, LIVE } from "./slot-stack.js";
import { OP_MASK, Op } from "./trace.js";
import { COLUMNS, COLUMNS_WITH_SITES, WINDOW } from "./trace-block.js";
import { VARINT_MAX, VarintReader } from "./varint.js";

// An imported constant is looked up at each use (V8 11), a module's own is folded.
const ALLOCATE = Op.allocate;
const FREE = Op.free;
const REALLOCATE = Op.reallocate;
const ACCESS = Op.access;
const PHASE = Op.phase;
const MASK = OP_MASK;
const NO_SLOT = BOTTOM;
const IN_USE = LIVE;
const LONGEST = VARINT_MAX;

function readText(column: VarintReader): string {
  return Buffer.from(column.readBytes(column.read())).toString("utf8");
}

/** Columns that a decoder writes into; event `first` of the block goes to their index `at`. */
export interface BlockTarget {
  readonly op: Uint8Array;
  readonly slot: Uint32Array;
  readonly size: Uint32Array | Float64Array;
  /** Empty where the trace has no sites. */
  readonly site: Uint32Array;
}

/** A birth number changed by a difference that 32 bits do not hold, modulo 2^32. */
function farther(birth: number, zigzag: number): number {
  return (birth + (zigzag % 2 === 1 ? -((zigzag + 1) / 2) : zigzag / 2)) | 0;
}

/** Decodes the blocks of one trace, in order. A block that is no block makes `decode` answer false. */
export class BlockDecoder {
  readonly labels: string[] = [];
  readonly siteNames: string[] = [];
  readonly switchAt: number[] = [];
  readonly switchId: number[] = [];
  /** The columns `below`, `top` and `used` are a `SlotStack`, laid open for the hot loop. */
  private readonly below: Int32Array;
  private top = BOTTOM;
  private used = 0;
  private readonly slots: number;
  private readonly maxSize: number;
  /** Slot of each of the last births, at its birth number modulo the length, a power of two. */
  private readonly slotOfBirth: Int32Array;
  /** The next birth and the birth of the last ref, modulo that length. */
  private born = 0;
  private lastRef = 0;
  private longEnd = 0;
  private events = 0;
  private lastSwitch = 0;

  /** `slots` and `events` of the whole trace; sizes above `maxSize` are refused. */
  constructor(slots: number, events: number, maxSize: number) {
    this.slots = slots;
    this.maxSize = maxSize;
    this.below = new Int32Array(slots);
    let window = 1024;
    while (window < WINDOW && window < events) window *= 2;
    this.slotOfBirth = new Int32Array(window);
  }

  /** Slots taken so far. */
  get usedSlots(): number {
    return this.used;
  }

  /** Decodes `events` events into `target` from index `at` on. */
  decode(block: Uint8Array, events: number, target: BlockTarget, at: number): boolean {
    const columns = splitColumns(block, target.site.length > 0 ? COLUMNS_WITH_SITES : COLUMNS);
    if (columns === undefined) return false;
    const [op, ref, size, count, label, thread, site, name] = columns;
    target.op.set(op.readBytes(events), at);
    if (!op.done) return false;
    if (!this.decodeEvents(block, events, target, at, ref, size, count, label)) return false;
    if (!this.readSwitches(thread, events)) return false;
    if (site !== undefined && name !== undefined && !this.readSites(site, name, events, target, at)) return false;
    this.events += events;
    return count.done && label.done;
  }

  /**
   * The hot loop: columns `ref` and `size` are read in place, in locals, and short numbers without a call. A position only
   * grows, so that one look at the end tells whether a column held exactly its numbers.
   */
  private decodeEvents(
    block: Uint8Array,
    events: number,
    target: BlockTarget,
    start: number,
    ref: VarintReader,
    size: VarintReader,
    count: VarintReader,
    label: VarintReader,
  ): boolean {
    const { op, slot: slots, size: sizes } = target;
    const { below, slotOfBirth, maxSize } = this;
    const capacity = this.slots;
    const mask = slotOfBirth.length - 1;
    const end = start + events;
    let { top, used, born, lastRef } = this;
    let refAt = ref.position;
    let sizeAt = size.position;
    for (let i = start; i < end; i++) {
      const code = op[i] & MASK;
      if (code === ALLOCATE) {
        let bytes = block[sizeAt++];
        if (bytes > 127) {
          const second = block[sizeAt++];
          bytes = (bytes & 127) | (second << 7);
          if (second > 127) {
            bytes = this.readLong(block, sizeAt - 2);
            sizeAt = this.longEnd;
          }
        }
        if (bytes > maxSize) return false;
        let slot = top;
        if (slot === NO_SLOT) {
          if (used >= capacity) return false;
          slot = used++;
        } else top = below[slot];
        below[slot] = IN_USE;
        slotOfBirth[born] = slot;
        born = (born + 1) & mask;
        slots[i] = slot;
        sizes[i] = bytes;
        continue;
      }
      if (code >= PHASE) {
        const index = code === PHASE ? this.readLabel(label) : -1;
        if (index < 0) return false;
        slots[i] = index;
        sizes[i] = 0;
        continue;
      }
      // Three bytes here and two above: where blocks die at random, most refs are that long.
      let number = block[refAt++];
      if (number > 127) {
        const second = block[refAt++];
        number = (number & 127) | (second << 7);
        if (second > 127) {
          const third = block[refAt++];
          number = (number & 0x3fff) | (third << 14);
          if (third > 127) {
            number = this.readLong(block, refAt - 3);
            refAt = this.longEnd;
          }
        }
      }
      let slot: number;
      if (number > 0) {
        const zigzag = number - 1;
        lastRef = (zigzag <= 0x7fffffff ? lastRef + ((zigzag >>> 1) ^ -(zigzag & 1)) : farther(lastRef, zigzag)) & mask;
        slot = slotOfBirth[lastRef];
      } else {
        slot = this.readLong(block, refAt);
        refAt = this.longEnd;
      }
      if (slot >= used || below[slot] !== IN_USE) return false;
      slots[i] = slot;
      let bytes = 0;
      if (code === FREE) {
        below[slot] = top;
        top = slot;
      } else if (code === REALLOCATE) {
        bytes = this.readLong(block, sizeAt);
        sizeAt = this.longEnd;
      } else if (code === ACCESS) {
        bytes = count.read();
      }
      if (bytes > maxSize) return false;
      sizes[i] = bytes;
    }
    this.top = top;
    this.used = used;
    this.born = born;
    this.lastRef = lastRef;
    return refAt === ref.limit && sizeAt === size.limit;
  }

  /** The number at `at`, of any length; leaves its end in `longEnd`, past every column where it is no number. */
  private readLong(block: Uint8Array, at: number): number {
    let value = 0;
    let scale = 1;
    for (let next = at; next < at + LONGEST && next < block.length; scale *= 128) {
      const digit = block[next++];
      value += (digit & 127) * scale;
      if (digit < 128) {
        this.longEnd = next;
        return value;
      }
    }
    this.longEnd = block.length + 1;
    return 0;
  }

  private readLabel(column: VarintReader): number {
    const index = column.read();
    if (index > this.labels.length) return -1;
    if (index === this.labels.length) this.labels.push(readText(column));
    return index;
  }

  private readSites(
    column: VarintReader,
    names: VarintReader,
    events: number,
    target: BlockTarget,
    start: number,
  ): boolean {
    while (!names.done) {
      this.siteNames.push(readText(names));
      if (names.overrun) return false;
    }
    for (let i = start; i < start + events; i++) {
      const code = target.op[i] & OP_MASK;
      const site = code === Op.allocate || code === Op.reallocate ? column.read() : 0;
      if (site > this.siteNames.length) return false;
      target.site[i] = site;
    }
    return column.done;
  }

  private readSwitches(column: VarintReader, events: number): boolean {
    while (!column.done) {
      this.lastSwitch += column.read();
      this.switchAt.push(this.lastSwitch);
      this.switchId.push(column.read());
      if (column.overrun || this.lastSwitch >= this.events + events) return false;
    }
    return true;
  }
}

type Column = VarintReader;
type Columns = [Column, Column, Column, Column, Column, Column, Column?, Column?];

/** A reader for each column, or undefined where the lengths do not add up. */
function splitColumns(block: Uint8Array, count: number): Columns | undefined {
  const header = new VarintReader(block, 0, block.length);
  const lengths = Array.from({ length: count }, () => header.read());
  let start = header.position;
  const columns = lengths.map((length) => {
    const column = new VarintReader(block, start, start + length);
    start += length;
    return column;
  });
  return header.overrun || start !== block.length ? undefined : (columns as Columns);
}
