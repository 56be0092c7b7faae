/** Metrics of what a run cost: counts turned into time, pauses, and the age of the handle table. */
import type { SessionResult } from "../session.js";
import type { Metric } from "./metric.js";
import { type TableAge, tableAgeOf } from "./table-ageing.js";

const SOURCE = "docs/metrics.md, Costs";
const VIRTUAL = "virtual";

const timed = (name: string, title: string, formula: string, of: Metric["of"]): Metric => ({
  name,
  title,
  unit: "ms",
  clock: VIRTUAL,
  formula,
  source: SOURCE,
  of,
});

const counted = (name: string, title: string, formula: string, of: Metric["of"], unit: Metric["unit"]): Metric => ({
  name,
  title,
  unit,
  clock: "-",
  formula,
  source: SOURCE,
  of,
});

/** Of the table when live is largest, or at the end. */
function atLook(label: "peak" | "end", pick: (age: TableAge) => number): Metric["of"] {
  return (result) => {
    const look = result.snapshots.findLast((snapshot) => snapshot.label === label);
    const age = look === undefined ? undefined : tableAgeOf(look, result.options);
    return age === undefined ? Number.NaN : pick(age);
  };
}

function movedPerByteFreed({ costs, pauses }: SessionResult): number {
  return pauses.reclaimed > 0 ? costs.bytesMoved / pauses.reclaimed : Number.NaN;
}

/** Metrics of costs, in the order of docs/metrics.md. */
export const costMetrics: readonly Metric[] = [
  counted("allocations", "Objects allocated", "allocate events that ran", (r) => r.allocations, "count"),
  counted("pauses", "Compaction passes", "calls of compact", (r) => r.pauses.count, "count"),
  timed("pauseP50", "Pause, median", "nearest rank over the passes", (r) => r.pauses.p50),
  timed("pauseP99", "Pause, 99th percentile", "nearest rank over the passes", (r) => r.pauses.p99),
  timed("pauseMax", "Longest pause", "max over the passes", (r) => r.pauses.max),
  timed("pauseTotal", "All pauses", "sum over the passes", (r) => r.pauses.total),
  counted(
    "reclaimed",
    "Footprint given back by passes",
    "sum over the passes of F before - F after",
    (r) => r.pauses.reclaimed,
    "bytes",
  ),
  counted(
    "movedPerByteFreed",
    "Bytes moved for each byte given back",
    "bytesMoved / reclaimed",
    movedPerByteFreed,
    "x",
  ),
  timed("costTime", "Time of all that was counted", "sum of counts times coefficients", (r) => r.costTime),
  counted(
    "tableBytesAtPeak",
    "Handle table when live is largest",
    "bytes of its pages",
    atLook("peak", (t) => t.bytes),
    "bytes",
  ),
  counted(
    "tableSlotsAtEnd",
    "Entries of the handle table at the end",
    "bytes of its pages / entry size",
    atLook("end", (t) => t.slots),
    "count",
  ),
  counted(
    "tableHolesAtEnd",
    "Entries without an object at the end",
    "slots - live objects",
    atLook("end", (t) => t.holes),
    "count",
  ),
  counted(
    "tablePerLiveAtPeak",
    "Table bytes for each live object when live is largest",
    "bytes of its pages / live objects",
    atLook("peak", (t) => t.bytesPerLive),
    "bytes",
  ),
  counted(
    "tablePerLiveAtEnd",
    "Table bytes for each live object at the end",
    "bytes of its pages / live objects",
    atLook("end", (t) => t.bytesPerLive),
    "bytes",
  ),
];
