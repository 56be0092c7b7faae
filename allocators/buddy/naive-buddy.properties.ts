/**
 * The buddy system told slowly: blocks are objects in arrays, the one to use is found by looking at all of them, and
 * every word written is touched. What `buddy` does must be the same to the byte.
 */
import { type AddressSpace, createAddressSpace, Use } from "../../memory/address-space.js";
import { Cost } from "../../memory/costs.js";
import { defaultsOf } from "../../memory/options.js";
import { type BuddyOptions, buddyOptions } from "./options.js";

interface Block {
  /** Offset in the region of the chunks, or in that of the runs. */
  start: number;
  bytes: number;
  /** Bytes from the start to the program's. */
  lead: number;
  run: boolean;
}

const PAGE = 4096;
const GIB = 0x40000000;

function powerOfTwo(bytes: number): number {
  let power = 1;
  while (power < bytes) power *= 2;
  return power;
}

/** Free blocks, the one freed last at the end. */
class FreeArray {
  readonly blocks: { start: number; bytes: number }[] = [];
  private readonly lifo: boolean;

  constructor(lifo: boolean) {
    this.lifo = lifo;
  }

  /** The block to use for a request: of the smallest sufficient size, the lowest or the last freed. */
  take(bytes: number): { start: number; bytes: number } | undefined {
    const large = this.blocks.filter((block) => block.bytes >= bytes);
    const size = Math.min(...large.map((block) => block.bytes));
    const fitting = large.filter((block) => block.bytes === size);
    if (!this.lifo) fitting.sort((a, b) => b.start - a.start);
    const chosen = fitting.at(-1);
    if (chosen !== undefined) this.blocks.splice(this.blocks.indexOf(chosen), 1);
    return chosen;
  }

  /** Merges a block with free buddies up to a size, takes those out, and says what came of it. */
  merge(start: number, bytes: number, limit: number): { start: number; bytes: number; merges: number } {
    const buddy = (start / bytes) % 2 === 0 ? start + bytes : start - bytes;
    const at = this.blocks.findIndex((block) => block.start === buddy && block.bytes === bytes);
    if (bytes === limit || at < 0) return { start, bytes, merges: 0 };
    this.blocks.splice(at, 1);
    const merged = this.merge(Math.min(start, buddy), bytes * 2, limit);
    return { ...merged, merges: merged.merges + 1 };
  }
}

export class NaiveBuddy {
  readonly space: AddressSpace = createAddressSpace();
  readonly chunkBase: number;
  readonly runBase: number;
  private readonly live = new Map<number, Block>();
  private readonly freeBlocks: FreeArray;
  private readonly freeRuns = new FreeArray(false);
  private readonly options: BuddyOptions;
  private readonly limit: number;
  private readonly smallest: number;
  private readonly header: number;
  /** Bytes written into a free block. */
  private readonly tag: number;
  /** End of the highest block handed out in each mapped chunk, by the offset of the chunk. */
  private readonly highest = new Map<number, number>();

  constructor(given: Partial<BuddyOptions>, limit: number) {
    this.options = { ...defaultsOf(buddyOptions), ...given };
    const { header, policy, minOrder } = this.options;
    this.limit = limit;
    this.freeBlocks = new FreeArray(policy === "lifo");
    this.smallest = 1 << (header === "in" ? Math.max(5, minOrder) : minOrder);
    this.header = header === "in" ? 16 : 0;
    this.tag = this.header + (policy === "lifo" ? 16 : 0);
    this.chunkBase = this.space.reserve(32 * GIB, GIB);
    this.runBase = this.space.reserve(32 * GIB, GIB);
    this.freeRuns.blocks.push({ start: 0, bytes: 16 * GIB }, { start: 16 * GIB, bytes: 16 * GIB });
  }

  /** The address, or 0. */
  allocate(size: number, alignment = 16): number {
    const aligned = alignment > 16;
    const lead = this.header === 0 || !aligned ? this.header : Math.max(alignment, this.smallest);
    const wanted = Math.max(lead + (aligned ? Math.max(size, 1) : size), aligned ? alignment : 0, this.smallest);
    const bytes = powerOfTwo(wanted);
    const run = wanted > this.options.chunk;
    const start = run ? this.takeRun(bytes) : this.takeBlock(bytes);
    if (start < 0) return 0;
    const at = (run ? this.runBase : this.chunkBase) + start;
    this.space.touch(at, this.header);
    this.space.touch(at + lead - this.header, this.header + size);
    this.live.set(at + lead, { start, bytes, lead, run });
    return at + lead;
  }

  free(address: number): void {
    const block = this.block(address);
    this.live.delete(address);
    if (block.run) this.giveRun(block.start, block.bytes);
    else this.giveBlock(block.start, block.bytes);
  }

  /** The new address, or 0. */
  reallocate(address: number, size: number): number {
    const block = this.block(address);
    const { chunk } = this.options;
    const capacity = block.bytes - block.lead;
    const least = block.run ? chunk * 2 : this.smallest;
    const bytes = Math.max(least, powerOfTwo(block.lead + Math.max(size, 1)));
    const stays = block.run ? size <= capacity : bytes <= chunk && this.extend(block, bytes);
    if (!stays || (block.run && size + this.header <= chunk)) {
      const moved = this.allocate(size);
      if (moved !== 0) {
        this.space.costs[Cost.bytesCopied] += Math.min(size, capacity);
        this.free(address);
        return moved;
      }
      if (!stays) return 0;
    }
    while (block.bytes > bytes) {
      block.bytes /= 2;
      this.space.costs[Cost.splits] += 1;
      if (block.run) this.giveRun(block.start + block.bytes, block.bytes);
      else this.addFree(block.start + block.bytes, block.bytes);
    }
    this.space.touch(address, size);
    return address;
  }

