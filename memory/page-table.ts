/**
 * A byte of state for each page of an address space of 2^31 pages, sparse: a radix tree of three levels (10, 9 and 12
 * bits). Chunks of one state throughout are shared and copied at the first change, so a range of any length is set in a
 * step for each 4096 pages and a state is read by three loads with no test.
 */

const CHUNK = 4096;
const TIER = 512;
const TIER_PAGES = CHUNK * TIER;
const ROOT = 1024;

/** Number of pages. */
export const PAGES = ROOT * TIER_PAGES;

/** Shared chunks of one state each. Only states below 64 have one. */
const uniform: readonly Uint8Array[] = Array.from({ length: 64 }, (_, state) => new Uint8Array(CHUNK).fill(state));

/** Chunks of 512 consecutive 4096-page runs, shared while none is in use. */
const blank: readonly Uint8Array[] = Array.from({ length: TIER }, () => uniform[0]);

/** States are whole numbers below 256; all are 0 at first. Page numbers are whole, from 0 to 2^31 - 1. */
export class PageTable {
  private readonly root: Uint8Array[][];

  constructor() {
    this.root = new Array(ROOT).fill(blank);
  }

  get(page: number): number {
    return this.root[page >>> 21][(page >>> 12) & 511][page & 4095];
  }

  set(page: number, state: number): void {
    this.ownChunk(page)[page & 4095] = state;
  }

  /** Sets the state of pages from `first` up to, not including, `end`. */
  fill(first: number, end: number, state: number): void {
    for (let page = first; page < end; ) {
      const stop = Math.min(end, page - (page & 4095) + CHUNK);
      const whole = stop - page === CHUNK && state < uniform.length;
      if (whole) this.ownTier(page)[(page >>> 12) & 511] = uniform[state];
      else if (stop - page === 1) this.set(page, state);
      else this.ownChunk(page).fill(state, page & 4095, (page & 4095) + stop - page);
      page = stop;
    }
  }

  /** The pages from `to` on take the states of those from `first` up to, not including, `end`, which become 0. */
  move(first: number, end: number, to: number): void {
    for (let page = first; page < end; ) {
      const stop = this.runEnd(page, end);
      this.fill(to + page - first, to + stop - first, this.get(page));
      page = stop;
    }
    this.fill(first, end, 0);
  }

  /** Where the run of equal states that `page` is in ends, but at most `end`. */
  runEnd(page: number, end: number): number {
    const state = this.get(page);
    let at = page + 1;
    while (at < end) {
      const tier = this.root[at >>> 21];
      if (tier === blank) {
        if (state !== 0) return at;
        at += TIER_PAGES - (at & (TIER_PAGES - 1));
        continue;
      }
      const chunk = tier[(at >>> 12) & 511];
      const rest = CHUNK - (at & 4095);
      if (chunk === uniform[state]) {
        at += rest;
        continue;
      }
      const stop = Math.min(end, at + rest);
      for (; at < stop; at++) if (chunk[at & 4095] !== state) return at;
    }
    return end;
  }

  private ownTier(page: number): Uint8Array[] {
    let tier = this.root[page >>> 21];
    if (tier === blank) {
      tier = blank.slice();
      this.root[page >>> 21] = tier;
    }
    return tier;
  }

  /** The chunk of a page, fit to be changed. */
  private ownChunk(page: number): Uint8Array {
    const tier = this.ownTier(page);
    const index = (page >>> 12) & 511;
    let chunk = tier[index];
    if (chunk === uniform[chunk[0]]) {
      chunk = chunk.slice();
      tier[index] = chunk;
    }
    return chunk;
  }
}
