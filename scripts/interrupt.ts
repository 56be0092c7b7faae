/** Ctrl-C in the middle of the work: what is done stays, nothing is half-written, one line says how to go on. */
import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { removeDraft } from "../harness/files.js";

/** Ended by Ctrl-C, as shells write it. */
export const INTERRUPTED = 130;

/** Runs `work`; SIGINT and SIGTERM `undo` what it has begun and end it at its next turn of the event loop. */
export async function endedBySignal<Result>(
  outcome: string,
  work: () => Promise<Result>,
  undo: () => void = () => undefined,
): Promise<Result> {
  const onSignal = (): void => {
    undo();
    process.stderr.write(`fraglab: interrupted: ${outcome}\n`);
    process.exit(INTERRUPTED);
  };
  // Work within work is heard first: it knows what is half done.
  process.prependListener("SIGINT", onSignal);
  process.prependListener("SIGTERM", onSignal);
  try {
    const result = await work();
    // What came while the work held up the thread is heard when the event loop polls, between these two.
    await turn();
    await turn();
    return result;
  } finally {
    process.removeListener("SIGINT", onSignal);
    process.removeListener("SIGTERM", onSignal);
  }
}

/** Runs `work`, which writes one file by way of drafts of this process; SIGINT and SIGTERM remove them and end it. */
export function removingDrafts<Result>(out: string, work: () => Promise<Result>): Promise<Result> {
  return endedBySignal(`${out} was not written`, work, () => {
    const folder = dirname(out);
    const start = `${basename(out)}.${process.pid}-`;
    const drafts = readdirSync(folder).filter((name) => name.startsWith(start) && name.endsWith(".tmp"));
    for (const draft of drafts) removeDraft(join(folder, draft));
  });
}

/** Runs `work` with a signal that SIGINT and SIGTERM abort. */
export async function interruptible<Result>(
  hint: string,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stderr.write(`fraglab: interrupted: ${hint}\n`);
    throw stop.signal.reason;
  } finally {
    process.removeListener("SIGINT", onSignal);
    process.removeListener("SIGTERM", onSignal);
  }
}
