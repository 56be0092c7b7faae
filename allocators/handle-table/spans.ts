import { type Address, type AddressSpace, Use } from "../../memory/address-space.js";
import { grown } from "../../memory/columns.js";
import { GrowingTable } from "../growing-table.js";
import type { SpanClass } from "./span-classes.js";

/** A span number is 21 bits and a slot 10: a block is both in one word. */
const SLOT_BITS = 10;
const MAX_SPANS = 1 << 21;
const NONE = -1;
/** Class of a span that is one large object. */
export const LARGE = -1;

/** The block of a slot. */
export function blockAt(span: number, slot: number): number {
  return (span << SLOT_BITS) | slot;
}
export function spanOf(block: number): number {
  return block >> SLOT_BITS;
}
export function slotOf(block: number): number {
  return block & ((1 << SLOT_BITS) - 1);
}

export interface SpanOptions {
  /** Lists of not-full spans of a class, by share of slots in use. */
  readonly groups: number;
  /** Whether a new span is written from end to end. */
  readonly eager: boolean;
  /** Bytes of the descriptor of a span, kept outside of it. */
  readonly descriptor: number;
}

/**
 * Spans: runs of pages, cut into slots of one class or holding one large object. A span that is empty is unmapped. The
 * not-full spans of a class are in lists by how full they are, the last to enter a list first. In a span the slot freed
 * last is used next, before one never used.
 */
export class Spans {
  readonly classes: readonly SpanClass[];
  readonly table: GrowingTable;
  /** Slots, slots in use, and spans neither full nor empty, by class. */
  readonly slots: Float64Array;
  readonly live: Float64Array;
  readonly partial: Int32Array;
  /** Mapped bytes of spans. */
  bytes = 0;
  /** Spans ever used at once. */
  count = 0;
  /** By span: address, 0 for none; bytes; class; slots in use; slots ever used; first free slot. */
  base = new Float64Array(64);
  size = new Float64Array(64);
  sizeClass = new Int32Array(64);
  used = new Int32Array(64);
  touched = new Int32Array(64);
  private firstFree = new Int32Array(64);
  private next = new Int32Array(64);
  private previous = new Int32Array(64);
  private list = new Int32Array(64);
  /** By span and slot: the entry of the object, or of a free one -2 - the next free slot. */
  readonly owners: Int32Array[] = [];
  private readonly unused: number[] = [];
  private readonly heads: Int32Array;
  private readonly tails: Int32Array;
  private readonly space: AddressSpace;
  private readonly options: SpanOptions;

  constructor(space: AddressSpace, classes: readonly SpanClass[], options: SpanOptions) {
    this.space = space;
    this.classes = classes;
    this.options = options;
    this.slots = new Float64Array(classes.length);
    this.live = new Float64Array(classes.length);
    this.partial = new Int32Array(classes.length);
    this.heads = new Int32Array(classes.length * options.groups).fill(NONE);
    this.tails = new Int32Array(classes.length * options.groups).fill(NONE);
    this.table = new GrowingTable(space, options.descriptor, MAX_SPANS);
  }

  /** Gives a slot of a class to entry `owner`, of the fullest span that has one. The block, or -1 without memory. */
  take(sizeClass: number, owner: number): number {
    let span = this.fullest(sizeClass);
    if (span < 0) {
      const of = this.classes[sizeClass];
      span = this.create(sizeClass, of.bytes, this.space.pageSize, of.slots);
      if (span < 0) return -1;
      this.slots[sizeClass] += of.slots;
      if (this.options.eager) this.space.touch(this.base[span], of.bytes);
    }
    return this.takeIn(span, owner);
  }

  /** Gives a free slot of a span to an entry. */
  takeIn(span: number, owner: number): number {
    const owners = this.owners[span];
    let slot = this.firstFree[span];
    if (slot < 0) slot = this.touched[span]++;
    else this.firstFree[span] = -2 - owners[slot];
    owners[slot] = owner;
    this.live[this.sizeClass[span]] += 1;
    this.used[span] += 1;
    this.regroup(span);
    return blockAt(span, slot);
  }

  /** Frees a slot; with the last one its span goes. */
  give(block: number): void {
    const span = spanOf(block);
    const sizeClass = this.sizeClass[span];
    this.owners[span][slotOf(block)] = -2 - this.firstFree[span];
    this.firstFree[span] = slotOf(block);
    this.used[span] -= 1;
    if (sizeClass !== LARGE) {
      this.live[sizeClass] -= 1;
      this.regroup(span);
      if (this.used[span] === 0) this.slots[sizeClass] -= this.classes[sizeClass].slots;
    }
    if (this.used[span] === 0) this.destroy(span);
  }

