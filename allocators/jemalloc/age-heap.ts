import { grown } from "../../memory/columns.js";

/** What orders extents: serial number, then address (edata_snad_comp). Shared by all heaps of one allocator. */
export interface Ages {
  /** By first page: the serial number of the mapping that the extent was cut from. */
  serial: Int32Array;
  /** By first page: index of the extent in the heap that it is in. */
  place: Int32Array;
}

/** Whether the extent at page `a` is older than that at `b`, or as old and lower. */
export function isOlder(serial: Int32Array, a: number, b: number): boolean {
  const order = serial[a] - serial[b];
  return order < 0 || (order === 0 && a < b);
}

/** Extents by age, the oldest and lowest first: a binary heap of first pages. An extent is in at most one heap. */
export class AgeHeap {
  private readonly ages: Ages;
  private items: Int32Array;
  length: number;

  constructor(ages: Ages) {
    this.ages = ages;
    this.items = new Int32Array(4);
    this.length = 0;
  }

  /** The oldest; there is one. */
  first(): number {
    return this.items[0];
  }

  insert(page: number): void {
    if (this.length === this.items.length) {
      this.items = grown(this.items, 2 * this.length);
    }
    this.rise(this.length++, page);
  }

  /** Takes an extent of this heap out. */
  remove(page: number): void {
    const at = this.ages.place[page];
    const last = this.items[--this.length];
    if (last === page) return;
    if (at > 0 && isOlder(this.ages.serial, last, this.items[(at - 1) >> 1])) this.rise(at, last);
    else this.sink(at, last);
  }

  private rise(from: number, page: number): void {
    const { items } = this;
    const { serial, place } = this.ages;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const other = items[parent];
      if (!isOlder(serial, page, other)) break;
      items[at] = other;
      place[other] = at;
      at = parent;
    }
    items[at] = page;
    place[page] = at;
  }

  private sink(from: number, page: number): void {
    const { items, length } = this;
    const { serial, place } = this.ages;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isOlder(serial, items[child + 1], items[child])) child++;
      const other = items[child];
      if (!isOlder(serial, other, page)) break;
      items[at] = other;
      place[other] = at;
      at = child;
    }
    items[at] = page;
    place[page] = at;
  }
}
