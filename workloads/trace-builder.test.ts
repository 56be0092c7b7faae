import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import { alignmentOf, OP_MASK, Op, type Trace } from "./trace.js";
import { arbitraryTrace, contentsOf } from "./trace.properties.js";
import { isAlignment, TraceBuilder } from "./trace-builder.js";
import { digestOf } from "./trace-digest.js";

const TEBIBYTE = 1_099_511_627_776;

function sample(build: (builder: TraceBuilder) => void): Trace {
  const builder = new TraceBuilder("sample");
  build(builder);
  return builder.build();
}

/** The definition of the digest, written down a second time, byte by byte. */
function digestByDefinition(trace: Trace): string {
  const hash = createHash("sha256").update(`fraglab trace 1 ${trace.length}\n`);
  for (let start = 0; start < trace.length; start += 65536) {
    const events = Array.from({ length: Math.min(65536, trace.length - start) }, (_, i) => start + i);
    const wide = events.some((i) => trace.size[i] > 0xffffffff);
    const column = Buffer.alloc(events.length * 8);
    hash.update(Buffer.from(events.map((i) => trace.op[i])));
    for (const [k, i] of events.entries()) column.writeUInt32LE(trace.slot[i], 4 * k);
    hash.update(column.subarray(0, 4 * events.length)).update(Buffer.of(wide ? 8 : 4));
    for (const [k, i] of events.entries()) {
      if (wide) column.writeDoubleLE(trace.size[i], 8 * k);
      else column.writeUInt32LE(trace.size[i], 4 * k);
    }
    hash.update(column.subarray(0, (wide ? 8 : 4) * events.length));
    for (const [k, i] of events.entries()) column.writeUInt32LE(trace.sites.of[i] ?? 0, 4 * k);
    if (trace.sites.names.length > 0) hash.update(column.subarray(0, 4 * events.length));
  }
  hash.update(JSON.stringify(trace.labels));
  for (const value of [...trace.threads.at, ...trace.threads.id]) {
    const word = Buffer.alloc(4);
    word.writeUInt32LE(value);
    hash.update(word);
  }
  if (trace.sites.names.length > 0) hash.update(JSON.stringify(trace.sites.names));
  return hash.digest("hex").slice(0, 16);
}

