/**
 * Fragmentation over a whole run, exact at every event: live bytes from the trace, footprint from the address space's
 * log, merged segment by segment. Definitions: docs/metrics.md; Johnstone & Wilson 1998, section 4 (their four measures).
 */
import type { FootprintLog } from "../../memory/footprint-log.js";
import type { Trace } from "../../workloads/trace.js";
import { Demand } from "./demand.js";
import { type Series, SeriesBuilder } from "./series.js";

/** Ratios are "over live": 0 means no waste. `NaN` where nothing was ever live. */
export interface Fragmentation {
  readonly peakLive: number;
  readonly peakLiveEvent: number;
  readonly endLive: number;
  readonly peakFootprint: number;
  /** First event in which the largest footprint was reached. */
  readonly peakFootprintEvent: number;
  readonly endFootprint: number;
  readonly bytesAllocated: number;
  /** Mean of footprint and of live over events. */
  readonly meanFootprint: number;
  readonly meanLive: number;
  /** #1: mean over time of footprint/live - 1, on the event clock and on the clock of bytes allocated. */
  readonly jw1Events: number;
  readonly jw1Bytes: number;
  /** #2: footprint/live - 1 when live is largest. */
  readonly jw2: number;
  /** #3: footprint/live - 1 when the footprint is first largest. */
  readonly jw3: number;
  /** #4: largest footprint / largest live - 1. */
  readonly jw4: number;
  /** Ratio of integrals over time, footprint / live - 1, on both clocks (Shore's time-memory product). */
  readonly spaceTimeEvents: number;
  readonly spaceTimeBytes: number;
}

export class FragmentationMeter {
  readonly demand: Demand;
  private readonly log: FootprintLog;
  private readonly series: SeriesBuilder;
  private footprint = 0;
  private peakLive = 0;
  private peakLiveEvent = 0;
  private footprintAtPeakLive = 0;
  private peakFootprint = 0;
  private peakFootprintEvent = 0;
  private liveAtPeakFootprint = 0;
  private events = 0;
  private eventsWithLive = 0;
  private sumRatioEvents = 0;
  private sumFootprintEvents = 0;
  private sumLiveEvents = 0;
  private bytesWithLive = 0;
  private sumRatioBytes = 0;
  private sumFootprintBytes = 0;
  private sumLiveBytes = 0;

  /** `bins` bounds the series: at most four points a bin. `idle` event times follow the last event. */
  constructor(
    trace: Pick<Trace, "op" | "slot" | "size" | "slots" | "length">,
    log: FootprintLog,
    bins: number,
    idle = 0,
  ) {
    this.demand = new Demand(trace);
    this.log = log;
    this.series = new SeriesBuilder(trace.length + idle, bins);
  }

  /** Takes events `from` to `to` (exclusive), which have just run, and empties the log. */
  take(from: number, to: number): void {
    const { demand, log, series } = this;
    let entry = 0;
    for (let i = from; i < to; i++) {
      const footprintBefore = this.footprint;
      const liveBefore = demand.live;
      const clock = demand.take(i);
      const { live } = demand;
      // A state lasts on the byte clock until the next allocation; frees take no time.
      if (clock > 0) {
        this.sumFootprintBytes += footprintBefore * clock;
        this.sumLiveBytes += liveBefore * clock;
        if (liveBefore > 0) {
          this.sumRatioBytes += (footprintBefore / liveBefore) * clock;
          this.bytesWithLive += clock;
        }
      }
      let peak = this.footprint;
      while (entry < log.length && log.when[entry] <= i) {
        if (log.peak[entry] > peak) peak = log.peak[entry];
        this.footprint = log.after[entry++];
      }
      const { footprint } = this;
      if (live > this.peakLive) {
        this.peakLive = live;
        this.peakLiveEvent = i;
        this.footprintAtPeakLive = footprint;
      }
      if (peak > this.peakFootprint) {
        this.peakFootprint = peak;
        this.peakFootprintEvent = i;
        this.liveAtPeakFootprint = live;
      }
      if (live > 0) {
        this.sumRatioEvents += footprint / live;
        this.eventsWithLive++;
      }
      this.sumFootprintEvents += footprint;
      this.sumLiveEvents += live;
      this.events++;
      // Both copies of a block that moves: over when the event is, but the footprint was that large.
      if (peak > footprint && peak > footprintBefore) series.add(i, demand.allocated, live, peak);
      series.add(i, demand.allocated, live, footprint);
    }
    this.absorb(entry, to);
  }

  /** Takes what the log holds after `events` events without any event: a compaction at a safepoint changed the footprint. */
  settle(events: number): void {
    const { demand, series } = this;
    const shown = this.log.length > 0 && events > 0;
    // Before and after: joined by a line, a step after a long rest is a step.
    if (shown) series.add(events - 1, demand.allocated, demand.live, this.footprint);
    this.absorb(0, events);
    if (shown) series.add(events - 1, demand.allocated, demand.live, this.footprint);
  }

  /** The course goes on unchanged until `events` event times have passed. */
  rest(events: number): void {
    if (events > 0) this.series.add(events - 1, this.demand.allocated, this.demand.live, this.footprint);
  }

  /**
   * Takes the log from `entry` on, and empties it: changes after the last event that ran, by a compaction or by a request
   * that failed in the end. A transient peak among them counts as reached by that event.
   */
  private absorb(entry: number, events: number): void {
    const { demand, log } = this;
    const event = Math.max(0, events - 1);
    for (let k = entry; k < log.length; k++) {
      if (log.peak[k] > this.peakFootprint) {
        this.peakFootprint = log.peak[k];
        this.peakFootprintEvent = event;
        this.liveAtPeakFootprint = demand.live;
      }
      if (log.peak[k] > log.after[k] && log.peak[k] > this.footprint)
        this.series.add(event, demand.allocated, demand.live, log.peak[k]);
      this.footprint = log.after[k];
    }
    log.clear();
  }

  result(): Fragmentation {
    const over = (a: number, b: number): number => (b > 0 ? a / b - 1 : Number.NaN);
    const { events } = this;
    return {
      peakLive: this.peakLive,
      peakLiveEvent: this.peakLiveEvent,
      endLive: this.demand.live,
      peakFootprint: this.peakFootprint,
      peakFootprintEvent: this.peakFootprintEvent,
      endFootprint: this.footprint,
      bytesAllocated: this.demand.allocated,
      meanFootprint: events > 0 ? this.sumFootprintEvents / events : 0,
      meanLive: events > 0 ? this.sumLiveEvents / events : 0,
      jw1Events: over(this.sumRatioEvents, this.eventsWithLive),
      jw1Bytes: over(this.sumRatioBytes, this.bytesWithLive),
      jw2: over(this.footprintAtPeakLive, this.peakLive),
      jw3: over(this.peakFootprint, this.liveAtPeakFootprint),
      jw4: over(this.peakFootprint, this.peakLive),
      spaceTimeEvents: over(this.sumFootprintEvents, this.sumLiveEvents),
      spaceTimeBytes: over(this.sumFootprintBytes, this.sumLiveBytes),
    };
  }

  /** The thinned course of live and footprint. */
  course(): Series {
    return this.series.build();
  }
}
