import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../memory/errors.js";
import type { Trace } from "./trace.js";
import { arbitraryTrace, contentsOf } from "./trace.properties.js";
import { BLOCK_EVENTS } from "./trace-block.js";
import { TraceBuilder } from "./trace-builder.js";
import { readTraceFile, readTraceFileInfo, writeTraceFile } from "./trace-file.js";
import { encodeFrame, encodeHeader, encodeTrailer, MAGIC, PREFIX_BYTES } from "./trace-file-layout.js";
import { readTraceBlocks } from "./trace-stream.js";

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fraglab-"));
  path = join(folder, "one.fgt");
});
afterAll(() => rm(folder, { recursive: true }));

/** All kinds of events, with doubles, labels, threads and, on demand, allocation sites. */
function smallTrace(hasSites = false): Trace {
  const builder = new TraceBuilder("small");
  const site = hasSites ? builder.site("main;größer") : 0;
  builder.phase("größer");
  for (let i = 0; i < 12; i++) {
    const slot = builder.allocate(i * i, i === 3 ? 4096 : 0, i % 2 === 0 ? site : 0);
    builder.thread(i % 2);
    if (i % 3 === 1) builder.free(slot);
    else if (i % 3 === 2) builder.reallocate(slot, 8_589_934_592 + i);
  }
  builder.access(0, Number.MAX_SAFE_INTEGER);
  builder.pin(0);
  builder.unpin(0);
  return builder.build();
}

/** Blocks live and die so that several file blocks are needed and some refs leave the window of 2^20 births. */
function longTrace(): Trace {
  const builder = new TraceBuilder("long");
  const old = Array.from({ length: 100 }, (_, i) => builder.allocate(i));
  for (let i = 0; i < 1_048_500; i++) builder.free(builder.allocate(i % 777));
  for (const slot of old) builder.free(slot);
  builder.phase("end");
  return builder.build();
}

function bytesOf(column: Uint32Array | Float64Array): Buffer {
  return Buffer.from(column.buffer, column.byteOffset, column.byteLength);
}

/** Several blocks, quick to read. */
function threeBlocks(): Trace {
  const builder = new TraceBuilder("three");
  for (let i = 0; i < 150_000; i++) builder.free(builder.allocate(i, 0, builder.site(`site ${i % 100}`)));
  return builder.build();
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  const { message } = error as InputError;
  expect(message.startsWith(`${path}: `), message).toBe(true);
  expect(message).not.toContain("\n");
  return message;
}

