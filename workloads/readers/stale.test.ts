/** What programs do to blocks that they have freed, kept in the trace on request. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { OP_MASK, Op, staleOpOf, type Trace } from "../trace.js";
import { opsOf } from "../trace.properties.js";
import { BlockEncoder } from "../trace-block.js";
import { summarise } from "../trace-summary.js";
import { traceLines } from "../trace-text-writer.js";
import type { ReadResult, ReadSource, TraceReader } from "./reader.js";
import { readers } from "./registry.js";

function read(
  reader: TraceReader | undefined,
  content: string | Uint8Array,
  more: Partial<ReadSource> = {},
): ReadResult {
  if (reader === undefined) throw new Error("no such reader");
  const reading = reader.read({ file: "some.file", name: "some", lenient: false, keepStale: true, ...more });
  reading.push(Buffer.from(content));
  return reading.finish();
}

const named = (name: string): TraceReader | undefined => readers.find((reader) => reader.name === name);

const names = Object.fromEntries(Object.entries(Op).map(([name, op]) => [op, name]));

/** Events as words: what, of which slot, of what size; with a dagger what is done to a freed block. */
function eventsOf(trace: Trace): string[] {
  return Array.from(trace.op, (op, i) => {
    const isStale = (op & OP_MASK) === Op.stale;
    return `${isStale ? "†" : ""}${names[isStale ? staleOpOf(op) : op & OP_MASK]} ${trace.slot[i]} ${trace.size[i]}`;
  });
}

describe("text", () => {
  const lines = "a 7 64\na 8 32\np 8\nf 7\nf 7\nx 7 3\nr 7 100\np 7\nu 7\nf 8\nu 8\na 7 16\nf 7\nf 7\n";

  it("keeps every use of a freed block under a slot that no other block gets", () => {
    const { trace, report } = read(named("text"), lines);
    expect(eventsOf(trace)).toEqual([
      "allocate 0 64",
      "allocate 1 32",
      "pin 1 0",
      "free 0 0",
      "†free 0 0",
      "†access 0 3",
      "†reallocate 0 100",
      "†pin 0 0",
      "†unpin 0 0",
      "free 1 0",
      "†unpin 1 0",
      "allocate 2 16",
      "free 2 0",
      "†free 2 0",
    ]);
    expect(trace.slots).toBe(3);
    expect(report.notes).toEqual(["kept uses of freed blocks: 7, first in line 5"]);
    expect([report.dropped, report.altered]).toEqual([{}, {}]);
  });

  it("asks for no more than without them", () => {
    const without = "a 7 64\na 8 32\np 8\nf 7\nf 8\na 7 16\nf 7\n";
    const demand = (content: string, keepStale: boolean): object => {
      const { digest, events, lifetimeEvents, ...rest } = summarise(read(named("text"), content, { keepStale }).trace);
      return rest;
    };
    expect(demand(lines, true)).toEqual(demand(without, false));
  });

  it("refuses them without the request, and ids that never lived with it", () => {
    expect(() => read(named("text"), lines, { keepStale: false })).toThrow(
      /some.file:5: free of id 7, which is not live/,
    );
    for (const line of ["f 9", "x 9", "p 9", "u 9"])
      expect(() => read(named("text"), `${lines}${line}\n`)).toThrow(/some.file:15: .* of id 9, which is not live/);
    expect(read(named("text"), `${lines}f 9\n`, { lenient: true }).report.dropped).toEqual({
      unknownFree: { count: 1, firstLine: 15 },
    });
  });

  it("is written to no file", () => {
    const { trace } = read(named("text"), lines);
    expect(() => new BlockEncoder(trace).encode(0, trace.length)).toThrow(/event 4: a use of a freed block/);
    expect(() => [...traceLines(trace)]).toThrow(/event 4: a use of a freed block/);
  });
});

