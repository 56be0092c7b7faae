/** The free space of a heap as runs of adjacent pieces. */
import { type HeapMap, Kind } from "../../memory/heap-map.js";

export interface FreeShape {
  /** Free and fresh mapped bytes. */
  readonly bytes: number;
  readonly runs: number;
  /** Bytes of the longest run. */
  readonly largest: number;
  /** For each size that was asked about, bytes in runs of at least that length. */
  readonly available: readonly number[];
}

// An imported constant is looked up at each use (V8 11), a module's own is folded.
const FREE = Kind.free;
const FRESH = Kind.fresh;

/**
 * The free runs of a walked heap, and how much of them can serve requests of each of `sizes` bytes. Pieces of one region
 * come in address order, so adjacent free pieces follow one another.
 */
export function freeShape(map: HeapMap, sizes: readonly number[]): FreeShape {
  const available = sizes.map(() => 0);
  let [bytes, runs, largest, run] = [0, 0, 0, 0];
  let runEnd = -1;
  const endRun = (): void => {
    bytes += run;
    if (run > largest) largest = run;
    for (let k = 0; k < sizes.length; k++) if (run >= sizes[k]) available[k] += run;
  };
  for (let i = 0; i < map.length; i++) {
    const kind = map.kind[i];
    if (kind !== FREE && kind !== FRESH) continue;
    if (map.start[i] !== runEnd) {
      endRun();
      run = 0;
      runs++;
    }
    run += map.bytes[i];
    runEnd = map.start[i] + map.bytes[i];
  }
  endRun();
  return { bytes, runs, largest, available };
}
