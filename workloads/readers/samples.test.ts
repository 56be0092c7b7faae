import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "../../memory/errors.js";
import { opsOf } from "../trace.properties.js";
import { summarise } from "../trace-summary.js";
import type { ReadResult, ReadSource, TraceReader } from "./reader.js";
import { readers } from "./registry.js";

const folder = join(import.meta.dirname, "samples");
/** Samples of other people, which stay outside. */
const outside = join(import.meta.dirname, "..", "..", "..", "shared", "traces", "samples");

const formats: Readonly<Record<string, string>> = {
  "demo-recorded.fgr": "recording",
  "demo.heaptrack-raw.txt": "heaptrack",
  "demo.heaptrack.txt": "heaptrack",
  "demo.ltrace-f.txt": "ltrace",
  "demo.ltrace.txt": "ltrace",
  "demo.mtrace": "mtrace",
  "demo.valgrind-trace-malloc.txt": "valgrind",
  "demo2.valgrind-trace-malloc.txt": "valgrind",
  "thr.ltrace-f.txt": "ltrace",
  "tiny-2011.rep": "text",
  "tiny-2016.rep": "text",
  "tiny-cheri.txt": "cheri",
  "tiny-classic.rep": "text",
  "tiny-crlf.rep": "text",
  "tiny-cs107.script": "text",
  "tiny-glibc-mtrace.out": "glibc-records",
  "tiny-glibc.wl": "glibc-workload",
  "tiny-jemalloc-utrace.txt": "jemalloc-utrace",
  "tiny-memory-replay.txt": "memory-replay",
  "tiny-mit-write.rep": "text",
  "tiny-sparse-ids.rep": "text",
  "tiny-torch-snapshot.json": "pytorch",
  "tiny-torch-snapshot.pickle": "pytorch",
  "tiny-umpire-2019.json": "umpire",
  "tiny-umpire-2022.replay": "umpire",
  "tiny-wee-alloc.trace": "wee-alloc",
};
const third: Readonly<Record<string, string>> = {
  "android-systemui-head.memory_replay.txt": "memory-replay",
  "umpire-2019-tut.replay.json": "umpire",
  "umpire-2022-output.replay": "umpire",
  "wee_alloc-ls.trace": "wee-alloc",
};

interface Sample {
  readonly file: string;
  readonly format: string;
  readonly bytes: Buffer;
  readonly ops: string;
  readonly totals: Readonly<Record<string, unknown>>;
}

function samplesOf(from: string, table: Readonly<Record<string, string>>, totals: string): Sample[] {
  const expected = JSON.parse(readFileSync(join(from, "expected", totals), "utf8"));
  return Object.entries(table).map(([file, format]) => {
    const name = file.replace(/\.(?:fgr|txt|rep|script|out|wl|json|pickle|replay|trace)$/, "");
    const ops = readFileSync(join(from, "expected", `${name}.ops`), "utf8");
    return { file, format, bytes: readFileSync(join(from, file)), ops, totals: expected[name] };
  });
}

const own = samplesOf(folder, formats, "expected.json");
const samples = existsSync(outside) ? [...own, ...samplesOf(outside, third, "EXPECTED.json")] : own;

function readerOf(format: string): TraceReader {
  const reader = readers.find((one) => one.name === format);
  if (reader === undefined) throw new Error(`no reader ${format}`);
  return reader;
}

function read(format: string, bytes: Uint8Array, options: Partial<ReadSource> = {}, chunk = 1 << 20): ReadResult {
  const reading = readerOf(format).read({ file: "some.file", name: "some", lenient: false, ...options });
  // As from a file: what was pushed is overwritten by what comes next.
  const buffer = Buffer.alloc(Math.min(chunk, bytes.length));
  for (let at = 0; at < bytes.length; at += chunk) {
    buffer.fill(0xff);
    reading.push(buffer.subarray(0, Buffer.from(bytes.subarray(at, at + chunk)).copy(buffer)));
  }
  buffer.fill(0xff);
  return reading.finish();
}

