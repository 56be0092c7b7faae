/**
 * TLSF told slowly: blocks are objects in address order, and the lists are arrays behind a table of the smallest size in
 * each. What `tlsf` does must be the same to the byte.
 */

interface Block {
  /** Where the header starts, in bytes from the first pool, and the bytes behind it. */
  start: number;
  size: number;
  free: boolean;
  readonly pool: number;
}

/** The smallest size of each list: every 8 bytes below 256, then 32 steps for each power of two. */
export const smallest: readonly number[] = [
  ...Array.from({ length: 32 }, (_, i) => i * 8),
  ...Array.from({ length: 24 * 32 }, (_, i) => 256 * (1 << Math.floor(i / 32)) * (1 + (i % 32) / 32)),
];

export class NaiveTlsf {
  splits = 0;
  coalesces = 0;
  bytesCopied = 0;
  mapped = 0;
  readonly blocks: Block[] = [];
  private readonly lists: Block[][] = smallest.map(() => []);
  private pools = 0;
  private readonly poolBytes: number;
  private readonly limit: number;

  constructor(poolBytes: number, limit: number) {
    this.poolBytes = poolBytes;
    this.limit = limit;
  }

  /** Offset of the program's bytes, or -1. */
  allocate(size: number, alignment = 8): number {
    const need = adjust(size);
    const wanted = alignment > 8 ? Math.ceil((need + alignment + 32) / alignment) * alignment : need;
    if (!this.hasFit(wanted) && (!this.addPool(wanted) || !this.hasFit(wanted))) return -1;
    let block = this.lists.find((list, i) => list.length > 0 && smallest[i] >= this.searched(wanted))?.[0] as Block;
    this.unlist(block);
    let at = Math.ceil((block.start + 8) / alignment) * alignment;
    while (at > block.start + 8 && at - (block.start + 8) < 32) at += alignment;
    const gap = at - (block.start + 8);
    if (gap > 0) {
      const [front, back] = this.cut(block, gap - 8);
      this.list(front);
      block = back;
    }
    this.shorten(block, need);
    block.free = false;
    return block.start + 8;
  }

  free(at: number): void {
    let block = this.at(at);
    block.free = true;
    const before = this.neighbour(block, -1);
    if (before?.free) {
      this.unlist(before);
      block = this.join(before, block);
    }
    this.list(this.joinNext(block));
  }

  reallocate(at: number, size: number): number {
    const block = this.at(at);
    const need = adjust(size);
    const next = this.neighbour(block, 1);
    if (need > block.size && (!next?.free || block.size + 8 + next.size < need)) {
      const moved = this.allocate(size);
      if (moved < 0) return -1;
      this.bytesCopied += Math.min(block.size, size);
      this.free(at);
      return moved;
    }
    if (need > block.size) this.joinNext(block);
    if (block.size >= need + 32) {
      const [, rest] = this.cut(block, need);
      this.list(this.joinNext(rest));
    }
    return at;
  }

  private at(at: number): Block {
    return this.blocks.find(({ start }) => start === at - 8) as Block;
  }

  private neighbour(block: Block, step: number): Block | undefined {
    const other = this.blocks[this.blocks.indexOf(block) + step];
    return other?.pool === block.pool ? other : undefined;
  }

  /** The size that every block of the list searched has: rounded up to the next list's smallest. */
  private searched(size: number): number {
    return smallest.find((one) => one >= size) ?? Number.POSITIVE_INFINITY;
  }

  private hasFit(size: number): boolean {
    return this.lists.some((list, i) => list.length > 0 && smallest[i] >= this.searched(size));
  }

  private addPool(need: number): boolean {
    const granules = need / 8;
    const room = Math.max(this.poolBytes, (granules + Math.floor(granules / 32)) * 8 + 16);
    const bytes = Math.ceil(room / 4096) * 4096;
    const meta = this.pools === 0 ? 8192 : 0;
    if (this.mapped + meta + bytes > this.limit) return false;
    const heap = this.blocks.reduce((end, { start, size }) => Math.max(end, start + size + 16), 0);
    const block: Block = { start: heap, size: bytes - 16, free: true, pool: this.pools++ };
    this.blocks.push(block);
    this.list(block);
    this.mapped += meta + bytes;
    return true;
  }

  private cut(block: Block, size: number): readonly [Block, Block] {
    const rest: Block = { start: block.start + 8 + size, size: block.size - size - 8, free: true, pool: block.pool };
    block.size = size;
    this.blocks.splice(this.blocks.indexOf(block) + 1, 0, rest);
    this.splits += 1;
    return [block, rest];
  }

  private shorten(block: Block, need: number): void {
    if (block.size >= need + 32) this.list(this.cut(block, need)[1]);
  }

  private joinNext(block: Block): Block {
    const next = this.neighbour(block, 1);
    if (!next?.free) return block;
    this.unlist(next);
    return this.join(block, next);
  }

  private join(lower: Block, upper: Block): Block {
    lower.size += upper.size + 8;
    this.blocks.splice(this.blocks.indexOf(upper), 1);
    this.coalesces += 1;
    return lower;
  }

  private listFor(size: number): Block[] {
    return this.lists[smallest.findLastIndex((one) => one <= size)];
  }

  private list(block: Block): void {
    this.listFor(block.size).unshift(block);
  }

  private unlist(block: Block): void {
    const list = this.listFor(block.size);
    list.splice(list.indexOf(block), 1);
  }
}

function adjust(size: number): number {
  return Math.max(24, Math.ceil(size / 8) * 8);
}
