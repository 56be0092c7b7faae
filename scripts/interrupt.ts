/** Ctrl-C in the middle of a run: what is done stays, nothing is half-written, one line says how to go on. */

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
