/**
 * The thread behind `readTraceBlocksAhead`: reads and decodes blocks of a compact trace file and posts each to its parent,
 * which answers when it is done with one, or wants no more.
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

/** What its parent answers: that it is done with a block, or that the thread shall end. */
export type StreamAnswer = "done" | "stop";

if (parentPort === null) throw new Error("trace-stream-worker is no program: readTraceBlocksAhead starts it");
const parent = parentPort;
const { path, verify, buffers } = workerData as StreamRequest;
const post = (message: StreamMessage): void => parent.postMessage(message);

let free = buffers;
let stopped = false;
let answered: () => void = () => undefined;
parent.on("message", (answer: StreamAnswer) => {
  if (answer === "stop") stopped = true;
  else free++;
  answered();
});

async function run(): Promise<void> {
  for await (const block of readTraceBlocks(path, verify, buffers)) {
    post({ block });
    free--;
    while (free === 0 && !stopped) {
      await new Promise<void>((resolve) => {
        answered = resolve;
      });
    }
    if (stopped) return;
  }
  post({ end: true });
}

await run().catch((error: unknown) => {
  if (!(error instanceof InputError)) throw error;
  post({ fault: error.message });
});
parent.close();
