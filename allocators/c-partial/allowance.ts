/** How much a c-partial manager may still move: one granule for c allocated. In granules. */
export class Allowance {
  readonly c: number;
  allocated = 0;
  moved = 0;
  live = 0;
  /** The most that was ever live: M. */
  mostLive = 0;

  constructor(c: number) {
    this.c = c;
  }

  /** Granules that may be moved for a request of `pending` granules that is being served. */
  left(pending: number): number {
    return (this.allocated + pending) / this.c - this.moved;
  }

  allocate(granules: number): void {
    this.allocated += granules;
    this.live += granules;
    if (this.live > this.mostLive) this.mostLive = this.live;
  }
}
