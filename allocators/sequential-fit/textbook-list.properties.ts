/**
 * The textbook: a linear, address-ordered list of blocks, walked from its head at each request. Slow and obvious; what
 * `firstFit` does must be the same to the byte. Offsets and sizes are bytes, and every word written is touched.
 */
import type { AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { defaultsOf } from "../../memory/options.js";
import { type SequentialFitOptions, sequentialFitOptions } from "./options.js";

interface Block {
  /** Offset of the header. */
  start: number;
  bytes: number;
  free: boolean;
}

const PAGE = 4096;

export class LinearList {
  readonly blocks: Block[] = [];
  private readonly space: AddressSpace;
  private readonly options: SequentialFitOptions;
  readonly base: number;
  /** Bytes mapped, and the offset behind the last block of the list. */
  private end = 0;
  private top = 8;
  private highest = 8;

  constructor(space: AddressSpace, given: Partial<SequentialFitOptions>) {
    this.space = space;
    this.options = { ...defaultsOf(sequentialFitOptions), minSplit: 32, ...given };
    this.base = space.reserve(0x800000000, PAGE);
  }

  /** The address, or 0. */
  allocate(size: number, alignment = 16): number {
    const need = Math.max(32, Math.ceil((size + 8) / 16) * 16);
    let at = this.blocks.findIndex((block) => {
      if (block.free) this.count(Cost.listHops);
      return block.free && this.lead(block.start, alignment) + need <= block.bytes;
    });
    if (at < 0) {
      const start = this.lastFree()?.start ?? this.top;
      if (!this.growTo(start + this.lead(start, alignment) + need)) return 0;
      at = this.blocks.findIndex((block) => block.start === start);
      if (at < 0) at = this.blocks.push({ start, bytes: this.end - 8 - start, free: true }) - 1;
    }
    const lead = this.lead(this.blocks[at].start, alignment);
    if (lead > 0) {
      this.split(at, lead);
      this.writeTag(this.blocks[at++]);
    }
    this.take(at, need);
    const header = this.blocks[at].start;
    this.space.touch(this.base + header, 8 + size);
    return this.base + header + 8;
  }

  free(address: number): void {
    this.release(this.indexOf(address));
  }

  /** The new address, or 0. */
  reallocate(address: number, size: number): number {
    const need = Math.max(32, Math.ceil((size + 8) / 16) * 16);
    const at = this.indexOf(address);
    const block = this.blocks[at];
    if (need <= block.bytes) this.shrink(at, need);
    else if (!this.extend(at, need)) {
      const moved = this.allocate(size);
      if (moved === 0) return 0;
      this.count(Cost.bytesCopied, block.bytes - 8);
      this.free(address);
      return moved;
    }
    this.space.touch(address - 8, 8 + size);
    return address;
  }

  /** Every mapped byte as [offset, bytes, kind]; runs of one kind of free memory are one piece. */
  pieces(): [number, number, string][] {
    if (this.end === 0) return [];
    const pieces: [number, number, string][] = [[0, 8, "padding"]];
    for (const { start, bytes, free } of [
      ...this.blocks,
      { start: this.top, bytes: this.end - 8 - this.top, free: true },
    ]) {
      const fresh = Math.min(Math.max(this.highest, start), start + bytes);
      if (!free) pieces.push([start, 8, "header"], [start + 8, bytes - 8, "live"]);
      else pieces.push([start, fresh - start, "free"], [fresh, start + bytes - fresh, "fresh"]);
    }
    pieces.push([this.end - 8, 8, "tail"]);
    return pieces.filter((piece) => piece[1] > 0);
  }

  private count(cost: number, by = 1): void {
    this.space.costs[cost] += by;
  }

  private indexOf(address: number): number {
    return this.blocks.findIndex((block) => block.start + 8 === address - this.base);
  }

  private lead(start: number, alignment: number): number {
    let user = start + 8;
    while ((this.base + user) % alignment !== 0 || user - 8 - start === 16) user += 16;
    return user - 8 - start;
  }

  private preserved(): boolean {
    return this.options.wilderness === "preserved";
  }

  /** The block that is, or for a moment stands for, the free end of the heap. */
  private lastFree(): Block | undefined {
    const last = this.blocks.at(-1);
    return last?.free && last.start + last.bytes === this.end - 8 ? last : undefined;
  }

  private growTo(offset: number): boolean {
    const missing = offset + 8 - this.end;
    if (missing <= 0) return true;
    const step = Math.ceil(this.options.growth / PAGE) * PAGE;
    const bytes = Math.ceil(missing / step) * step;
    if (!this.space.commit(this.base + this.end, bytes, Use.heap)) return false;
    const last = this.lastFree();
    this.end += bytes;
    if (last !== undefined) last.bytes += bytes;
    else if (!this.preserved()) this.blocks.push({ start: this.top, bytes: this.end - 8 - this.top, free: true });
    if (!this.preserved()) this.top = this.end - 8;
    return true;
  }

  /** Cuts a free block in two; only the upper one is sure to stay free. */
  private split(at: number, bytes: number): void {
    const block = this.blocks[at];
    this.count(Cost.splits);
    this.blocks.splice(at + 1, 0, { start: block.start + bytes, bytes: block.bytes - bytes, free: true });
    block.bytes = bytes;
    this.writeTag(this.blocks[at + 1]);
  }

  private writeTag(block: Block): void {
    const behind = block.start + block.bytes;
    if (this.preserved() && behind === this.end - 8) return;
    this.space.touch(this.base + block.start, 24);
    if (behind !== this.end - 8) this.space.touch(this.base + behind - 8, 8);
  }

  private take(at: number, need: number): void {
    const block = this.blocks[at];
    const isEnd = this.preserved() && block === this.lastFree();
    const rest = block.bytes - need;
    if (rest >= this.options.minSplit || (isEnd && rest > 0)) this.split(at, need);
    block.free = false;
    this.highest = Math.max(this.highest, block.start + block.bytes);
    if (isEnd) this.forgetEnd(block.start + block.bytes);
  }

  /** The preserved end is no block of the list. */
  private forgetEnd(top: number): void {
    this.top = top;
    if (this.blocks.at(-1)?.free) this.blocks.pop();
  }

  private release(at: number): void {
    const block = this.blocks[at];
    const atTop = block.start + block.bytes === this.top;
    block.free = true;
    if (this.preserved() && atTop && this.top < this.end - 8) this.count(Cost.coalesces);
    for (const left of [at, at - 1]) {
      const [a, b] = [this.blocks[left], this.blocks[left + 1]];
      if (!a?.free || !b?.free) continue;
      this.count(Cost.coalesces);
      a.bytes += b.bytes;
      this.blocks.splice(left + 1, 1);
    }
    const merged = this.blocks.findLast((one) => one.start <= block.start) as Block;
    if (!this.preserved() || !atTop) this.writeTag(merged);
    if (this.preserved() && atTop) this.forgetEnd(merged.start);
    if (merged.start + merged.bytes === this.top || atTop) this.trim(merged);
  }

  private trim(last: Block): void {
    const { trim, growth } = this.options;
    const bytes = this.end - 8 - last.start;
    if (trim === 0 || bytes < trim) return;
    const step = Math.ceil(growth / PAGE) * PAGE;
    let gone = 0;
    while (bytes - gone > step) gone += PAGE;
    if (!this.preserved() && bytes - gone < 32) gone -= PAGE;
    if (gone <= 0) return;
    this.end -= gone;
    this.space.unmap(this.base + this.end, gone);
    last.bytes = this.end - 8 - last.start;
    if (!this.preserved()) this.top = this.end - 8;
    this.highest = Math.min(this.highest, this.end - 8);
  }

  private shrink(at: number, need: number): void {
    const block = this.blocks[at];
    const rest = block.bytes - need;
    const joinsEnd = this.preserved() && rest > 0 && block.start + block.bytes === this.top;
    if (rest < this.options.minSplit && !joinsEnd) return;
    this.count(Cost.splits);
    block.bytes = need;
    this.blocks.splice(at + 1, 0, { start: block.start + need, bytes: rest, free: false });
    this.release(at + 1);
  }

  private extend(at: number, need: number): boolean {
    const block = this.blocks[at];
    const behind = block.start + block.bytes;
    const next = this.blocks[at + 1];
    const last = behind === this.top || (next?.free === true && next === this.lastFree());
    if (last && !this.growTo(block.start + need)) return false;
    if (last && this.preserved()) this.blocks.push({ start: behind, bytes: this.end - 8 - behind, free: true });
    const after = this.blocks[at + 1];
    if (!after?.free || block.bytes + after.bytes < need) return false;
    this.count(Cost.coalesces);
    this.take(at + 1, need - block.bytes);
    block.bytes += this.blocks[at + 1].bytes;
    this.blocks.splice(at + 1, 1);
    return true;
  }
}
