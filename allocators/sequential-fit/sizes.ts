import { grown } from "../../memory/columns.js";

/** Where an index over places finds the sizes of the free blocks in it. */

/** Sizes of free blocks by place, below 2^31. */
export interface Sizes {
  /** Places from 0 to this less one: a power of two, at least 64. */
  readonly length: number;
  /** Size of the free block at a place. */
  sizeAt(place: number): number;
}

/** Sizes in a column of their own. */
export class SizeColumn implements Sizes {
  column: Int32Array;

  constructor(places: number) {
    this.column = new Int32Array(places);
  }

  get length(): number {
    return this.column.length;
  }

  sizeAt(place: number): number {
    return this.column[place];
  }

  /** Makes the column longer. */
  grow(places: number): void {
    this.column = grown(this.column, places);
  }
}
