import { FreeBitmaps } from "./free-bitmaps.js";

/** Addresses in runs of 2^order places at multiples of their size: a buddy system, the lowest run first. */
export class VacantRuns {
  private readonly largest: number;
  private readonly vacant: FreeBitmaps;

  /** Two runs of the order `largest`, all vacant. */
  constructor(largest: number) {
    this.largest = largest;
    this.vacant = new FreeBitmaps(largest + 1);
    this.vacant.add(largest, 0);
    this.vacant.add(largest, 1 << largest);
  }

  /** The first place of a run of an order, which is at most the largest; -1 where there is none. */
  take(order: number): number {
    const from = this.vacant.smallest(order);
    if (from < 0) return -1;
    const place = this.vacant.take(from);
    for (let k = from - 1; k >= order; k--) this.vacant.add(k, place + (1 << k));
    return place;
  }

  /** Gives a run back, which is merged as far as may be. */
  give(place: number, order: number): void {
    let at = place;
    let k = order;
    for (; k < this.largest && this.vacant.has(k, at ^ (1 << k)); k++) {
      this.vacant.remove(k, at ^ (1 << k));
      at &= ~(1 << k);
    }
    this.vacant.add(k, at);
  }
}
