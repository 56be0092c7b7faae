import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TraceBuilder } from "./trace-builder.js";
import { portraitOf } from "./trace-portrait.js";
import { summarise } from "./trace-summary.js";

describe("the portrait of a trace", () => {
  it("has the shares of blocks and bytes up to each size and lifetime", () => {
    const builder = new TraceBuilder("tiny");
    const a = builder.allocate(8);
    const b = builder.allocate(12);
    builder.free(a);
    builder.reallocate(b, 20);
    builder.free(b);
    builder.allocate(80);
    expect(portraitOf(builder.build())).toEqual({
      // 80 falls into the step from 80 to 83.
      sizes: { value: [8, 12, 83], blocks: [1 / 3, 2 / 3, 1], bytes: [0.08, 0.2, 1] },
      // a: 8 + 12 bytes; b: 12 + 8 that it grew by. The last is never freed.
      lifetimes: { value: [20], blocks: [2 / 3], bytes: [28 / 108] },
      live: { event: [0, 1, 2, 3, 4, 5], bytes: [8, 20, 20, 20, 20, 80] },
    });
  });

  it("has the peak, and as many stretches as the eye can see", () => {
    const builder = new TraceBuilder("long");
    for (let i = 0; i < 5000; i++) {
      const slot = builder.allocate(i === 3334 ? 99_999 : 10);
      if (i % 2 === 0) builder.free(slot);
    }
    const trace = builder.build();
    const { live } = portraitOf(trace);
    expect(live.event.length).toBeLessThanOrEqual(400);
    expect(live.event).toHaveLength(live.bytes.length);
    expect(Math.max(...live.bytes)).toBe(summarise(trace).peakLiveBytes);
  });

  it("keeps every size within a sixteenth of itself, in order", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (size) => {
        const builder = new TraceBuilder("one");
        builder.allocate(size);
        const [value] = portraitOf(builder.build()).sizes.value;
        expect(value).toBeGreaterThanOrEqual(size);
        expect(value).toBeLessThanOrEqual(size * (1 + 1 / 16));
      }),
    );
  });
});
