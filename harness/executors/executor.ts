/** Where the cells of an experiment are computed: on this machine, or by tasks of a cluster. */
import type { Cell } from "../arm.js";
import type { CellRequest, CellResult } from "../cell.js";

export interface Executor {
  /** Cells that it takes before one is done: each may hold its trace until then. */
  readonly ahead: number;
  /** The result of a cell, which is in the store by then. Rejects with an `InputError` for a mistake in the factors. */
  run(cell: Cell, request: CellRequest): Promise<CellResult>;
  /** To be called when no further cell comes. */
  planned(): void;
  /** Ends all work, done or not: results that are not in the store by then are lost. */
  close(): Promise<void>;
}
