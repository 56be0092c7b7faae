/**
 * A course of live and footprint over a run, thinned to a bounded number of points without losing an extreme: the events
 * are cut into equal bins, and each bin keeps the moments of its least and largest live and footprint.
 */

/** Columns of equal length, ascending by event. Bytes, except `event`. */
export interface Series {
  readonly event: readonly number[];
  /** Bytes allocated so far: the allocation clock. */
  readonly allocated: readonly number[];
  readonly live: readonly number[];
  readonly footprint: readonly number[];
}

/** Event, allocated, live, footprint, and the order of arrival: a compaction leaves two states at one event. */
const FIELDS = 5;
const ARRIVAL = 4;
/** Moments kept in a bin: least and largest live, least and largest footprint. */
const MOMENTS = 4;
const LIVE = 2;
const FOOTPRINT = 3;

export class SeriesBuilder {
  private readonly width: number;
  private readonly points: Float64Array;
  private readonly used: Uint8Array;
  private last: [number, number, number, number, number] | undefined;
  private arrivals = 0;

  /** For moments 0 to `length` - 1 of a clock, by default that of events, in at most `bins` bins. */
  constructor(length: number, bins: number) {
    const count = Math.max(1, Math.min(length, bins));
    this.width = Math.max(1, Math.ceil(length / count));
    this.points = new Float64Array(count * MOMENTS * FIELDS);
    this.used = new Uint8Array(count);
  }

  /** Adds the state after an event; events must not descend. `at` is the moment on the clock of the bins. */
  add(event: number, allocated: number, live: number, footprint: number, at = event): void {
    const { points } = this;
    this.arrivals++;
    const bin = Math.floor(at / this.width);
    const base = bin * MOMENTS * FIELDS;
    if (this.used[bin] === 0) {
      this.used[bin] = 1;
      for (let moment = 0; moment < MOMENTS; moment++)
        this.set(base + moment * FIELDS, event, allocated, live, footprint);
    } else {
      if (live < points[base + LIVE]) this.set(base, event, allocated, live, footprint);
      if (live > points[base + FIELDS + LIVE]) this.set(base + FIELDS, event, allocated, live, footprint);
      if (footprint < points[base + 2 * FIELDS + FOOTPRINT])
        this.set(base + 2 * FIELDS, event, allocated, live, footprint);
      if (footprint > points[base + 3 * FIELDS + FOOTPRINT])
        this.set(base + 3 * FIELDS, event, allocated, live, footprint);
    }
    if (this.last === undefined) this.last = [event, allocated, live, footprint, this.arrivals];
    else {
      this.last[0] = event;
      this.last[1] = allocated;
      this.last[2] = live;
      this.last[3] = footprint;
      this.last[ARRIVAL] = this.arrivals;
    }
  }

  build(): Series {
    const rows: number[][] = [];
    for (let i = 0; i < this.points.length; i += FIELDS) {
      if (this.used[Math.floor(i / (MOMENTS * FIELDS))] !== 0)
        rows.push(Array.from(this.points.subarray(i, i + FIELDS)));
    }
    if (this.last !== undefined) rows.push([...this.last]);
    return fromRows(rows);
  }

  private set(at: number, event: number, allocated: number, live: number, footprint: number): void {
    const { points } = this;
    points[at] = event;
    points[at + 1] = allocated;
    points[at + 2] = live;
    points[at + 3] = footprint;
    points[at + ARRIVAL] = this.arrivals;
  }
}

/** In the order of arrival, without repetitions. */
function fromRows(rows: number[][]): Series {
  rows.sort((a, b) => a[ARRIVAL] - b[ARRIVAL]);
  const kept = rows.filter((row, i) => {
    const before = rows[i - 1];
    return before === undefined || row.some((value, k) => k !== ARRIVAL && value !== before[k]);
  });
  const column = (k: number): number[] => kept.map((row) => row[k]);
  return { event: column(0), allocated: column(1), live: column(LIVE), footprint: column(FOOTPRINT) };
}

/**
 * The same course with fewer points, again without losing an extreme. The bins are equal on the clock on which the course
 * will be drawn: bins of events may hold nearly all bytes allocated, or none.
 */
export function thin(series: Series, bins: number, clock: "event" | "allocated" = "event"): Series {
  const at = series[clock];
  const builder = new SeriesBuilder((at[at.length - 1] ?? 0) + 1, bins);
  for (let i = 0; i < series.event.length; i++) {
    builder.add(series.event[i], series.allocated[i], series.live[i], series.footprint[i], at[i]);
  }
  return builder.build();
}
