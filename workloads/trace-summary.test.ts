import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OP_MASK, Op, type Trace } from "./trace.js";
import { arbitraryTrace } from "./trace.properties.js";
import { TraceBuilder } from "./trace-builder.js";
import { summarise } from "./trace-summary.js";

describe("summarise", () => {
  it("counts a small trace by hand", () => {
    const builder = new TraceBuilder("by hand");
    builder.phase("start");
    const a = builder.allocate(100);
    const b = builder.allocate(50, 64);
    builder.thread(3);
    builder.access(a, 4);
    builder.access(b, 2);
    builder.reallocate(a, 300);
    builder.pin(b);
    builder.reallocate(a, 20);
    builder.free(a);
    builder.allocate(50);
    expect(summarise(builder.build())).toMatchObject({
      name: "by hand",
      events: 10,
      allocations: 3,
      reallocations: 2,
      frees: 1,
      accesses: 6,
      pins: 1,
      phases: 1,
      threads: 2,
      alignedAllocations: 1,
      peakLiveBytes: 350,
      peakEvent: 5,
      peakLiveBlocks: 2,
      endLiveBytes: 100,
      endLiveBlocks: 2,
      totalBytes: 100 + 50 + 200 + 50,
      meanSize: 200 / 3,
      sizeQuantiles: { p10: 50, p50: 50, p75: 100, p999: 100 },
      distinctSizes: { all: 2, p90: 2 },
      lifetimeEvents: { p10: 7, p50: 7, p999: 7 },
      lifetimeBytes: { p10: 350, p50: 350, p999: 350 },
    });
  });

  it("of a trace without blocks is all zeros", () => {
    const builder = new TraceBuilder("marks");
    builder.phase("nothing");
    const none = { p10: 0, p25: 0, p50: 0, p75: 0, p90: 0, p99: 0, p999: 0 };
    expect(summarise(builder.build())).toMatchObject({
      events: 1,
      peakLiveBytes: 0,
      meanSize: 0,
      threads: 1,
      lifetimeEvents: none,
      sizeQuantiles: none,
      distinctSizes: { all: 0, p90: 0 },
    });
  });

  it("takes for a quantile the least value that this share does not exceed", () => {
    const builder = new TraceBuilder("sizes");
    for (let size = 1; size <= 1000; size++) builder.allocate(size);
    const quantiles = { p10: 100, p25: 250, p50: 500, p75: 750, p90: 900, p99: 990, p999: 999 };
    expect(summarise(builder.build()).sizeQuantiles).toEqual(quantiles);
  });

  it("counts how few sizes cover most allocations", () => {
    const builder = new TraceBuilder("few");
    for (let i = 0; i < 1000; i++) builder.allocate(i < 900 ? 16 : i < 990 ? 32 : i);
    expect(summarise(builder.build()).distinctSizes).toEqual({ all: 12, p90: 1, p99: 2, p999: 11 });
  });

  it("agrees with a count the slow way", () => {
    fc.assert(
      fc.property(arbitraryTrace(), (trace) => {
        const summary = summarise(trace);
        const { peak, blocks, end } = slowly(trace);
        expect([summary.peakLiveBytes, summary.peakLiveBlocks, summary.endLiveBytes]).toEqual([peak, blocks, end]);
        expect(summary.peakLiveBlocks).toBe(trace.slots);
        expect(summary.allocations - summary.frees).toBe(summary.endLiveBlocks);
        expect(summary.digest).toBe(trace.digest);
      }),
    );
  });
});

function slowly(trace: Trace): { peak: number; blocks: number; end: number } {
  const live = new Map<number, number>();
  let peak = 0;
  let blocks = 0;
  for (let i = 0; i < trace.length; i++) {
    const code = trace.op[i] & OP_MASK;
    if (code === Op.allocate || code === Op.reallocate) live.set(trace.slot[i], trace.size[i]);
    if (code === Op.free) live.delete(trace.slot[i]);
    peak = Math.max(
      peak,
      [...live.values()].reduce((sum, size) => sum + size, 0),
    );
    blocks = Math.max(blocks, live.size);
  }
  return { peak, blocks, end: [...live.values()].reduce((sum, size) => sum + size, 0) };
}