  /** Pages of its own for one object. The block, or -1 without memory. */
  takeLarge(bytes: number, alignment: number, owner: number): number {
    const { pageSize } = this.space;
    const whole = Math.ceil(Math.max(1, bytes) / pageSize) * pageSize;
    const span = this.create(LARGE, whole, Math.max(pageSize, alignment), 1);
    if (span < 0) return -1;
    this.owners[span][0] = owner;
    this.used[span] = 1;
    this.touched[span] = 1;
    return blockAt(span, 0);
  }

  /** The span to fill: the fullest list's first; -1 where no span has a free slot. */
  fullest(sizeClass: number): number {
    const { groups } = this.options;
    for (let list = (sizeClass + 1) * groups - 1; list >= sizeClass * groups; list--) {
      if (this.heads[list] >= 0) return this.heads[list];
    }
    return NONE;
  }

  /** The span to empty: the emptiest list's last. */
  sparsest(sizeClass: number): number {
    const { groups } = this.options;
    for (let list = sizeClass * groups; list < (sizeClass + 1) * groups; list++) {
      if (this.tails[list] >= 0) return this.tails[list];
    }
    return NONE;
  }

  /** Whether `is` holds for some span of a class that is neither full nor empty, asked from the emptiest list on. */
  somePartial(sizeClass: number, is: (span: number) => boolean): boolean {
    const { groups } = this.options;
    for (let list = sizeClass * groups; list < (sizeClass + 1) * groups; list++) {
      for (let span = this.heads[list]; span >= 0; span = this.next[span]) if (is(span)) return true;
    }
    return false;
  }

  /** Takes a span out of its list, so that it is neither filled nor emptied, until `regroup`. */
  setAside(span: number): void {
    const list = this.list[span];
    if (list < 0) return;
    const [before, after] = [this.previous[span], this.next[span]];
    if (before < 0) this.heads[list] = after;
    else this.next[before] = after;
    if (after < 0) this.tails[list] = before;
    else this.previous[after] = before;
    this.list[span] = NONE;
    this.partial[this.sizeClass[span]] -= 1;
  }

  /** Puts a span into the list that it belongs to. */
  regroup(span: number): void {
    const sizeClass = this.sizeClass[span];
    const { slots } = this.classes[sizeClass];
    const used = this.used[span];
    const { groups } = this.options;
    const list = used === 0 || used === slots ? NONE : sizeClass * groups + Math.floor((used * groups) / slots);
    if (list === this.list[span]) return;
    this.setAside(span);
    if (list < 0) return;
    const head = this.heads[list];
    this.next[span] = head;
    this.previous[span] = NONE;
    if (head < 0) this.tails[list] = span;
    else this.previous[head] = span;
    this.heads[list] = span;
    this.list[span] = list;
    this.partial[sizeClass] += 1;
  }

  /** Address of the first byte of a block, header included. */
  addressOf(block: number): Address {
    const span = spanOf(block);
    const sizeClass = this.sizeClass[span];
    return this.base[span] + (sizeClass === LARGE ? 0 : slotOf(block) * this.classes[sizeClass].slot);
  }

  /** Bytes of a block, header included. */
  bytesOf(block: number): number {
    const span = spanOf(block);
    const sizeClass = this.sizeClass[span];
    return sizeClass === LARGE ? this.size[span] : this.classes[sizeClass].slot;
  }

  headerOf(block: number): number {
    const sizeClass = this.sizeClass[spanOf(block)];
    return sizeClass === LARGE ? 0 : this.classes[sizeClass].header;
  }

  private create(sizeClass: number, bytes: number, alignment: number, slots: number): number {
    const span = this.unused.length > 0 ? this.unused[this.unused.length - 1] : this.count;
    if (span === MAX_SPANS) return -1;
    const at = this.space.map(bytes, alignment, Use.heap);
    if (at === 0) return -1;
    if (!this.table.ensure(span + 1)) {
      this.space.unmap(at, bytes);
      return -1;
    }
    if (span === this.count) this.count++;
    else this.unused.pop();
    if (span >= this.base.length) this.grow();
    this.base[span] = at;
    this.size[span] = bytes;
    this.sizeClass[span] = sizeClass;
    this.used[span] = 0;
    this.touched[span] = 0;
    this.firstFree[span] = NONE;
    this.list[span] = NONE;
    if (this.owners[span] === undefined || this.owners[span].length !== slots)
      this.owners[span] = new Int32Array(slots);
    this.bytes += bytes;
    return span;
  }

  private destroy(span: number): void {
    this.space.unmap(this.base[span], this.size[span]);
    this.bytes -= this.size[span];
    this.base[span] = 0;
    this.unused.push(span);
  }

  private grow(): void {
    const length = 2 * this.base.length;
    this.base = grown(this.base, length);
    this.size = grown(this.size, length);
    this.sizeClass = grown(this.sizeClass, length);
    this.used = grown(this.used, length);
    this.touched = grown(this.touched, length);
    this.firstFree = grown(this.firstFree, length);
    this.next = grown(this.next, length);
    this.previous = grown(this.previous, length);
    this.list = grown(this.list, length);
  }
}
