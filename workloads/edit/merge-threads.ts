import type { Trace } from "../trace.js";
import { finishTrace } from "../trace-columns.js";

/** The same events in the same order, all of one thread: for tools that know none. Columns are shared with the original. */
export function mergeThreads(trace: Trace): Trace {
  const { name, slots, op, slot, size, sites, labels } = trace;
  return finishTrace(
    { name, slots, op, slot, size, site: sites.of },
    { labels, siteNames: sites.names, switchAt: [], switchId: [] },
  );
}
