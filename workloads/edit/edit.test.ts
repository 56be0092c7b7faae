import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { blocksOf } from "../block-list.properties.js";
import { larson } from "../shaped/larson.js";
import { alignmentOf, OP_MASK, Op, type Trace } from "../trace.js";
import { TraceBuilder } from "../trace-builder.js";
import { summarise } from "../trace-summary.js";
import { anonymise, sizeClass } from "./anonymise.js";
import { cutTrace } from "./cut.js";
import { mergeThreads } from "./merge-threads.js";

const threads = larson.generate(1, { ...larson.defaults, blocks: 50, events: 5000 }) as Trace;

describe("a cut of a trace", () => {
  it("begins with what is live, in the order of birth, with its present size, alignment and pins", () => {
    const builder = new TraceBuilder("tiny");
    const gone = builder.allocate(8);
    const aligned = builder.allocate(100, 64);
    builder.free(gone);
    const pinned = builder.allocate(16);
    builder.reallocate(aligned, 300);
    builder.pin(pinned);
    builder.pin(pinned);
    builder.unpin(pinned);
    builder.free(aligned);
    builder.unpin(pinned);
    const whole = builder.build();
    const cut = cutTrace(whole, 8, 10);
    const events = Array.from(cut.op, (op, i) => [op & OP_MASK, cut.size[i], alignmentOf(op)]);
    expect(events).toEqual([
      [Op.phase, 0, 0],
      [Op.allocate, 300, 64],
      [Op.allocate, 16, 0],
      [Op.pin, 0, 0],
      [Op.phase, 0, 0],
      [Op.free, 0, 0],
      [Op.unpin, 0, 0],
    ]);
    expect(cut.labels).toEqual(["inherited", "cut"]);
    expect(cut.slot[1]).toBe(cut.slot[5]);
  });

  it("of everything is the trace itself", () => {
    expect(cutTrace(threads, 0, threads.length).digest).toBe(threads.digest);
  });

  it("has the same bytes live as the whole at its ends, and its threads", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4999 }), fc.integer({ min: 1, max: 5000 }), (a, b) => {
        const [from, to] = a < b ? [a, b] : [b - 1, a + 1];
        const cut = cutTrace(threads, from, to);
        const { endLiveBytes, endLiveBlocks } = summarise(cutTrace(threads, 0, to));
        expect(summarise(cut)).toMatchObject({ endLiveBytes, endLiveBlocks });
        const own = blocksOf(threads).filter((block) => block.event >= from && block.event < to);
        const copied = blocksOf(cut).slice(-own.length || cut.length);
        expect(copied.map((block) => block.thread)).toEqual(own.map((block) => block.thread));
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    [-1, 5],
    [5, 5],
    [0, 5001],
    [0.5, 3],
  ])("from %d to %d is refused", (from, to) => {
    expect(() => cutTrace(threads, from, to)).toThrow(`larson: events ${from} to ${to}: expected whole numbers`);
  });
});

describe("merged threads", () => {
  it("leave one thread and the same requests", () => {
    const merged = mergeThreads(threads);
    const { digest, threads: count, ...rest } = summarise(threads);
    expect(summarise(merged)).toMatchObject({ ...rest, threads: 1 });
    expect(count).toBeGreaterThan(4);
    expect(merged.digest).not.toBe(digest);
    expect(mergeThreads(merged).digest).toBe(merged.digest);
  });
});

describe("an anonymous trace", () => {
  const builder = new TraceBuilder("secret-product");
  builder.phase("load customers");
  const block = builder.allocate(1001, 64, builder.site("main;load;parse"));
  builder.phase("serve");
  builder.access(block, 1001);
  builder.reallocate(block, 17, builder.site("main;serve"));
  builder.phase("load customers");
  const trace = builder.build();

  it("has numbers for names, and still tells who calls whom", () => {
    const blurred = anonymise(trace, "anonymous", { sizes: false, dropSites: false });
    expect(blurred.labels).toEqual(["mark 1", "mark 2"]);
    expect(blurred.sites.names).toEqual(["frame 1;frame 2;frame 3", "frame 1;frame 4"]);
    expect(Array.from(blurred.size)).toEqual(Array.from(trace.size));
    expect(blurred.name).toBe("anonymous");
    expect(JSON.stringify([blurred.labels, blurred.sites.names])).not.toMatch(/load|customers|serve|parse|main/);
  });

  it("has classes for sizes and no sites where that is asked for; what is no size stays", () => {
    const blurred = anonymise(trace, "anonymous", { sizes: true, dropSites: true });
    expect(Array.from(blurred.size)).toEqual([0, 1024, 0, 1001, 24, 0]);
    expect(blurred.sites.names).toEqual([]);
    expect(blurred.sites.of).toHaveLength(0);
    expect(alignmentOf(blurred.op[1] ?? 0)).toBe(64);
  });

  it("keeps its threads, and its digest where nothing is blurred", () => {
    expect(anonymise(threads, "x", { sizes: false, dropSites: false }).threads).toEqual(threads.threads);
  });
});

describe("classes of sizes", () => {
  it("are eight for each doubling, at most an eighth above the size, and classes of themselves", () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.maxSafeNat()), (size) => {
        const rounded = sizeClass(size);
        expect(rounded).toBeGreaterThanOrEqual(size);
        expect(rounded - size).toBeLessThan(Math.max(8, size / 8));
        expect(sizeClass(rounded)).toBe(rounded);
      }),
    );
    const classes = (low: number, high: number): number =>
      new Set(Array.from({ length: high - low }, (_, i) => sizeClass(low + 1 + i))).size;
    expect([classes(64, 128), classes(128, 256), classes(4096, 8192)]).toEqual([8, 8, 8]);
  });
});
