import type { Address, AddressSpace } from "../../memory/address-space.js";
import { Cost, type Costs } from "../../memory/costs.js";
import { type HeapMap, Kind } from "../../memory/heap-map.js";
import { none, type Ref } from "../allocator.js";
import { unitsFor } from "./backing-heap.js";
import { HandleEntries } from "./handle-entries.js";
import type { HandleHeap } from "./handle-heap.js";
import type { SpanClasses } from "./span-classes.js";
import { blockAt, LARGE, type SpanOptions, Spans, spanOf } from "./spans.js";
import type { TableOptions } from "./table-options.js";

/** Larger requests have no handle. */
const MAX_OBJECT = 0x80000000;

/**
 * A handle table over spans of size classes. Alignments beyond 8 and requests beyond the largest class get pages of
 * their own, which never move.
 */
export class ClassHandles implements HandleHeap {
  readonly entries: HandleEntries;
  readonly spans: Spans;
  private readonly space: AddressSpace;
  private readonly costs: Costs;
  private readonly ofRequest: Uint8Array;
  private blockBytes = 0;
  private bytesAsked = 0;

  constructor(space: AddressSpace, classes: SpanClasses, spans: SpanOptions, options: TableOptions) {
    this.space = space;
    this.costs = space.costs;
    this.ofRequest = classes.ofRequest;
    this.spans = new Spans(space, classes.classes, spans);
    this.entries = new HandleEntries(space, options);
  }

  allocate(size: number, alignment = 0): Ref {
    const { entries } = this;
    if (size > MAX_OBJECT || !entries.ready()) return none;
    const block = this.place(entries.peek(), size, alignment);
    if (block < 0) {
      entries.unready();
      return none;
    }
    return entries.refOf(entries.take(block, unitsFor(size), size, 0));
  }

  free(ref: Ref): void {
    const index = this.entries.find(ref);
    if (index >= 0) this.freeEntry(index);
  }

  /** In place while the class stays the same, else by a copy; the handle is kept. */
  reallocate(ref: Ref, size: number): Ref {
    const { entries, spans } = this;
    const index = entries.find(ref);
    if (index < 0 || size > MAX_OBJECT) return none;
    const block = entries.blockOf(index);
    const asked = entries.askedOf(index);
    if (this.stays(block, size)) {
      this.bytesAsked += size - asked;
      this.space.touch(spans.addressOf(block) + spans.headerOf(block), size);
    } else {
      const moved = this.place(index, size, 0);
      if (moved < 0) return none;
      this.drop(block, asked);
      this.costs[Cost.bytesCopied] += Math.min(asked, size);
      entries.point(index, moved);
    }
    entries.setSize(index, unitsFor(size), size);
    return ref;
  }

  addressOf(ref: Ref): Address {
    this.costs[Cost.tableLoads] += 1;
    const index = this.entries.find(ref);
    return index < 0 ? 0 : this.payloadOf(this.entries.blockOf(index));
  }

  capacityOf(ref: Ref): number {
    const index = this.entries.find(ref);
    if (index < 0) return 0;
    const block = this.entries.blockOf(index);
    return this.spans.bytesOf(block) - this.spans.headerOf(block);
  }

  walk(map: HeapMap): void {
    const { spans } = this;
    for (let span = 0; span < spans.count; span++) if (spans.base[span] > 0) this.walkSpan(span, map);
    spans.table.walk(map);
    this.entries.walk(map);
  }

  freeEntry(index: number): void {
    const { entries } = this;
    if (entries.isPinned(index)) {
      entries.doom(index);
      return;
    }
    this.drop(entries.blockOf(index), entries.askedOf(index));
    entries.give(index);
  }

  /** Moves the object of an entry to a free slot of another span of its class. Returns the bytes copied: a whole slot. */
  move(index: number, span: number): { from: Address; to: Address; bytes: number } {
    const { entries, spans, costs } = this;
    const old = entries.blockOf(index);
    const block = spans.takeIn(span, index);
    const bytes = spans.bytesOf(block);
    const [from, to] = [this.payloadOf(old), this.payloadOf(block)];
    this.space.touch(spans.addressOf(block), bytes);
    entries.point(index, block);
    spans.give(old);
    costs[Cost.moves] += 1;
    costs[Cost.bytesMoved] += bytes;
    return { from, to, bytes };
  }

  extent(): number {
    return this.spans.bytes;
  }

  liveBytes(): number {
    return this.blockBytes;
  }

  asked(): number {
    return this.bytesAsked;
  }

  /** An empty span has gone already. */
  releasePages(): void {}

  private payloadOf(block: number): Address {
    return this.spans.addressOf(block) + this.spans.headerOf(block);
  }

  /** Class of a request, or `LARGE`. */
  private classOf(size: number): number {
    const step = Math.ceil(size / 8);
    return step < this.ofRequest.length ? this.ofRequest[step] : LARGE;
  }

  private stays(block: number, size: number): boolean {
    const sizeClass = this.spans.sizeClass[spanOf(block)];
    if (sizeClass !== this.classOf(size)) return false;
    if (sizeClass !== LARGE) return true;
    const { pageSize } = this.space;
    return Math.ceil(size / pageSize) * pageSize === this.spans.bytesOf(block);
  }

  /** A block for the object of entry `index`; -1 without memory. */
  private place(index: number, size: number, alignment: number): number {
    const { spans } = this;
    const sizeClass = alignment > 8 ? LARGE : this.classOf(size);
    const block = sizeClass === LARGE ? spans.takeLarge(size, alignment, index) : spans.take(sizeClass, index);
    if (block < 0) return -1;
    this.blockBytes += spans.bytesOf(block);
    this.bytesAsked += size;
    this.space.touch(spans.addressOf(block), spans.headerOf(block) + size);
    return block;
  }

  private drop(block: number, asked: number): void {
    this.blockBytes -= this.spans.bytesOf(block);
    this.bytesAsked -= asked;
    this.spans.give(block);
  }

  private walkSpan(span: number, map: HeapMap): void {
    const { spans, entries } = this;
    const owners = spans.owners[span];
    const base = spans.base[span];
    const header = spans.headerOf(blockAt(span, 0));
    const bytes = spans.bytesOf(blockAt(span, 0));
    const { length } = owners;
    for (let slot = 0, at = base; slot < length; slot++, at += bytes) {
      const owner = slot < spans.touched[span] ? owners[slot] : -1;
      if (slot >= spans.touched[span]) map.add(at, bytes, Kind.fresh);
      else if (owner < 0) map.add(at, bytes, Kind.free);
      else {
        map.add(at, header, Kind.header);
        if (entries.isDoomed(owner)) map.add(at + header, bytes - header, Kind.padding);
        else map.add(at + header, bytes - header, Kind.live, entries.refOf(owner));
      }
    }
    map.add(base + length * bytes, spans.size[span] - length * bytes, Kind.tail);
  }
}
