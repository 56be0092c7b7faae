import type { ArenaTable } from "./arena-table.js";
import type { Geometry } from "./geometry.js";
import type { PoolTable } from "./pool-table.js";

/** What the walk, statistics and dumps read: the tables behind a pymalloc heap. Readers change nothing in them. */
export interface PymallocState {
  readonly geometry: Geometry;
  readonly pools: PoolTable;
  readonly arenas: ArenaTable;
}