describe("the samples", () => {
  it("are the files of the folder", () => {
    const sources = new Set(["demo.c", "demo2.cc", "thr.c", "expected"]);
    expect(readdirSync(folder).filter((file) => !sources.has(file))).toEqual(Object.keys(formats).sort());
  });

  it("show every format", () => {
    expect([...new Set(Object.values(formats))].sort()).toEqual(readers.map((reader) => reader.name).sort());
  });

  it.each(samples)("$file is told by its content alone", ({ bytes, format }) => {
    expect(readers.find((reader) => reader.recognises(bytes.subarray(0, 65536)))?.name).toBe(format);
  });

  it.each(samples)("$file gives exactly the expected events and totals", ({ bytes, format, ops, totals }) => {
    const { trace, report } = read(format, bytes);
    expect(opsOf(trace)).toBe(ops);
    const { ops: events, allocs: allocations, peakLiveBytes, endLiveBytes, endLiveBlocks, dropped } = totals;
    expect(summarise(trace)).toMatchObject({ events, allocations, peakLiveBytes, endLiveBytes, endLiveBlocks });
    // The totals list a block freed unseen among the dropped requests; here it is a repair.
    const { reusedLiveAddress } = report.altered;
    const found = { ...report.dropped, ...(reusedLiveAddress ? { reusedLiveAddress } : {}) };
    expect(Object.fromEntries(Object.entries(found).map(([kind, { count }]) => [kind, count]))).toEqual(dropped);
    expect(report).toMatchObject({ format, events: trace.length, notes: [] });
  });

  it.each(samples)(
    "$file reads the same in pieces of 7 bytes, and with CRLF where it is text",
    ({ bytes, format, ops }) => {
      expect(opsOf(read(format, bytes, {}, 7).trace)).toBe(ops);
      const binary = /^glibc|pytorch|recording/.test(format);
      const text = bytes.toString("latin1").replaceAll(/\r?\n/g, "\r\n");
      if (!binary) expect(opsOf(read(format, Buffer.from(text, "latin1")).trace)).toBe(ops);
    },
  );
});

/** Damage of the kinds that files suffer. */
function damaged(bytes: Buffer, kind: number, at: number, value: number): Buffer {
  const copy = Buffer.from(bytes);
  const place = Math.floor(at * copy.length);
  if (kind === 0) return copy.subarray(0, place);
  if (kind === 1) copy[place] = value;
  else if (kind === 2) copy[place] = (copy[place] ?? 0) ^ (1 << (value & 7));
  else if (kind === 3) return Buffer.concat([copy.subarray(0, place), copy.subarray(place + 1 + (value & 15))]);
  else if (kind === 4)
    return Buffer.concat([copy.subarray(0, place), Buffer.alloc(1 + (value & 31)), copy.subarray(place)]);
  else if (kind === 5) return Buffer.concat([copy.subarray(0, place), copy.subarray(place >> 1)]);
  else if (kind === 6)
    return Buffer.concat([copy.subarray(0, place), Buffer.from("99999999999999999999"), copy.subarray(place)]);
  else return Buffer.concat([copy.subarray(0, place), Buffer.from(" -1 \r\n"), copy.subarray(place)]);
  return copy;
}

function outcomeOf(format: string, bytes: Uint8Array, lenient: boolean): unknown {
  try {
    return read(format, bytes, { lenient });
  } catch (error) {
    return error;
  }
}

describe("a damaged file", () => {
  it.each(samples)("$file gives a trace or one line that names the place", ({ bytes, format }) => {
    const damage = fc.tuple(fc.nat(7), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(255));
    const check = (faults: [number, number, number][], lenient: boolean): void => {
      const broken = faults.reduce((b, [kind, at, value]) => (b.length > 0 ? damaged(b, kind, at, value) : b), bytes);
      const outcome = outcomeOf(format, broken, lenient);
      if (outcome instanceof InputError)
        expect(outcome.message).toMatch(/^some\.file:(?:\d+| (?:byte|event) \d+): [^\n]*expected [^\n]*$/);
      else expect(outcome).toHaveProperty("report.format", format);
      if (lenient) expect(outcome).not.toBeInstanceOf(InputError);
    };
    fc.assert(fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), fc.boolean(), check), { numRuns: 200 });
  });

  it.each([
    ["GLOBAL", "cos\nsystem\n."],
    ["REDUCE", ")R."],
    ["STACK_GLOBAL", "\x8c\x02os\x8c\x06system\x93."],
    ["NEWOBJ", ")\x81."],
    ["BUILD", "}b."],
    ["INST", "(ios\nsystem\n."],
  ])("that is a pickle with %s is refused by name, nothing run", (name, body) => {
    const outcome = outcomeOf("pytorch", Buffer.from(`\x80\x04${body}`, "latin1"), false);
    expect(outcome).toBeInstanceOf(InputError);
    expect((outcome as InputError).message).toMatch(
      new RegExp(`^some\\.file: byte \\d+: "?opcode ${name}, which would run code"?: expected plain data only`),
    );
  });

  it("of any bytes is a trace or one line, whichever format it is taken for", () => {
    for (const { name } of readers) {
      const check = (bytes: Uint8Array, lenient: boolean): void => {
        const outcome = outcomeOf(name, bytes, lenient);
        if (!(outcome instanceof InputError)) expect(outcome).toHaveProperty("report.format", name);
      };
      fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), check), { numRuns: 100 });
    }
  });
});
