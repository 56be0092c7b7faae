/** Columns of traces: shared memory, so that worker threads get a trace without a copy. */
import type { Trace } from "./trace.js";
import { digestOf } from "./trace-digest.js";

export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

export function sharedInts(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(length * 4));
}

/** A size column: doubles only where a size needs them. */
export function sharedSizes(length: number, largest: number): Uint32Array | Float64Array {
  return largest <= 0xffffffff ? sharedInts(length) : new Float64Array(new SharedArrayBuffer(length * 8));
}

/** The labels, names of sites and thread switches of a trace while it is put together. */
export interface TraceMarks {
  readonly labels: readonly string[];
  readonly siteNames: readonly string[];
  readonly switchAt: readonly number[];
  readonly switchId: readonly number[];
}

/** Full shared columns; `site` is as long as the others, or empty where there are no names of sites. */
export type TraceColumns = Pick<Trace, "name" | "slots" | "op" | "slot" | "size"> & { readonly site: Uint32Array };

/** Makes full shared columns a trace: drops a thread switch that no event follows, and takes the digest. */
export function finishTrace({ site, ...columns }: TraceColumns, marks: TraceMarks): Trace {
  const length = columns.op.length;
  const switches = marks.switchAt.at(-1) === length ? marks.switchAt.length - 1 : marks.switchAt.length;
  const at = sharedInts(switches);
  const id = sharedInts(switches);
  at.set(marks.switchAt.slice(0, switches));
  id.set(marks.switchId.slice(0, switches));
  const trace = {
    ...columns,
    length,
    labels: [...marks.labels],
    threads: { at, id },
    sites: { of: site, names: length > 0 ? [...marks.siteNames] : [] },
  };
  return { ...trace, digest: digestOf(trace) };
}
