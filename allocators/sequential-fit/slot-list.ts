import { grown } from "../../memory/columns.js";
import type { FreeList, PlaceList, Suits } from "./free-list.js";
import { SizeColumn } from "./sizes.js";

/** Slots to begin with. */
const SLOTS = 256;

/**
 * A free list in the order in which blocks were freed. Its blocks stand in slots, ascending along the list: a block that
 * is freed gets the slot in front of all (LIFO) or behind all (FIFO), and one that is unlinked leaves its slot empty.
 * When the slots are used up, the blocks move together, a step or less for each block freed since.
 *
 * Boundary tags unlink the free neighbours of a block; what they are joined to goes where freed blocks go (Knuth 2.5,
 * algorithm C). So does a remainder that starts elsewhere than the block it was cut from. One that starts where that
 * block did keeps its slot.
 */
export class SlotList implements FreeList {
  private readonly lifo: boolean;
  private readonly places: PlaceList;
  /** Blocks start at least two to this power apart. */
  private readonly apart: number;
  /** Slot of the free block at a position, whose last bits are cut off. */
  private slotOf: Int32Array;
  /** Position and size of the block in each slot; the size is 0 in an empty one. */
  private positionAt: Int32Array;
  private readonly sizes: SizeColumn;
  /** The slot used last. */
  private edge: number;
  private count: number;

  /** A list of blocks of `least` granules or more; makes the list of places, which slots are, over their sizes. */
  constructor(order: "lifo" | "fifo", positions: number, least: number, placesOver: (sizes: SizeColumn) => PlaceList) {
    this.lifo = order === "lifo";
    this.apart = 31 - Math.clz32(least);
    this.slotOf = new Int32Array(positions >>> this.apart);
    this.positionAt = new Int32Array(SLOTS);
    this.sizes = new SizeColumn(SLOTS);
    this.places = placesOver(this.sizes);
    // The last slot of a LIFO list stays empty, for a rover behind all blocks.
    this.edge = this.lifo ? SLOTS - 1 : -1;
    this.count = 0;
    this.places.rover = this.lifo ? this.edge : 0;
  }

  get hops(): number {
    return this.places.hops;
  }

  find(need: number): number {
    const slot = this.places.find(need);
    return slot < 0 ? -1 : this.positionAt[slot];
  }

  findSuitable(need: number, suits: Suits): number {
    const slot = this.places.findSuitable(need, { suits: (at) => suits.suits(this.positionAt[at]) });
    return slot < 0 ? -1 : this.positionAt[slot];
  }

  rove(at: number, need: number, listed: boolean): void {
    if (listed) this.places.rove(this.slotOf[at >>> this.apart], need, listed);
  }

  insert(at: number, size: number): void {
    const used = this.lifo ? this.edge === 0 : this.edge === this.sizes.length - 1;
    if (used) this.moveTogether();
    const slot = this.lifo ? --this.edge : ++this.edge;
    this.slotOf[at >>> this.apart] = slot;
    this.positionAt[slot] = at;
    this.sizes.column[slot] = size;
    this.places.insert(slot, size);
    this.count++;
  }

  remove(at: number, size: number): void {
    const slot = this.slotOf[at >>> this.apart];
    this.sizes.column[slot] = 0;
    this.places.remove(slot, size);
    this.count--;
  }

  extend(at: number, before: number, size: number): void {
    this.remove(at, before);
    this.insert(at, size);
  }

  shorten(at: number, before: number, size: number): void {
    const slot = this.slotOf[at >>> this.apart];
    this.sizes.column[slot] = size;
    this.places.shorten(slot, before, size);
  }

  cut(at: number, size: number, to: number, rest: number): void {
    this.remove(at, size);
    if (rest !== 0) this.insert(to, rest);
  }

  join(at: number, size: number, before: number, after: number): void {
    const start = (at - before) | 0;
    if (before !== 0) this.remove(start, before);
    if (after !== 0) this.remove(at + size, after);
    this.insert(start, (before + size + after) | 0);
  }

  grow(positions: number): void {
    this.slotOf = grown(this.slotOf, positions >>> this.apart);
  }

  /** Moves all blocks to the end of the list where no more are added, in slots of which they use half at most. */
  private moveTogether(): void {
    const { places, sizes, count } = this;
    let slots = sizes.length;
    while (slots < count * 2) slots *= 2;
    const fromPosition = this.positionAt;
    const fromSize = sizes.column;
    if (slots > fromSize.length) {
      this.positionAt = new Int32Array(slots);
      sizes.column = new Int32Array(slots);
    }
    const step = this.lifo ? -1 : 1;
    let to = this.lifo ? slots - 2 : 0;
    const { rover } = places;
    places.rover = this.lifo ? slots - 1 : count;
    for (let i = 0; i < fromSize.length; i++) {
      const from = this.lifo ? fromSize.length - 1 - i : i;
      const size = fromSize[from];
      if (size === 0) continue;
      const at = fromPosition[from];
      fromSize[from] = 0;
      this.slotOf[at >>> this.apart] = to;
      this.positionAt[to] = at;
      sizes.column[to] = size;
      // The rover comes to the first block that was at its slot or behind it.
      if (from >= rover && (this.lifo || places.rover === count)) places.rover = to;
      to += step;
    }
    this.edge = to - step;
    places.renumber();
  }
}