describe("formats with addresses", () => {
  it("keep the free of an address that was freed, until it is given out again", () => {
    const call = (text: string): string => `prog->${text}\n`;
    const lines = [
      call("malloc(64) = 0x1000"),
      call("free(0x1000) = <void>"),
      call("free(0x1000) = <void>"),
      call("free(0x9000) = <void>"),
      call("malloc(48) = 0x1000"),
      call("free(0x1000) = <void>"),
      call("realloc(0x1000, 80) = 0x2000"),
      call("free(0x2000) = <void>"),
      call("malloc(16) = 0x2000"),
      call("free(0x2000) = <void>"),
    ].join("");
    const { trace, report } = read(named("ltrace"), lines);
    expect(eventsOf(trace)).toEqual([
      "allocate 0 64",
      "free 0 0",
      "†free 0 0",
      "allocate 1 48",
      "free 1 0",
      "†reallocate 1 80",
      "†free 1 0",
      "allocate 2 16",
      "free 2 0",
    ]);
    expect(report.notes).toEqual(["kept uses of freed blocks: 3, first in line 3"]);
    expect([report.dropped, report.altered]).toEqual([{ unknownFree: { count: 1, firstLine: 4 } }, {}]);
    const without = read(named("ltrace"), lines, { keepStale: false });
    expect(without.report.dropped).toEqual({ unknownFree: { count: 2, firstLine: 3 } });
    expect(without.report.altered).toEqual({ reallocateOfUnknown: { count: 1, firstLine: 7 } });
  });

  it("keep the reallocation of a freed block that begins and ends on lines of its own", () => {
    const lines = "= Start\n@ x + 0x10 0x20\n@ x - 0x10\n@ x < 0x10\n@ x > 0x10 0x40\n@ x - 0x10\n";
    expect(eventsOf(read(named("mtrace"), lines).trace)).toEqual([
      "allocate 0 32",
      "free 0 0",
      "†reallocate 0 64",
      "†free 0 0",
    ]);
  });

  it("leave it so while a reallocation of what is gone fails", () => {
    const lines = [
      "7 prog->malloc(24) = 0x10",
      "7 prog->free(0x10) = <void>",
      "7 prog->realloc(0x10, 90 <unfinished ...>",
      "8 prog->malloc(40) = 0x10",
      "7 <... realloc resumed> ) = 0",
      "8 prog->free(0x10) = <void>",
    ];
    const events = eventsOf(read(named("ltrace"), `${lines.join("\n")}\n`).trace);
    expect(events).toEqual(["allocate 0 24", "free 0 0", "allocate 1 40", "free 1 0"]);
  });

  it("leave an address to the thread that was given it while a reallocation of it to nothing was under way", () => {
    const lines = [
      "7 prog->malloc(24) = 0x10",
      "7 prog->realloc(0x10, 0 <unfinished ...>",
      "8 prog->malloc(40) = 0x10",
      "7 <... realloc resumed> ) = 0",
      "8 prog->free(0x10) = <void>",
      "8 prog->free(0x10) = <void>",
    ];
    const events = eventsOf(read(named("ltrace"), `${lines.join("\n")}\n`).trace);
    expect(events).toEqual(["allocate 0 24", "allocate 1 40", "free 0 0", "free 1 0", "†free 1 0"]);
  });
});

describe("the samples", () => {
  const folder = fileURLToPath(new URL("samples/", import.meta.url));
  const files = readdirSync(folder).filter((file) => !/\.cc?$|^expected$/.test(file));

  it.each(files)("%s has the same events with the request, but for uses of freed blocks", (file) => {
    const bytes = readFileSync(`${folder}${file}`);
    const reader = readers.find((one) => one.recognises(bytes.subarray(0, 65536)));
    const [kept, usual] = [read(reader, bytes), read(reader, bytes, { keepStale: false })];
    const live = Array.from(kept.trace.op.keys()).filter((i) => (kept.trace.op[i] & OP_MASK) !== Op.stale);
    const { op, slot, size } = kept.trace;
    const others = [op, slot, size].map((column) => Uint32Array.from(live, (i) => column[i]));
    expect(
      opsOf({ ...kept.trace, length: live.length, op: Uint8Array.from(others[0]), slot: others[1], size: others[2] }),
    ).toBe(opsOf(usual.trace));
    expect(kept.trace.slots).toBe(usual.trace.op.filter((code) => (code & OP_MASK) === Op.allocate).length);
    // What is kept is what else is dropped as the free of an address without a block.
    const unknown = (result: ReadResult): number => result.report.dropped["unknownFree"]?.count ?? 0;
    expect(unknown(usual) - unknown(kept)).toBe(op.length - live.length);
    expect(op.length - live.length).toBe(file === "tiny-umpire-2019.json" ? 1 : 0);
  });
});
