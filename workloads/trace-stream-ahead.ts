import { on } from "node:events";
import { Worker } from "node:worker_threads";
import { InputError } from "../memory/errors.js";
import type { TraceBlock } from "./trace-stream.js";
import type { StreamAnswer, StreamMessage, StreamRequest } from "./trace-stream-worker.js";

/** One in use, one being decoded, the others ready: threads are not always given a core when they ask. */
const BUFFERS = 4;

/**
 * As `readTraceBlocks`, but another thread reads and decodes, up to three blocks ahead of the caller. A block is valid until
 * the next one is asked for. Needs compiled code.
 */
export async function* readTraceBlocksAhead(path: string, verify = true): AsyncGenerator<TraceBlock, void> {
  const request: StreamRequest = { path, verify, buffers: BUFFERS };
  const worker = new Worker(new URL("./trace-stream-worker.js", import.meta.url), { workerData: request });
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  const answer = (what: StreamAnswer): void => worker.postMessage(what);
  try {
    for await (const [message] of on(worker, "message", { close: ["exit"] }) as AsyncIterable<[StreamMessage]>) {
      if ("end" in message) return;
      if ("fault" in message) throw new InputError(message.fault);
      yield message.block;
      answer("done");
    }
    throw new Error(`${path}: the thread that decodes it ended before the file did`);
  } finally {
    // Asked, never terminated: Node (20 to 24) aborts the whole process where a thread is cut off while zlib opens a stream.
    answer("stop");
    await ended;
  }
}
