import { grown } from "../memory/columns.js";
import { InputError } from "../memory/errors.js";
import { SlotStack } from "./slot-stack.js";
import { Op, type Trace } from "./trace.js";
import { finishTrace, sharedBytes, sharedInts, sharedSizes } from "./trace-columns.js";

const INITIAL = 4096;
/** A trace of more events keeps the columns in which it was collected, for they would not fit twice; others are copied. */
const LONG = 1 << 22;
/** Of no more events than these a caller's expectation is believed. */
const MOST_EXPECTED = 0x40000000;
/** 512 KiB: the largest alignment that an `op` byte can ask for. */
const MAX_ALIGNMENT = 1 << 19;

/** The inverse of `alignmentOf`, already in the high four bits. Up to 16 bytes are every allocator's own alignment. */
function alignmentBits(alignment: number): number {
  return alignment <= 16 ? 0 : (27 - Math.clz32(alignment)) << 4;
}

/** Whether a trace can ask for this alignment: 0 (no wish) or a power of two up to 512 KiB. */
export function isAlignment(alignment: number): boolean {
  return alignment >>> 0 === alignment && alignment <= MAX_ALIGNMENT && (alignment & (alignment - 1)) === 0;
}

/** Whether a label survives every file form: one line, not empty, no blanks at its ends, well-formed Unicode. */
export function isLabel(label: string): boolean {
  return label !== "" && label === label.trim() && !/[\r\n\p{Surrogate}]/u.test(label);
}

/**
 * Collects the requests of a program into a `Trace`. Slots are given out by the builder, the one freed last first.
 * Every method throws an `InputError` for a request that no program can make: a slot that is not live, a size that is
 * not a whole number from 0 to 2^53 - 1, an alignment that is no power of two up to 512 KiB.
 */
export class TraceBuilder {
  private readonly name: string;
  private readonly keepsStale: boolean;
  private readonly labels: string[] = [];
  private readonly switchAt: number[] = [];
  private readonly switchId: number[] = [];
  private readonly stack = new SlotStack();
  private readonly labelIndex = new Map<string, number>();
  private readonly siteNames: string[] = [];
  private readonly siteIndex = new Map<string, number>();
  private op: Uint8Array;
  private slot: Uint32Array;
  private size: Uint32Array | Float64Array;
  /** Empty until the first request with a site. */
  private siteOf: Uint32Array = new Uint32Array(0);
  private pins = new Uint32Array(0);
  private events = 0;

  /**
   * `expected`: about how many events there may be at most. Room for so many is kept ready in address space only: memory is
   * taken as events come, and more events are as welcome. `keepsStale`: every block has a slot of its own, so that `stale`
   * can name it when it is gone.
   */
  constructor(name: string, expected = 0, keepsStale = false) {
    this.name = name;
    this.keepsStale = keepsStale;
    const { op, slot, size } = roomFor(Math.min(expected, MOST_EXPECTED));
    this.op = op;
    this.slot = slot;
    this.size = size;
  }

  /** Events so far. */
  get length(): number {
    return this.events;
  }

  isLive(slot: number): boolean {
    return this.stack.isLive(slot);
  }

  /** Pins of a live slot that wait for their unpin. */
  pinsOf(slot: number): number {
    return slot < this.pins.length ? this.pins[slot] : 0;
  }

  /**
   * The number of an allocation site, to be named in requests; the same name always has the same one. A name is one line:
   * a function, or a call stack as `outermost;...;innermost`.
   */
  site(name: string): number {
    let site = this.siteIndex.get(name);
    if (site === undefined) {
      if (!isLabel(name)) throw this.mistake(`site ${JSON.stringify(name)}`, "one line of text without outer blanks");
      site = this.siteNames.push(name);
      this.siteIndex.set(name, site);
    }
    return site;
  }

  /**
   * A new block of `size` bytes; `alignment` only where the program asks for more than the usual 16, `site` where it is
   * known which one asks.
   */
  allocate(size: number, alignment = 0, site = 0): number {
    if (!isAlignment(alignment)) {
      throw this.mistake(`alignment ${alignment}`, "a power of two up to 524288");
    }
    this.requireSize(size);
    this.requireSite(site);
    const slot = this.stack.take();
    if (site !== 0) this.setSite(site);
    this.append(Op.allocate | alignmentBits(alignment), slot, size);
    return slot;
  }

  free(slot: number): void {
    this.requireLive(slot, "free");
    if (slot < this.pins.length) this.pins[slot] = 0;
    if (this.keepsStale) this.stack.retire(slot);
    else this.stack.give(slot);
    this.append(Op.free, slot, 0);
  }

  reallocate(slot: number, size: number, site = 0): void {
    this.requireLive(slot, "reallocate");
    this.requireSize(size);
    this.requireSite(site);
    if (site !== 0) this.setSite(site);
    this.append(Op.reallocate, slot, size);
  }

  /** The program dereferences the block `count` times. */
  access(slot: number, count = 1): void {
    this.requireLive(slot, "access");
    this.requireSize(count);
    this.append(Op.access, slot, count);
  }

  pin(slot: number): void {
    this.requireLive(slot, "pin");
    if (slot >= this.pins.length) {
      this.pins = grown(this.pins, Math.max(1024, 2 * slot));
    }
    this.pins[slot]++;
    this.append(Op.pin, slot, 0);
  }

  unpin(slot: number): void {
    this.requireLive(slot, "unpin");
    if (this.pinsOf(slot) === 0) throw this.mistake(`unpin of slot ${slot}`, "a slot that is pinned");
    this.pins[slot]--;
    this.append(Op.unpin, slot, 0);
  }