  /** Bytes mapped for bookkeeping beside the heap. */
  meta(chunks = [...this.highest.keys()], runs = this.runStarts()): number {
    const { header, policy, chunk } = this.options;
    const units = chunk / this.smallest;
    const bitmaps = Math.ceil(((units * 2 - 1) * 32) / 31 / 8);
    const pairs = Math.ceil(units / 8);
    const record = (header === "out" ? pairs : 0) + (policy === "lowest" ? bitmaps : header === "out" ? pairs : 0);
    const pages = new Set<string>();
    for (const offset of record > 0 ? chunks : []) {
      const first = (offset / chunk) * record;
      for (let page = Math.floor(first / PAGE); page * PAGE < first + record; page++) pages.add(`chunk ${page}`);
    }
    if (header === "out") for (const start of runs) pages.add(`run ${Math.floor(start / chunk / PAGE)}`);
    return pages.size * PAGE;
  }

  /** The chunks in address order and then the runs, as [address, bytes, kind]. */
  pieces(): [number, number, string][] {
    const free = this.freeBlocks.blocks.flatMap(({ start, bytes }): [number, number, string][] => {
      const used = this.highest.get(start - (start % this.options.chunk)) ?? 0;
      const fresh = Math.min(Math.max(used, start), start + bytes);
      return [
        [this.chunkBase + start, fresh - start, "free"],
        [this.chunkBase + fresh, start + bytes - fresh, "fresh"],
      ];
    });
    const live = [...this.live].flatMap(([address, { bytes, lead }]): [number, number, string][] => [
      [address - lead, this.header, "header"],
      [address - lead + this.header, lead - this.header, "padding"],
      [address, bytes - lead, "live"],
    ]);
    return [...free, ...live].filter(([, bytes]) => bytes > 0).sort((a, b) => a[0] - b[0]);
  }

  private block(address: number): Block {
    return this.live.get(address) as Block;
  }

  private runStarts(): number[] {
    return [...this.live.values()].filter(({ run }) => run).map(({ start }) => start);
  }

  private takeBlock(bytes: number): number {
    const block = this.freeBlocks.take(bytes) ?? (this.mapChunk() ? this.freeBlocks.take(bytes) : undefined);
    if (block === undefined) return -1;
    for (let half = block.bytes / 2; half >= bytes; half /= 2) {
      this.space.costs[Cost.splits] += 1;
      this.addFree(block.start + half, half);
    }
    this.markUsed(block.start, bytes);
    return block.start;
  }

  private addFree(start: number, bytes: number): void {
    this.freeBlocks.blocks.push({ start, bytes });
    this.space.touch(this.chunkBase + start, this.tag);
  }

  private markUsed(start: number, bytes: number): void {
    const chunk = start - (start % this.options.chunk);
    this.highest.set(chunk, Math.max(this.highest.get(chunk) ?? 0, start + bytes));
  }

  private mapChunk(): boolean {
    const { chunk } = this.options;
    let offset = 0;
    while (this.highest.has(offset)) offset += chunk;
    if (this.space.mapped + chunk + this.meta([...this.highest.keys(), offset]) > this.limit) return false;
    this.space.commit(this.chunkBase + offset, chunk, Use.heap);
    this.highest.set(offset, 0);
    this.addFree(offset, chunk);
    return true;
  }

  private giveBlock(from: number, size: number): void {
    const { chunk, release } = this.options;
    const { start, bytes, merges } = this.freeBlocks.merge(from, size, chunk);
    this.space.costs[Cost.coalesces] += merges;
    const spare = this.freeBlocks.blocks.some((block) => block.bytes === chunk);
    if (bytes < chunk || release === "never" || (release === "keep-one" && !spare)) {
      this.addFree(start, bytes);
    } else {
      this.space.unmap(this.chunkBase + start, chunk);
      this.highest.delete(start);
    }
  }

  /** Takes free buddies above a block, all or none; a block that need not grow stays. */
  private extend(block: Block, bytes: number): boolean {
    const parts: { start: number; bytes: number }[] = [];
    for (let size = block.bytes; size < bytes; size *= 2) {
      const upper = this.freeBlocks.blocks.find((free) => free.start === block.start + size && free.bytes === size);
      if (upper === undefined || block.start % (size * 2) !== 0) return false;
      parts.push(upper);
    }
    for (const part of parts) this.freeBlocks.blocks.splice(this.freeBlocks.blocks.indexOf(part), 1);
    this.space.costs[Cost.coalesces] += parts.length;
    block.bytes = Math.max(block.bytes, bytes);
    if (parts.length > 0) this.markUsed(block.start, bytes);
    return true;
  }

  private takeRun(bytes: number): number {
    const place = this.freeRuns.take(bytes);
    if (place === undefined) return -1;
    const fits = this.space.mapped + bytes + this.meta(undefined, [...this.runStarts(), place.start]) <= this.limit;
    for (let half = place.bytes / 2; half >= bytes; half /= 2) {
      this.freeRuns.blocks.push({ start: place.start + half, bytes: half });
    }
    if (!fits) this.giveAddresses(place.start, bytes);
    else this.space.commit(this.runBase + place.start, bytes, Use.heap);
    return fits ? place.start : -1;
  }

  private giveRun(start: number, bytes: number): void {
    this.space.unmap(this.runBase + start, bytes);
    this.giveAddresses(start, bytes);
  }

  private giveAddresses(start: number, bytes: number): void {
    const merged = this.freeRuns.merge(start, bytes, 16 * GIB);
    this.freeRuns.blocks.push({ start: merged.start, bytes: merged.bytes });
  }
}
