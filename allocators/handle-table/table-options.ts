import type { FreeOrder } from "./free-entries.js";

/** How a handle table keeps its entries. */
export interface TableOptions {
  /** How often an entry serves before it is worn out. */
  generations: number;
  /** Whether a worn-out entry is never used again; else its generations start anew. */
  retireOnWrap: boolean;
  /**
   * Bytes of an entry. 8 hold 36 bits of address in units, 20 of generation, 7 of pins and 1 for "free"; 4 hold 27 bits
   * of address, 4 of generation and 1 for "free", and pins are in the header of the block; 16 keep each in a word.
   */
  entryBytes: number;
  freeOrder: FreeOrder;
  /** Whether a page of the table without a live entry is given back. */
  releaseTablePages: boolean;
}
