import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { dataFolder } from "./data-folder.js";
import type { Trace } from "./trace.js";
import { BLOCK_EVENTS } from "./trace-block.js";
import { TraceBuilder } from "./trace-builder.js";
import { readTraceFile, writeTraceFile } from "./trace-file.js";
import { TRAILER_BYTES } from "./trace-file-layout.js";
import { readTraceBlocks } from "./trace-stream.js";
import type * as Ahead from "./trace-stream-ahead.js";

/** Worker threads need compiled code, so the reader that starts one comes from dist (`npm test` builds first). */
const compiled = join(dataFolder("."), "../dist/workloads/trace-stream-ahead.js");
const { readTraceBlocksAhead } = (await import(pathToFileURL(compiled).href)) as typeof Ahead;

let folder: string;
let path: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fraglab-"));
  path = join(folder, "one.fgt");
});
afterAll(() => rm(folder, { recursive: true }));

/** More blocks than are ever in memory, with sites, labels and threads, and no two alike. */
function longTrace(): Trace {
  const builder = new TraceBuilder("long");
  const live: number[] = [];
  for (let i = 0; builder.length < 6.5 * BLOCK_EVENTS; i++) {
    live.push(builder.allocate((i * 2654435761) % 1000, 0, builder.site(`site ${i % 100}`)));
    if (i % 1000 === 0) builder.phase(`phase ${i}`);
    if (i % 777 === 0) builder.thread(i % 3);
    if (live.length > 500) builder.free(live.splice((i * 7919) % live.length, 1)[0]);
  }
  return builder.build();
}

function bytesOf(column: Uint8Array | Uint32Array | Float64Array): Buffer {
  return Buffer.from(column.buffer, column.byteOffset, column.byteLength);
}

async function faultOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ name: "InputError" });
  return (error as Error).message;
}

const long = longTrace();

describe.each([
  ["this thread", readTraceBlocks],
  ["another thread", readTraceBlocksAhead],
])("a trace file streamed by %s", (_, read) => {
  const drain = async (verify = true): Promise<number> => {
    let events = 0;
    for await (const block of read(path, verify)) events += block.length;
    return events;
  };

  it("comes in blocks that join to the same columns, however slow the reader of the blocks", async () => {
    await writeTraceFile(path, long);
    let events = 0;
    for await (const block of read(path)) {
      expect(block.first).toBe(events);
      expect(block.length).toBe(Math.min(BLOCK_EVENTS, long.length - events));
      const end = events + block.length;
      if (events === BLOCK_EVENTS) await new Promise((resolve) => setTimeout(resolve, 200));
      for (const column of ["op", "slot", "size"] as const) {
        expect(bytesOf(block[column]).equals(bytesOf(long[column].subarray(events, end)))).toBe(true);
      }
      expect(bytesOf(block.site).equals(bytesOf(long.sites.of.subarray(events, end)))).toBe(true);
      events = end;
    }
    expect(events).toBe(long.length);
  });

  it("can be left in the middle", async () => {
    await writeTraceFile(path, long);
    for await (const block of read(path)) if (block.first > 0) break;
    await rm(path);
    expect(existsSync(path)).toBe(false);
  });

  it("is refused as the whole file is wherever it is damaged, behind the blocks that are sound", async () => {
    await writeTraceFile(path, long);
    const bytes = readFileSync(path);
    for (let at = 5; at < bytes.length; at += Math.ceil(bytes.length / 6)) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 16;
      writeFileSync(path, flipped);
      const whole = await faultOf(readTraceFile(path));
      expect(whole.startsWith(`${path}: byte `)).toBe(true);
      expect(await faultOf(drain())).toBe(whole);
      expect(await faultOf(drain(false))).toBe(whole);
    }
  });

  it("is checked against its digest, unless that is not wanted", async () => {
    await writeTraceFile(path, long);
    const bytes = readFileSync(path);
    const { crc32 } = await import("node:zlib");
    const trailer = bytes.subarray(-TRAILER_BYTES);
    trailer[30] ^= 1;
    trailer.writeUInt32LE(crc32(trailer.subarray(0, -4)), TRAILER_BYTES - 4);
    writeFileSync(path, bytes);
    expect(await faultOf(drain())).toMatch(/: contents with digest [0-9a-f]{16}: expected [0-9a-f]{16} as the trailer/);
    expect(await drain(false)).toBe(long.length);
  });

  it("may be missing, or empty of events", async () => {
    await rm(path, { force: true });
    expect(await faultOf(drain())).toBe(`${path}: no such file: check the path`);
    await writeTraceFile(path, new TraceBuilder("empty").build());
    expect(await drain()).toBe(0);
  });
});

it("lets a thread end by itself when the file is left: Node aborts where zlib is cut off as it opens a stream", async () => {
  await writeTraceFile(path, long);
  const terminate = vi.spyOn(Worker.prototype, "terminate");
  for (const last of [0, 1, 2 * BLOCK_EVENTS]) {
    for await (const block of readTraceBlocksAhead(path)) if (block.first >= last) break;
  }
  expect(terminate).not.toHaveBeenCalled();
});
