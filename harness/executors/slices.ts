/** How the cells of a plan are dealt out to tasks of a cluster. */

/** A cell that is to be computed somewhere else. */
export interface SlicedCell {
  /** In the plan. */
  readonly index: number;
  /** Digest of its trace. */
  readonly trace: string;
  /** Events of its trace: the measure of its work. */
  readonly events: number;
}

interface Slice {
  readonly cells: SlicedCell[];
  events: number;
}

/** Cells of one trace in pieces of about a `share` of the events each, so that few tasks have to make the same trace. */
function pieces(cells: readonly SlicedCell[], share: number): Slice[] {
  const open = new Map<string, Slice>();
  const all: Slice[] = [];
  for (const cell of cells) {
    let piece = open.get(cell.trace);
    if (piece === undefined || piece.events + cell.events > share) {
      piece = { cells: [], events: 0 };
      open.set(cell.trace, piece);
      all.push(piece);
    }
    piece.cells.push(cell);
    piece.events += cell.events;
  }
  return all;
}

/**
 * Indices of the plan for at most `tasks` tasks, each cell in one of them, none without cells. No task gets more than twice
 * its share of the events, or more than its share and the longest cell: the longest piece goes to the task with the least
 * so far (R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", 1969).
 */
export function slicesOf(cells: readonly SlicedCell[], tasks: number): number[][] {
  const total = cells.reduce((sum, { events }) => sum + events, 0);
  const byLength = pieces(cells, total / tasks).sort((a, b) => b.events - a.events);
  const slices: Slice[] = Array.from({ length: Math.min(tasks, byLength.length) }, () => ({ cells: [], events: 0 }));
  for (const piece of byLength) {
    const least = slices.reduce((a, b) => (b.events < a.events ? b : a));
    least.cells.push(...piece.cells);
    least.events += piece.events;
  }
  // Empty traces all go to the first task.
  const filled = slices.filter(({ cells: some }) => some.length > 0);
  return filled.map((slice) => slice.cells.map(({ index }) => index).sort((a, b) => a - b));
}
