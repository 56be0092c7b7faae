import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FootprintLog } from "../../memory/footprint-log.js";
import { Op } from "../../workloads/trace.js";
import { peakOf } from "./demand.js";
import { FragmentationMeter } from "./fragmentation.js";
import { thin } from "./series.js";

interface Event {
  readonly op: number;
  readonly slot: number;
  readonly size: number;
  /** Footprint after the event. */
  readonly footprint: number;
}

function columnsOf(events: readonly Event[]) {
  return {
    op: Uint8Array.from(events, (e) => e.op),
    slot: Uint32Array.from(events, (e) => e.slot),
    size: Uint32Array.from(events, (e) => e.size),
    slots: 1 + Math.max(0, ...events.map((e) => e.slot)),
    length: events.length,
  };
}

function measured(events: readonly Event[], segment: number, bins = 64): FragmentationMeter {
  const log = new FootprintLog();
  const meter = new FragmentationMeter(columnsOf(events), log, bins);
  for (let from = 0; from < events.length; from += segment) {
    const to = Math.min(events.length, from + segment);
    for (let i = from; i < to; i++) {
      log.now = i;
      if (events[i].footprint !== (events[i - 1]?.footprint ?? 0)) log.record(events[i].footprint);
    }
    meter.take(from, to);
  }
  return meter;
}

/** A trace that can be checked by hand: slot, bytes, footprint after. */
const golden: Event[] = [
  { op: Op.allocate, slot: 0, size: 100, footprint: 128 },
  { op: Op.allocate, slot: 1, size: 60, footprint: 192 },
  { op: Op.free, slot: 0, size: 0, footprint: 192 },
  { op: Op.allocate, slot: 0, size: 120, footprint: 320 },
  { op: Op.free, slot: 1, size: 0, footprint: 320 },
  { op: Op.free, slot: 0, size: 0, footprint: 320 },
  { op: Op.allocate, slot: 0, size: 10, footprint: 320 },
  { op: Op.allocate, slot: 1, size: 20, footprint: 384 },
  { op: Op.free, slot: 1, size: 0, footprint: 384 },
];

describe("the measures of Johnstone & Wilson", () => {
  it("give the exact rationals of the hand-checked trace, whatever the segments", () => {
    for (const segment of [1, 2, 3, 100]) {
      const f = measured(golden, segment).result();
      expect(f.peakLive).toBe(180);
      expect(f.peakLiveEvent).toBe(3);
      expect(f.peakFootprint).toBe(384);
      expect(f.peakFootprintEvent).toBe(7);
      expect(f.bytesAllocated).toBe(310);
      // States with live > 0 (all but event 5): footprint/live after each event.
      const ratios = [128 / 100, 192 / 160, 192 / 60, 320 / 180, 320 / 120, 320 / 10, 384 / 30, 384 / 10];
      const mean = ratios.reduce((a, b) => a + b) / ratios.length;
      expect(f.jw1Events).toBeCloseTo(mean - 1, 12);
      expect(f.jw1Events).toBeCloseTo(10.67, 2);
      // Byte clock: 100 bytes of allocation bring state 0, which lasts 60 bytes; and so on. Live = 0 is left out.
      const weighted = (128 / 100) * 60 + (192 / 60) * 120 + (320 / 10) * 20;
      expect(f.jw1Bytes).toBeCloseTo(weighted / (60 + 120 + 20) - 1, 12);
      expect(f.jw2).toBeCloseTo(320 / 180 - 1, 12);
      expect(f.jw3).toBeCloseTo(384 / 30 - 1, 12);
      expect(f.jw4).toBeCloseTo(384 / 180 - 1, 12);
      // Integrals take every state, those without live bytes too: state 5 holds 320 bytes for 10 bytes of allocation.
      const footprints = 128 * 60 + 192 * 120 + 320 * 10 + 320 * 20;
      expect(f.spaceTimeBytes).toBeCloseTo(footprints / (100 * 60 + 60 * 120 + 10 * 20) - 1, 12);
      expect(f.spaceTimeBytes).toBeCloseTo(2.01, 2);
      const all = [128, 192, 192, 320, 320, 320, 320, 384, 384].reduce((a, b) => a + b);
      expect(f.spaceTimeEvents).toBeCloseTo(all / (100 + 160 + 60 + 180 + 120 + 0 + 10 + 30 + 10) - 1, 12);
    }
  });
});

