import { NO_ARENA } from "./arena-table.js";
import { PoolWord } from "./pool-table.js";
import type { PymallocState } from "./state.js";

/** Pools by time: how full each was. Cells by rows from slot 0 upwards; 0 is no arena, 1 an empty pool, 255 a full one. */
export interface PoolOccupancy {
  readonly width: number;
  readonly height: number;
  /** Slots of arenas, each as many rows as it has. */
  readonly slots: number;
  readonly cells: Uint8Array;
}

/** One moment: by pool place (slot and position in the arena) its byte as in `PoolOccupancy`. */
type Column = Uint8Array;

/** Records how full every pool is, moment by moment. */
export class PoolOccupancyRecorder {
  private readonly state: PymallocState;
  private readonly columns: Column[] = [];

  constructor(state: PymallocState) {
    this.state = state;
  }

  private get poolsInArena(): number {
    return this.state.geometry.arena / this.state.geometry.pool;
  }

  /** Adds the heap as it is now. */
  add(): void {
    const { arenas, pools, geometry } = this.state;
    const column = new Uint8Array(arenas.slots * this.poolsInArena);
    for (let slot = 0; slot < arenas.slots; slot++) {
      if (arenas.ordinal[slot] === NO_ARENA) continue;
      const at = slot * this.poolsInArena;
      column.fill(1, at, at + arenas.total[slot]);
      for (let pool = arenas.firstPool[slot]; pool < arenas.nextPool[slot]; pool++) {
        const count = pools.get(pool, PoolWord.count);
        if (count === 0) continue;
        const share = count / geometry.capacity[pools.get(pool, PoolWord.sizeClass)];
        column[at + pool - arenas.firstPool[slot]] = 1 + Math.round(254 * share);
      }
    }
    this.columns.push(column);
  }

  /** All moments over the slots that ever had an arena, with at most `rows` rows where an arena has at least one. */
  build(rows: number): PoolOccupancy {
    const perArena = this.poolsInArena;
    const used = this.columns.map((column) => column.findLastIndex((cell) => cell > 0) + 1);
    const slots = Math.max(1, Math.ceil(Math.max(0, ...used) / perArena));
    let perRow = 1;
    while (perRow < perArena && (slots * perArena) / perRow > rows) perRow *= 2;
    const height = (slots * perArena) / perRow;
    const width = this.columns.length;
    const cells = new Uint8Array(width * height);
    this.columns.forEach((column, x) => {
      for (let y = 0; y < height; y++) cells[y * width + x] = meanOf(column.subarray(y * perRow, (y + 1) * perRow));
    });
    return { width, height, slots, cells };
  }
}

/** The mean of the pools that are there, 0 where none is. */
function meanOf(cells: Uint8Array): number {
  let sum = 0;
  let there = 0;
  for (const cell of cells) {
    if (cell === 0) continue;
    there++;
    sum += cell;
  }
  return there === 0 ? 0 : Math.max(1, Math.round(sum / there));
}
