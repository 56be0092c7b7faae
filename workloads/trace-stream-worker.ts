/**
 * The thread behind `readTraceBlocksAhead`: reads and decodes blocks of a compact trace file and posts each to its parent,
 * which answers when it is done with one.
 */
import { parentPort, workerData } from "node:worker_threads";
import { InputError } from "../memory/errors.js";
import { readTraceBlocks, type TraceBlock } from "./trace-stream.js";

/** What the thread is started with; see `readTraceBlocks`. */
export interface StreamRequest {
  readonly path: string;
  readonly verify: boolean;
  readonly buffers: number;
}

/** What the thread posts: the columns of a block, a fault of the file, or that all has been posted. */
export type StreamMessage = { readonly block: TraceBlock } | { readonly fault: string } | { readonly end: true };

if (parentPort === null) throw new Error("trace-stream-worker is no program: readTraceBlocksAhead starts it");
const parent = parentPort;
const { path, verify, buffers } = workerData as StreamRequest;
const post = (message: StreamMessage): void => parent.postMessage(message);

let free = buffers;
let freed: () => void = () => undefined;
parent.on("message", () => {
  free++;
  freed();
});

async function run(): Promise<void> {
  for await (const block of readTraceBlocks(path, verify, buffers)) {
    post({ block });
    free--;
    while (free === 0) {
      await new Promise<void>((resolve) => {
        freed = resolve;
      });
    }
  }
  post({ end: true });
}

await run().catch((error: unknown) => {
  if (!(error instanceof InputError)) throw error;
  post({ fault: error.message });
});
parent.close();
