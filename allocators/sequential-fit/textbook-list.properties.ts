/**
 * The textbook: a linear list of free blocks, walked block by block at each request, and an array of all blocks. Slow and
 * obvious; what a sequential fit does must be the same to the byte. Offsets and sizes are bytes, and every word written
 * is touched.
 */
import type { AddressSpace } from "../../memory/address-space.js";
import { Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import type { Fit, ResolvedFit } from "./options.js";
import { type Block, TextbookWalk } from "./textbook-walk.properties.js";

const PAGE = 4096;
export class TextbookList {
  /** All blocks, by address. */
  readonly blocks: Block[] = [];
  readonly base: number;
  /** The free ones, in list order. */
  private readonly list: TextbookWalk;
  /** Blocks put off, by size; the last is the one freed last. */
  private readonly quick = new Map<number, Block[]>();
  private readonly space: AddressSpace;
  private readonly options: ResolvedFit;
  private readonly minSplit: number;
  private readonly preserved: boolean;
  private readonly joins: boolean;
  /** Bytes mapped, the offset at which a block that ends the heap ends, and that behind the last block. */
  private mapped = 0;
  private end = 0;
  private top: number;
  private highest = 0;

  constructor(space: AddressSpace, fit: Fit, options: ResolvedFit) {
    const { granule, lead } = options.layout;
    this.space = space;
    this.list = new TextbookWalk(fit, options);
    this.options = options;
    this.minSplit = Math.ceil(options.minSplit / granule) * granule;
    this.preserved = options.wilderness === "preserved";
    this.joins = options.coalesce !== "none";
    this.base = space.reserve(0x800000000, PAGE);
    this.end = -(lead % granule);
    this.top = granule - lead;
  }

  /** The address, or 0. */
  allocate(size: number, alignment = 1): number {
    const need = this.need(size);
    const plain = alignment <= this.options.layout.granule;
    const put = plain ? this.quick.get(need)?.pop() : undefined;
    if (put !== undefined) {
      this.count(Cost.listHops);
      put.state = "used";
      return this.handOut(put, size);
    }
    let block = this.find(need, alignment);
    if (block === undefined && this.flush()) block = this.find(need, alignment);
    if (block === undefined) {
      const start = this.preserved ? this.top : (this.lastFree()?.start ?? this.top);
      const lead = this.lead(start, alignment);
      if (!this.growTo(start + lead + need)) return 0;
      if (this.preserved) return this.handOut(this.takeEnd(lead, need), size);
      block = this.blocks.at(-1) as Block;
    }
    const from = block.start;
    const lead = this.lead(from, alignment);
    const lower = block;
    if (lead > 0) {
      block = this.split(block, lead);
      this.list.link(block);
      this.writeTag(lower);
      this.writeTag(block);
    }
    this.list.rove(lower, from, lead + need);
    const high = plain && this.options.cut === "high";
    return this.handOut(high ? this.takeHigh(block, need) : this.takeLow(block, need), size);
  }

  free(address: number): void {
    this.giveBack(this.blockAt(address));
  }

  /** The new address, or 0. */
  reallocate(address: number, size: number): number {
    const need = this.need(size);
    const block = this.blockAt(address);
    if (need <= block.bytes) this.shrink(block, need);
    else if (!this.extend(block, need)) {
      const moved = this.allocate(size);
      if (moved === 0) return 0;
      const { header, footer } = this.options.layout;
      this.count(Cost.bytesCopied, block.bytes - header - footer);
      this.free(address);
      return moved;
    }
    return this.handOut(block, size);
  }

  /** Every mapped byte as [offset, bytes, kind]; runs of one kind of free memory are one piece. */
  pieces(): [number, number, string][] {
    const { granule, lead, header, footer } = this.options.layout;
    if (this.mapped === 0) return [];
    const pieces: [number, number, string][] = [[0, granule - lead, "padding"]];
    const rest: Block = { start: this.top, bytes: this.end - this.top, state: "free" };
    for (const { start, bytes, state } of [...this.blocks, rest]) {
      const fresh = Math.min(Math.max(this.highest, start), start + bytes);
      if (state === "quick") pieces.push([start, bytes, "free"]);
      else if (state === "free") pieces.push([start, fresh - start, "free"], [fresh, start + bytes - fresh, "fresh"]);
      else {
        const end = start + bytes - footer;
        pieces.push([start, header, "header"], [start + header, end - start - header, "live"], [end, footer, "header"]);
      }
    }
    pieces.push([this.end, this.mapped - this.end, "tail"]);
    return pieces.filter((piece) => piece[1] > 0);
  }

  private count(cost: number, by = 1): void {
    this.space.costs[cost] += by;
  }

  private need(size: number): number {
    const { granule, minBlock, header, footer } = this.options.layout;
    return Math.max(minBlock * granule, Math.ceil((size + header + footer) / granule) * granule);
  }

  private blockAt(address: number): Block {
    const start = address - this.base - this.options.layout.header;
    return this.blocks.find((block) => block.start === start) as Block;
  }

  private lead(start: number, alignment: number): number {
    const { granule, minBlock, header } = this.options.layout;
    let lead = 0;
    while ((this.base + start + lead + header) % alignment !== 0 || (lead > 0 && lead < minBlock * granule)) {
      lead += granule;
    }
    return lead;
  }

  private find(need: number, alignment: number): Block | undefined {
    const fits = ({ start, bytes }: Block): boolean => this.lead(start, alignment) + need <= bytes;
    const { chosen, hops } = this.list.find(need, fits);
    this.count(Cost.listHops, hops);
    return chosen;
  }

  /** The free block of the list that ends the heap. */
  private lastFree(): Block | undefined {
    const last = this.blocks.at(-1);
    return this.joins && last?.state === "free" && last.start + last.bytes === this.end ? last : undefined;
  }

  private growTo(offset: number): boolean {
    const missing = offset - this.end;
    if (missing <= 0) return true;
    const step = Math.ceil(this.options.growth / PAGE) * PAGE;
    const last = this.preserved ? undefined : this.lastFree();
    const end = this.end + (step === 0 ? missing : Math.ceil(missing / step) * step);
    const mapped = Math.ceil(end / PAGE) * PAGE;
    if (!this.space.commit(this.base + this.mapped, mapped - this.mapped, Use.heap)) return false;
    this.mapped = mapped;
    this.end = end;
    if (this.preserved) return true;
    const block: Block = last ?? { start: this.top, bytes: 0, state: "free" };
    if (last === undefined) this.blocks.push(block);
    else this.list.unlink(last);
    block.bytes = end - block.start;
    this.list.link(block);
    this.top = end;
    return true;
  }

  /** Cuts a block in two; the upper one, with the same state, is in no list. */
  private split(block: Block, bytes: number): Block {
    this.count(Cost.splits);
    const upper: Block = { start: block.start + bytes, bytes: block.bytes - bytes, state: block.state };
    this.blocks.splice(this.blocks.indexOf(block) + 1, 0, upper);
    block.bytes = bytes;
    return upper;
  }

  private writeTag({ start, bytes }: Block): void {
    if (this.options.layout.header === 0) return;
    this.space.touch(this.base + start, 24);
    if (this.joins && start + bytes !== this.end) this.space.touch(this.base + start + bytes - 8, 8);
  }

  private takeLow(block: Block, need: number): Block {
    this.list.unlink(block);
    if (block.bytes - need >= this.minSplit) {
      const rest = this.split(block, need);
      this.list.link(rest);
      this.writeTag(rest);
    }
    return this.use(block);
  }

  private takeHigh(block: Block, need: number): Block {
    if (block.bytes - need < this.minSplit) return this.takeLow(block, need);
    const upper = this.split(block, block.bytes - need);
    this.writeTag(block);
    return this.use(upper);
  }

  /** From the preserved end of the heap, behind `lead` bytes that become a free block. */
  private takeEnd(lead: number, need: number): Block {
    const start = this.top + lead;
    const before: Block = { start: this.top, bytes: lead, state: "free" };
    if (lead > 0) {
      this.count(Cost.splits);
      this.blocks.push(before);
      this.list.link(before);
      this.writeTag(before);
    }
    if (this.options.order === "address") this.list.rove(before, before.start, lead + need);
    if (start + need < this.end) this.count(Cost.splits);
    const block: Block = { start, bytes: need, state: "used" };
    this.blocks.push(block);
    this.top = start + need;
    return this.use(block);
  }

  private use(block: Block): Block {
    block.state = "used";
    this.highest = Math.max(this.highest, block.start + block.bytes);
    return block;
  }

  private handOut(block: Block, size: number): number {
    const { header, footer } = this.options.layout;
    this.space.touch(this.base + block.start, header + size);
    this.space.touch(this.base + block.start + block.bytes - footer, footer);
    return this.base + block.start + header;
  }

  private giveBack(block: Block): void {
    const { coalesce, quickLargest, quickCount, layout } = this.options;
    if (coalesce !== "deferred" || block.bytes > Math.floor(quickLargest / layout.granule) * layout.granule) {
      this.release(block);
      return;
    }
    block.state = "quick";
    const stack = this.quick.get(block.bytes) ?? [];
    this.quick.set(block.bytes, stack);
    stack.push(block);
    if (layout.header > 0) this.space.touch(this.base + block.start, 16);
    if (this.blocks.filter((one) => one.state === "quick").length >= quickCount) this.flush();
  }

  /** Whether anything was put off. */
  private flush(): boolean {
    const sizes = [...this.quick.keys()].sort((a, b) => a - b);
    const blocks = sizes.flatMap((size) => (this.quick.get(size) as Block[]).reverse());
    this.quick.clear();
    for (const block of blocks) this.release(block);
    return blocks.length > 0;
  }

  private release(block: Block): void {
    const { blocks } = this;
    block.state = "free";
    let merged = block;
    if (this.joins) {
      const at = blocks.indexOf(block);
      const [before, after] = [blocks[at - 1], blocks[at + 1]];
      if (after?.state === "free") merged = this.join(merged, after);
      if (before?.state === "free") merged = this.join(before, merged);
    }
    const last = merged === blocks.at(-1) && merged.start + merged.bytes === this.top;
    if (last && this.preserved && this.joins) {
      if (this.top < this.end) this.count(Cost.coalesces);
      // The list has the block for a moment, as far as the rover is concerned.
      this.list.link(merged);
      this.list.unlink(merged);
      blocks.pop();
      this.top = merged.start;
    } else {
      this.list.link(merged);
      this.writeTag(merged);
    }
    if (last && (this.joins || !this.preserved)) this.trim(merged);
  }

  /** The second block, which lies behind the first, becomes part of it. */
  private join(a: Block, b: Block): Block {
    this.count(Cost.coalesces);
    this.list.unlink(a);
    this.list.unlink(b);
    a.bytes += b.bytes;
    this.blocks.splice(this.blocks.indexOf(b), 1);
    return a;
  }

  /** Gives pages back behind the start of the free end, a block of the list unless preserved. */
  private trim(last: Block): void {
    const { trim, growth, layout } = this.options;
    const bytes = this.end - last.start;
    if (bytes < trim) return;
    const least = this.preserved ? 0 : layout.minBlock * layout.granule;
    const step = Math.ceil(growth / PAGE) * PAGE;
    let left = bytes;
    if (step === 0) left = Math.min(bytes, least);
    else while (left > step && left - PAGE >= least) left -= PAGE;
    this.end = last.start + left;
    const mapped = Math.ceil(this.end / PAGE) * PAGE;
    if (mapped < this.mapped) this.space.unmap(this.base + mapped, this.mapped - mapped);
    this.mapped = mapped;
    this.highest = Math.min(this.highest, this.end);
    if (this.preserved) return;
    last.bytes = left;
    this.top = this.end;
  }

  private shrink(block: Block, need: number): void {
    const rest = block.bytes - need;
    const joinsEnd = this.preserved && this.joins && rest > 0 && block.start + block.bytes === this.top;
    if (joinsEnd) {
      this.count(Cost.splits);
      if (this.top < this.end) this.count(Cost.coalesces);
      block.bytes = need;
      this.top = block.start + need;
      this.trim({ start: this.top, bytes: 0, state: "free" });
    } else if (rest >= this.minSplit) {
      this.giveBack(this.split(block, need));
    }
  }

  private extend(block: Block, need: number): boolean {
    if (!this.joins) return false;
    const behind = block.start + block.bytes;
    const next = this.blocks[this.blocks.indexOf(block) + 1];
    const last = behind === this.top || (next?.state === "free" && next.start + next.bytes === this.top);
    if (last && !this.growTo(block.start + need)) return false;
    if (last && this.preserved) {
      this.count(Cost.coalesces);
      if (block.start + need < this.end) this.count(Cost.splits);
      block.bytes = need;
      this.top = block.start + need;
      this.use(block);
      return true;
    }
    const after = this.blocks[this.blocks.indexOf(block) + 1];
    if (after?.state !== "free" || block.bytes + after.bytes < need) return false;
    this.count(Cost.coalesces);
    const taken = this.takeLow(after, need - block.bytes);
    block.bytes += taken.bytes;
    this.blocks.splice(this.blocks.indexOf(taken), 1);
    return true;
  }
}