const event = fc.record({
  size: fc.integer({ min: 0, max: 500 }),
  footprint: fc.integer({ min: 0, max: 5000 }),
  free: fc.boolean(),
});

/** A legal trace with arbitrary footprints: a block is freed or a new one is made. */
function legal(drafts: readonly { size: number; footprint: number; free: boolean }[]): Event[] {
  const live: number[] = [];
  const spare: number[] = [];
  let used = 0;
  return drafts.map(({ size, footprint, free }) => {
    const freed = free ? live.pop() : undefined;
    if (freed !== undefined) {
      spare.push(freed);
      return { op: Op.free, slot: freed, size: 0, footprint };
    }
    const slot = spare.pop() ?? used++;
    live.push(slot);
    return { op: Op.allocate, slot, size, footprint };
  });
}

describe("the meter", () => {
  it("agrees with a direct computation on random traces", () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 1, max: 50 }),
        (drafts, segment) => {
          const events = legal(drafts);
          const f = measured(events, segment).result();
          const sizes = new Map<number, number>();
          const live = events.map((e) => {
            if (e.op === Op.allocate) sizes.set(e.slot, e.size);
            else sizes.delete(e.slot);
            return Array.from(sizes.values()).reduce((a, b) => a + b, 0);
          });
          const footprints = events.map((e) => e.footprint);
          expect(f.peakLive).toBe(Math.max(...live));
          expect(f.peakFootprint).toBe(Math.max(...footprints));
          if (f.peakFootprint > 0) expect(f.peakFootprintEvent).toBe(footprints.indexOf(f.peakFootprint));
          if (f.peakLive > 0)
            expect(peakOf(columnsOf(events))).toEqual({ bytes: f.peakLive, event: live.indexOf(f.peakLive) });
          const ratios = live.flatMap((l, i) => (l > 0 ? [footprints[i] / l] : []));
          if (ratios.length > 0) expect(f.jw1Events).toBeCloseTo(ratios.reduce((a, b) => a + b) / ratios.length - 1, 9);
          else expect(f.jw1Events).toBeNaN();
        },
      ),
    );
  });

  it("thins the course without losing an extreme, to a bounded number of points", () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 400 }),
        fc.integer({ min: 1, max: 40 }),
        (drafts, bins) => {
          const events = legal(drafts);
          const meter = measured(events, 7, bins);
          const course = meter.course();
          const f = meter.result();
          for (const series of [course, thin(course, Math.ceil(bins / 2))]) {
            expect(series.event.length).toBeLessThanOrEqual(4 * bins + 1);
            expect(Math.max(...series.live)).toBe(f.peakLive);
            expect(Math.max(...series.footprint)).toBe(f.peakFootprint);
            expect(Math.min(...series.footprint)).toBe(Math.min(...events.map((e) => e.footprint)));
            expect(series.footprint[series.footprint.length - 1]).toBe(f.endFootprint);
            expect(series.live[series.live.length - 1]).toBe(f.endLive);
            expect([...series.event].sort((a, b) => a - b)).toEqual(series.event);
          }
        },
      ),
    );
  });

  it("thins in bins of the clock on which it is drawn", () => {
    // Nine bytes in the first ten events, 9000 in the next ten: on the clock of bytes, all but one bin lie there.
    const event = Array.from({ length: 20 }, (_, i) => i);
    const allocated = event.map((i) => (i < 10 ? i : 9 + 900 * (i - 9)));
    const course = thin({ event, allocated, live: allocated, footprint: allocated }, 10, "allocated");
    expect(course.event.filter((i) => i < 10)).toEqual([0, 9]);
    expect(course.event.filter((i) => i >= 10)).toEqual(event.slice(10));
  });
});