  /**
   * The program asks `op` of a block that it has freed; `size` as in the event of a live block. Throws an `InputError` unless
   * the builder keeps such uses and the slot is that of a freed block.
   */
  stale(op: Op, slot: number, size = 0): void {
    if (!this.stack.isRetired(slot)) throw this.mistake(`stale use of slot ${slot}`, "the slot of a freed block");
    this.requireSize(size);
    this.append(Op.stale | (op << 4), slot, size);
  }

  /** Marks the point where a phase begins; the same label may mark several points. Returns the label's number. */
  phase(label: string): number {
    let index = this.labelIndex.get(label);
    if (index === undefined) {
      if (!isLabel(label))
        throw this.mistake(`label ${JSON.stringify(label)}`, "one line of text without outer blanks");
      index = this.labels.push(label) - 1;
      this.labelIndex.set(label, index);
    }
    this.append(Op.phase, index, 0);
    return index;
  }

  /** The events that follow are by thread `id` (32 bits); a trace starts in thread 0. */
  thread(id: number): void {
    if (id >>> 0 !== id) throw this.mistake(`thread ${id}`, "a whole number from 0 to 4294967295");
    const last = this.switchAt.length - 1;
    if (last >= 0 && this.switchAt[last] === this.events) {
      this.switchAt.pop();
      this.switchId.pop();
    }
    if ((this.switchId.at(-1) ?? 0) === id) return;
    this.switchAt.push(this.events);
    this.switchId.push(id);
  }

  /** The trace of all requests so far. Its columns are shared memory, so that worker threads get it without a copy. */
  build(): Trace {
    const length = this.events;
    // What is in them never changes: later events are written behind.
    const op = length > LONG ? this.op.subarray(0, length) : sharedCopy(this.op, sharedBytes(length));
    const slot = length > LONG ? this.slot.subarray(0, length) : sharedCopy(this.slot, sharedInts(length));
    const wide = this.size instanceof Float64Array ? Number.MAX_SAFE_INTEGER : 0;
    const size = length > LONG ? this.size.subarray(0, length) : sharedCopy(this.size, sharedSizes(length, wide));
    const { name, labels, siteNames, switchAt, switchId } = this;
    const sited = siteNames.length > 0 ? length : 0;
    const site =
      sited > LONG && this.siteOf.length >= sited
        ? this.siteOf.subarray(0, sited)
        : sharedCopy(this.siteOf, sharedInts(sited));
    return finishTrace(
      { name, slots: this.stack.used, op, slot, size, site },
      { labels, siteNames, switchAt, switchId },
    );
  }

  private append(op: number, slot: number, size: number): void {
    if (this.events === this.op.length) this.grow();
    if (size > 0xffffffff) this.widen();
    this.op[this.events] = op;
    this.slot[this.events] = slot;
    this.size[this.events++] = size + 0; // -0 becomes 0
  }

  /** The next event is by `site`. */
  private setSite(site: number): void {
    if (this.events >= this.siteOf.length) {
      this.siteOf = sharedCopy(this.siteOf, sharedInts(Math.max(this.op.length, 2 * this.events)));
    }
    this.siteOf[this.events] = site;
  }

  /** Sizes become doubles when the first one needs it. */
  private widen(): void {
    if (this.size instanceof Float64Array) return;
    const wide = sharedSizes(this.size.length, Number.MAX_SAFE_INTEGER);
    wide.set(this.size.subarray(0, this.events));
    this.size = wide;
  }

  private grow(): void {
    const capacity = 2 * this.op.length;
    const wide = this.size instanceof Float64Array ? Number.MAX_SAFE_INTEGER : 0;
    this.op = sharedCopy(this.op, sharedBytes(capacity));
    this.slot = sharedCopy(this.slot, sharedInts(capacity));
    this.size = sharedCopy(this.size, sharedSizes(capacity, wide));
  }

  private requireLive(slot: number, request: string): void {
    if (!this.stack.isLive(slot)) throw this.mistake(`${request} of slot ${slot}`, "the slot of a live block");
  }

  private requireSize(size: number): void {
    if (size >>> 0 === size || (Number.isSafeInteger(size) && size >= 0)) return;
    throw this.mistake(`size ${size}`, "a whole number from 0 to 9007199254740991");
  }

  private requireSite(site: number): void {
    if (site >>> 0 === site && site <= this.siteNames.length) return;
    throw this.mistake(`site ${site}`, "0 or what site(NAME) gave");
  }

  private mistake(got: string, expected: string): InputError {
    return new InputError(`${this.name}: event ${this.events}: ${got}: expected ${expected}`);
  }
}

/** Columns for so many events, or for a few where there is not so much address space. */
function roomFor(expected: number): { op: Uint8Array; slot: Uint32Array; size: Uint32Array | Float64Array } {
  try {
    const capacity = Math.max(INITIAL, Math.ceil(expected));
    return { op: sharedBytes(capacity), slot: sharedInts(capacity), size: sharedSizes(capacity, 0) };
  } catch (error) {
    if (!(error instanceof RangeError) || expected <= INITIAL) throw error;
    return roomFor(INITIAL);
  }
}

/** A column, or as much of it as there is room for, in shared memory of its own. */
function sharedCopy<Column extends Uint8Array | Uint32Array | Float64Array>(
  from: Uint8Array | Uint32Array | Float64Array,
  to: Column,
): Column {
  to.set(from.subarray(0, to.length));
  return to;
}
