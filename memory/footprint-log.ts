import { grown } from "./columns.js";

/**
 * How the footprint changed, event by event. The replay sets `now` to the index of the event before it runs it, so the
 * step function footprint(event) is exact without any callback: the session drains the log at each safepoint.
 */
export class FootprintLog {
  /** Index of the event that runs. */
  now = 0;
  /** Number of entries; at most one for each event. */
  length = 0;
  /** Event of each entry. */
  when: Float64Array = new Float64Array(256);
  /** Footprint in bytes when that event was over. */
  after: Float64Array = new Float64Array(256);
  /** Largest footprint in bytes that a change in that event led to. */
  peak: Float64Array = new Float64Array(256);

  record(footprint: number): void {
    let i = this.length - 1;
    if (i < 0 || this.when[i] !== this.now) {
      i = this.length++;
      if (i === this.when.length) this.grow();
      this.when[i] = this.now;
      this.peak[i] = footprint;
    } else if (footprint > this.peak[i]) {
      this.peak[i] = footprint;
    }
    this.after[i] = footprint;
  }

  clear(): void {
    this.length = 0;
  }

  private grow(): void {
    this.when = grown(this.when, this.when.length * 2);
    this.after = grown(this.after, this.after.length * 2);
    this.peak = grown(this.peak, this.peak.length * 2);
  }
}