describe("TraceBuilder", () => {
  it("gives a new block the slot freed last, else the next unused one", () => {
    const builder = new TraceBuilder("slots");
    expect([builder.allocate(1), builder.allocate(2), builder.allocate(3)]).toEqual([0, 1, 2]);
    builder.free(0);
    builder.free(2);
    expect([builder.allocate(4), builder.allocate(5), builder.allocate(6)]).toEqual([2, 0, 3]);
    expect(builder.build().slots).toBe(4);
  });

  it("numbers slots so that their count is the peak of live blocks", () => {
    fc.assert(
      fc.property(arbitraryTrace(), (trace) => {
        const live = new Set<number>();
        let peak = 0;
        for (let i = 0; i < trace.length; i++) {
          const code = trace.op[i] & OP_MASK;
          if (code === Op.allocate) {
            expect(live.has(trace.slot[i])).toBe(false);
            live.add(trace.slot[i]);
          } else if (code !== Op.phase) expect(live.has(trace.slot[i])).toBe(true);
          if (code === Op.free) live.delete(trace.slot[i]);
          peak = Math.max(peak, live.size);
        }
        expect(trace.slots).toBe(peak);
      }),
    );
  });

  it("keeps every kind of event in its columns", () => {
    const trace = sample((builder) => {
      builder.phase("start");
      const slot = builder.allocate(100, 4096);
      builder.access(slot, 7);
      builder.pin(slot);
      builder.reallocate(slot, 200);
      builder.unpin(slot);
      builder.free(slot);
      builder.phase("end");
      builder.phase("start");
    });
    expect([...trace.op].map((op) => op & OP_MASK)).toEqual([6, 0, 3, 4, 2, 5, 1, 6, 6]);
    expect([...trace.size]).toEqual([0, 100, 7, 0, 200, 0, 0, 0, 0]);
    expect([...trace.slot]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(alignmentOf(trace.op[1])).toBe(4096);
    expect(trace.labels).toEqual(["start", "end"]);
  });

  it.each([32, 64, 4096, 65536, 524288])("asks for an alignment of %i", (alignment) => {
    expect(alignmentOf(sample((builder) => builder.allocate(1, alignment)).op[0])).toBe(alignment);
  });

  it.each([0, 1, 2, 8, 16])("takes an alignment of %i for the usual one", (alignment) => {
    expect(sample((builder) => builder.allocate(1, alignment)).op[0]).toBe(Op.allocate);
  });

  it("takes only powers of two up to 512 KiB for alignments", () => {
    expect([3, 48, 1.5, -16, 1048576, Number.NaN, Infinity].filter(isAlignment)).toEqual([]);
  });

  it("stores sizes as 32-bit integers until one needs a double", () => {
    const narrow = sample((builder) => builder.allocate(0xffffffff));
    expect(narrow.size).toBeInstanceOf(Uint32Array);
    const wide = sample((builder) => {
      builder.allocate(5);
      builder.allocate(TEBIBYTE + 1);
      builder.allocate(-0);
    });
    expect(wide.size).toBeInstanceOf(Float64Array);
    expect([...wide.size].every((size, i) => Object.is(size, [5, TEBIBYTE + 1, 0][i]))).toBe(true);
  });

  it("builds columns that threads can share, at 9 bytes for each event", () => {
    const trace = sample((builder) => {
      for (let i = 0; i < 10_000; i++) builder.allocate(i);
    });
    for (const column of [trace.op, trace.slot, trace.size]) expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
    expect(trace.op.buffer.byteLength + trace.slot.buffer.byteLength + trace.size.buffer.byteLength).toBe(90_000);
  });

  it("survives a structured clone without a copy of its columns", () => {
    const trace = sample((builder) => builder.allocate(8));
    const clone = structuredClone(trace);
    trace.size[0] = 9;
    expect(clone.size[0]).toBe(9);
  });

  it("records a thread switch only where the thread changes and events follow", () => {
    const trace = sample((builder) => {
      builder.thread(0);
      builder.allocate(1);
      builder.thread(3);
      builder.thread(5);
      builder.allocate(2);
      builder.thread(5);
      builder.allocate(3);
      builder.thread(7);
      builder.thread(5);
      builder.allocate(4);
      builder.thread(9);
    });
    expect([[...trace.threads.at], [...trace.threads.id]]).toEqual([[1], [5]]);
  });

  const mistakes: Record<string, (builder: TraceBuilder) => void> = {
    "a free of a slot never used": (builder) => builder.free(3),
    "a second free": (builder) => [builder.allocate(1), builder.free(0), builder.free(0)],
    "a negative slot": (builder) => builder.free(-1),
    "a slot that is no whole number": (builder) => [builder.allocate(1), builder.free(0.5)],
    "a reallocation of a free slot": (builder) => builder.reallocate(0, 8),
    "an access to a free slot": (builder) => builder.access(0),
    "an unpin without a pin": (builder) => [builder.allocate(1), builder.unpin(0)],
    "an unpin of a block that followed a pinned one": (builder) => [
      builder.allocate(1),
      builder.pin(0),
      builder.free(0),
      builder.allocate(1),
      builder.unpin(0),
    ],
    "a negative size": (builder) => builder.allocate(-1),
    "a broken size": (builder) => builder.allocate(1.5),
    "a size that a double does not hold": (builder) => builder.allocate(Number.MAX_SAFE_INTEGER + 1),
    "no size": (builder) => builder.allocate(Number.NaN),
    "an odd alignment": (builder) => builder.allocate(8, 24),
    "a label of two lines": (builder) => builder.phase("a\nb"),
    "an empty label": (builder) => builder.phase(""),
    "a label with half a character": (builder) => builder.phase("\ud800"),
    "a site without a name": (builder) => builder.site(""),
    "a site that has no name": (builder) => [builder.site("main"), builder.allocate(8, 0, 2)],
    "a site that is no whole number": (builder) => [builder.allocate(8), builder.reallocate(0, 8, 0.5)],
    "a negative thread": (builder) => builder.thread(-1),
  };
  it.each(Object.keys(mistakes))("refuses %s", (name) => {
    expect(() => sample(mistakes[name] as (builder: TraceBuilder) => void)).toThrow(InputError);
  });

  it("keeps the site of a request, and has no column for sites where none is given", () => {
    const trace = sample((builder) => {
      const slot = builder.allocate(8);
      for (let i = 0; i < 5000; i++) builder.access(slot);
      builder.reallocate(slot, 9, builder.site("main;grow"));
      builder.allocate(1, 64, builder.site("main;load"));
      builder.allocate(1, 0, builder.site("main;grow"));
    });
    expect([trace.sites.of.length, ...trace.sites.of.slice(-4)]).toEqual([5004, 0, 1, 2, 1]);
    expect(trace.sites.names).toEqual(["main;grow", "main;load"]);
    expect(sample((builder) => builder.allocate(8)).sites).toEqual({ of: new Uint32Array(), names: [] });
  });

  it("is as before after a mistake", () => {
    const build = (withMistakes: boolean) =>
      sample((builder) => {
        const slot = builder.allocate(8);
        if (withMistakes) {
          expect(() => builder.allocate(-1)).toThrow("size -1");
          expect(() => builder.reallocate(slot, Number.NaN)).toThrow("size NaN");
          expect(() => builder.free(4)).toThrow("sample: event 1: free of slot 4: expected the slot of a live block");
        }
        builder.allocate(9);
        builder.free(slot);
      });
    expect(contentsOf(build(true))).toEqual(contentsOf(build(false)));
  });
});

describe("the digest of a trace", () => {
  it("is 16 hex digits that are the same for ever", () => {
    const trace = sample((builder) => {
      builder.phase("load");
      const slot = builder.allocate(100, 64);
      builder.thread(2);
      builder.reallocate(slot, 200);
      builder.free(slot);
    });
    expect(trace.digest).toBe("7e1d805cfe2e9c19");
  });

  it("depends neither on the name nor on the width of the size column", () => {
    fc.assert(
      fc.property(arbitraryTrace(), (trace) => {
        const wide = { ...trace, name: "other", size: Float64Array.from(trace.size) };
        expect(digestOf(wide)).toBe(trace.digest);
      }),
    );
  });

  it("is the hash that its definition says, chunk by chunk", () => {
    const trace = sample((builder) => {
      builder.phase("größer");
      builder.thread(3);
      for (let i = 0; i < 70_000; i++) builder.allocate(i, i === 5 ? 64 : 0);
      builder.allocate(TEBIBYTE);
    });
    expect(trace.size).toBeInstanceOf(Float64Array);
    expect(trace.digest).toBe(digestByDefinition(trace));
    const sited = sample((builder) => {
      for (let i = 0; i < 70_000; i++) builder.allocate(i, 0, i % 3 === 0 ? builder.site(`site ${i % 5}`) : 0);
    });
    expect(sited.digest).toBe(digestByDefinition(sited));
  });

  it("changes with every part of the contents", () => {
    const base = sample((builder) => [
      builder.phase("one"),
      builder.thread(1),
      builder.allocate(8),
      builder.allocate(8),
    ]);
    const others = [
      sample((builder) => [builder.phase("two"), builder.thread(1), builder.allocate(8), builder.allocate(8)]),
      sample((builder) => [builder.phase("one"), builder.thread(2), builder.allocate(8), builder.allocate(8)]),
      sample((builder) => [builder.phase("one"), builder.allocate(8), builder.thread(1), builder.allocate(8)]),
      sample((builder) => [builder.phase("one"), builder.thread(1), builder.allocate(8, 32), builder.allocate(8)]),
      sample((builder) => [builder.phase("one"), builder.thread(1), builder.allocate(9), builder.allocate(8)]),
      sample((builder) => [builder.phase("one"), builder.thread(1), builder.allocate(8), builder.reallocate(0, 8)]),
      sample((builder) => [builder.phase("one"), builder.thread(1), builder.allocate(8)]),
      ...["here", "there"].map((site) =>
        sample((builder) => [
          builder.phase("one"),
          builder.thread(1),
          builder.allocate(8),
          builder.allocate(8, 0, builder.site(site)),
        ]),
      ),
    ];
    expect(new Set([base, ...others].map((trace) => trace.digest)).size).toBe(10);
  });
});
