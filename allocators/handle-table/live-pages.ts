import { grown } from "../../memory/columns.js";

/**
 * How many live entries each page of a handle table has, where an empty page can be given back. One empty page is kept, so
 * that a program at the border of a page does not map and unmap it in turn.
 */
export class LivePages {
  private readonly perPage: number;
  private livePer = new Int32Array(64);
  /** The empty page that is kept. */
  private spare = -1;

  /** `perPage`: entries of a page. */
  constructor(perPage: number) {
    this.perPage = perPage;
  }

  /** The table has `pages`. */
  grow(pages: number): void {
    if (pages <= this.livePer.length) return;
    this.livePer = grown(this.livePer, this.livePer.length * 2);
  }

  /** An entry came into use. */
  took(index: number): void {
    const page = (index / this.perPage) | 0;
    this.livePer[page]++;
    if (page === this.spare) this.spare = -1;
  }

  /** An entry is free, of `used` that ever were in use. Returns the page to give back, or -1. */
  gave(index: number, used: number): number {
    const page = (index / this.perPage) | 0;
    this.livePer[page]--;
    // The page that `used` lies in is about to be used.
    if (this.livePer[page] > 0 || (page + 1) * this.perPage > used) return -1;
    if (this.spare >= 0) return page;
    this.spare = page;
    return -1;
  }
}