describe("a trace file", () => {
  it("gives back any trace, name included", async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryTrace(), fc.string({ unit: "grapheme", maxLength: 20 }), async (trace, name) => {
        await writeTraceFile(path, { ...trace, name });
        const again = await readTraceFile(path);
        expect(again.name).toBe(name);
        expect(contentsOf(again)).toEqual(contentsOf(trace));
      }),
      { numRuns: 60 },
    );
  });

  it("gives back sizes and counts up to 2^53 - 1", async () => {
    const trace = smallTrace();
    await writeTraceFile(path, trace);
    expect(contentsOf(await readTraceFile(path))).toEqual(contentsOf(trace));
    expect(Math.max(...trace.size)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it("gives back a trace of many blocks, with blocks older than refs can name", async () => {
    const trace = longTrace();
    await writeTraceFile(path, trace);
    const again = await readTraceFile(path);
    expect(again.digest).toBe(trace.digest);
    expect(again.slots).toBe(101);
    expect(await readTraceFileInfo(path)).toEqual({
      name: "long",
      events: trace.length,
      slots: 101,
      largestSize: 776,
      hasSites: false,
      digest: trace.digest,
    });
  });

  it("is of version 2 where it has allocation sites, and of version 1 for older readers where not", async () => {
    const versionOf = () => /"version":(\d)/.exec(readFileSync(path).toString("latin1"))?.[1];
    await writeTraceFile(path, smallTrace());
    expect(versionOf()).toBe("1");
    await writeTraceFile(path, smallTrace(true));
    expect(versionOf()).toBe("2");
    expect(await readTraceFileInfo(path)).toMatchObject({ hasSites: true, events: smallTrace(true).length });
  });

  it("streams as blocks that join to the same columns", async () => {
    const trace = threeBlocks();
    await writeTraceFile(path, trace);
    let events = 0;
    for await (const block of readTraceBlocks(path)) {
      expect(block.first).toBe(events);
      expect(block.length).toBe(Math.min(BLOCK_EVENTS, trace.length - events));
      const end = events + block.length;
      expect(Buffer.compare(block.op, trace.op.subarray(events, end))).toBe(0);
      expect(bytesOf(block.slot).equals(bytesOf(trace.slot.subarray(events, end)))).toBe(true);
      expect(bytesOf(block.size).equals(bytesOf(trace.size.subarray(events, end)))).toBe(true);
      expect(bytesOf(block.site).equals(bytesOf(trace.sites.of.subarray(events, end)))).toBe(true);
      events = end;
    }
    expect(events).toBe(trace.length);
  });

  it("can be left in the middle of the stream", async () => {
    await writeTraceFile(path, threeBlocks());
    for await (const block of readTraceBlocks(path)) {
      expect(block.first).toBe(0);
      break;
    }
    await writeTraceFile(path, smallTrace());
    expect((await readTraceFile(path)).name).toBe("small");
  });

  it("reads into memory that threads share", async () => {
    await writeTraceFile(path, smallTrace());
    const { op, slot, size, threads } = await readTraceFile(path);
    for (const column of [op, slot, size, threads.at]) expect(column.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  it("takes less than a byte for each event of steady churn in the order of birth", async () => {
    const trace = longTrace();
    await writeTraceFile(path, trace);
    expect(readFileSync(path).length / trace.length).toBeLessThan(0.1);
  });

  it("leaves nothing behind where it cannot be written", async () => {
    const missing = join(folder, "no", "such", "folder.fgt");
    await expect(writeTraceFile(missing, smallTrace())).rejects.toThrow(InputError);
    const broken = { ...smallTrace(), slot: new Uint32Array(smallTrace().length).fill(7) };
    const target = join(folder, "broken.fgt");
    await expect(writeTraceFile(target, broken)).rejects.toThrow("expected the columns that a TraceBuilder makes");
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(folder).filter((file) => file.endsWith(".tmp"))).toEqual([]);
  });
});

describe("a damaged trace file", () => {
  it("is an error of one line wherever it is cut", async () => {
    await writeTraceFile(path, smallTrace(true));
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length));
      expect(await faultOf(readTraceFile(path))).toMatch(/: byte \d+: .*: expected .*; (copy|convert) /);
    }
  });

  it("is an error of one line whichever bit is wrong", async () => {
    await writeTraceFile(path, smallTrace(true));
    const bytes = readFileSync(path);
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, flipped);
      expect(await faultOf(readTraceFile(path))).toMatch(/: byte \d+: .*: expected .*; (copy|convert) /);
    }
  });

  it("is found in any block of a long file, whole or streamed", async () => {
    await writeTraceFile(path, threeBlocks());
    const bytes = readFileSync(path);
    for (let at = 5; at < bytes.length; at += Math.ceil(bytes.length / 13)) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 16;
      writeFileSync(path, flipped);
      const whole = await faultOf(readTraceFile(path));
      const drain = async () => {
        for await (const block of readTraceBlocks(path)) expect(block.length).toBeGreaterThan(0);
      };
      expect(await faultOf(drain())).toBe(whole);
    }
  });

  it("says what a file is that is none", async () => {
    writeFileSync(path, "a 0 8\nf 0\n");
    expect(await faultOf(readTraceFile(path))).toContain("byte 0: not a .fgt trace file: expected its magic number");
    expect(await faultOf(readTraceFile(path).finally(() => writeFileSync(path, "")))).toContain("byte 0");
  });

  it("names the versions where the file is from a newer one", async () => {
    const header = Buffer.from(encodeHeader("x").toString("latin1").replace('"version":1', '"version":3'), "latin1");
    const { crc32 } = await import("node:zlib");
    header.writeUInt32LE(crc32(header.subarray(0, -4)), header.length - 4);
    writeFileSync(path, Buffer.concat([header, Buffer.alloc(40)]));
    expect(await faultOf(readTraceFile(path))).toContain(
      `byte ${PREFIX_BYTES}: format version 3: expected at most 2; update fraglab`,
    );
  });

  it("does not take memory for what the trailer merely claims", async () => {
    const trailer = encodeTrailer({ events: 4e9, slots: 4e9, largestSize: 8, digest: "0123456789abcdef" });
    writeFileSync(path, Buffer.concat([encodeHeader("x"), trailer]));
    expect(await faultOf(readTraceFile(path))).toContain("totals that no file of this length can hold");
  });

  it("is an error of one line for any block with a good checksum", async () => {
    const { deflateRawSync } = await import("node:zlib");
    const noise = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(6)).map(blockLike));
    await fc.assert(
      fc.asyncProperty(noise, fc.boolean(), fc.boolean(), fc.nat(12), async (block, packs, hasSites, events) => {
        const packed = packs ? deflateRawSync(block) : block;
        const trailer = encodeTrailer({ events, slots: events, largestSize: 9, digest: "0123456789abcdef" });
        writeFileSync(
          path,
          Buffer.concat([encodeHeader("x", hasSites), encodeFrame(events, packed, block.length), trailer]),
        );
        await faultOf(readTraceFile(path));
      }),
      { numRuns: 300 },
    );
  });

  it("may follow the magic number with anything", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
        writeFileSync(path, Buffer.concat([MAGIC, bytes]));
        await faultOf(readTraceFile(path));
      }),
    );
  });

  it("may be missing or a folder", async () => {
    await rm(path, { force: true });
    expect(await faultOf(readTraceFile(path))).toContain("no such file");
    await expect(readTraceFile(folder)).rejects.toThrow(`${folder}: is a directory`);
  });
});

/** A block whose columns have sound lengths and unsound contents. */
function blockLike(ops: number[]): Uint8Array {
  return Uint8Array.from([ops.length, ops.length, ops.length, 0, 0, 0, ...ops, ...ops, ...ops]);
}
