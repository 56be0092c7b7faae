/** The linear list of free blocks of the textbook, and the walk along it. */
import type { Fit, ResolvedFit } from "./options.js";

export interface Block {
  /** Offset of its first byte, header included. */
  start: number;
  bytes: number;
  state: "used" | "free" | "quick";
}

/** A fixed point in a list in the order of frees: next fit goes on with the block behind it. */
const ROVER: Block = { start: -1, bytes: 0, state: "used" };

export class TextbookWalk {
  private readonly list: Block[] = [];
  private readonly fit: Fit;
  private readonly order: ResolvedFit["order"];
  private readonly cut: ResolvedFit["cut"];
  /** Address order: next fit goes on with the first block at this offset or above. */
  private rover = -1;

  constructor(fit: Fit, { order, cut }: ResolvedFit) {
    this.fit = fit;
    this.order = order;
    this.cut = cut;
    if (order !== "address" && fit === "next") this.list.push(ROVER);
  }

  /** The free blocks in the order in which the walk meets them. */
  private walked(): Block[] {
    const { list } = this;
    if (this.fit !== "next") return list;
    const at = list.includes(ROVER) ? list.indexOf(ROVER) : list.findIndex((block) => block.start >= this.rover);
    const walk = at < 0 ? list : [...list.slice(at), ...list.slice(0, at)];
    return walk.filter((block) => block !== ROVER);
  }

  /** What the walk finds for `need` bytes among blocks that fit, and how many blocks it looks at. */
  find(need: number, fits: (block: Block) => boolean): { chosen: Block | undefined; hops: number } {
    let chosen: Block | undefined;
    let hops = 0;
    for (const block of this.walked()) {
      hops++;
      if (!fits(block)) continue;
      if (this.fit === "first" || this.fit === "next") return { chosen: block, hops };
      if (chosen === undefined) chosen = block;
      else if (this.fit === "best" ? block.bytes < chosen.bytes : block.bytes > chosen.bytes) chosen = block;
      if (this.fit === "best" && chosen.bytes === need) break;
    }
    return { chosen, hops };
  }

  /** Next fit: `need` bytes from `from` on are served from `block`, which is in the list unless it is the end. */
  rove(block: Block, from: number, need: number): void {
    if (this.order === "address") {
      this.rover = this.cut === "low" ? from + need : from;
    } else if (this.fit === "next" && this.list.includes(block)) {
      this.list.splice(this.list.indexOf(ROVER), 1);
      this.list.splice(this.list.indexOf(block), 0, ROVER);
    }
  }

  link(block: Block): void {
    const { list, order } = this;
    if (order === "lifo") list.unshift(block);
    else if (order === "fifo") list.push(block);
    else {
      const at = list.findIndex((one) => one.start > block.start);
      list.splice(at < 0 ? list.length : at, 0, block);
      if (block.start < this.rover && this.rover < block.start + block.bytes) this.rover = block.start;
    }
  }

  unlink(block: Block): void {
    if (this.list.includes(block)) this.list.splice(this.list.indexOf(block), 1);
  }
}
