/**
 * Every metric of one run, with its definition: the single source of `fraglab list metrics`, of the columns of
 * table.csv and of docs/metrics.md. A new metric is one entry here.
 */
import { type KindName, kindNames } from "../../memory/heap-map.js";
import type { SessionResult } from "../session.js";
import { costMetrics } from "./cost-metrics.js";
import { fragmentationIndex, unusableFreeIndex } from "./linux-index.js";
import type { Metric } from "./metric.js";
import { placementMetrics } from "./placement-metrics.js";
import type { Snapshot } from "./snapshot.js";

export type { Metric } from "./metric.js";

const J_W = "Johnstone & Wilson 1998, section 4";
const MODEL = "docs/model.md";

function lookOf(result: SessionResult, label: "peak" | "end"): Snapshot | undefined {
  return result.snapshots.findLast((snapshot) => snapshot.label === label);
}

/** Mean over the evenly spaced looks. */
function meanOfLooks(result: SessionResult, value: (snapshot: Snapshot) => number): number {
  const looks = result.snapshots.filter((snapshot) => snapshot.label === "" && snapshot.live > 0);
  return looks.length === 0 ? Number.NaN : looks.reduce((sum, look) => sum + value(look), 0) / looks.length;
}

const bytes = (name: string, title: string, formula: string, of: Metric["of"]): Metric => ({
  name,
  title,
  unit: "bytes",
  clock: "-",
  formula,
  source: MODEL,
  of,
});

const ratio = (
  name: string,
  title: string,
  clock: Metric["clock"],
  formula: string,
  source: string,
  of: Metric["of"],
): Metric => ({
  name,
  title,
  unit: "ratio over live",
  clock,
  formula,
  source,
  of,
});

const share = (name: string, title: string, formula: string, of: Metric["of"]): Metric => ({
  name,
  title,
  unit: "share",
  clock: "-",
  formula,
  source: "Wilson, Johnstone, Neely & Boles 1995, section 2",
  of,
});

const kindTitles: Readonly<Record<KindName, string>> = {
  live: "bytes asked for",
  padding: "rounding and slack inside blocks",
  header: "block and pool headers",
  tail: "ends of pools or pages that no block fits in",
  free: "freed and not reused",
  fresh: "never used, in a touched page",
  meta: "out-of-band bookkeeping",
  table: "handle table",
};

function kindMetrics(label: "peak" | "end"): Metric[] {
  const when = label === "peak" ? "when live is largest" : "at the end";
  return kindNames.map((kind) => ({
    name: `${label}.${kind}`,
    title: `Footprint ${when}: ${kindTitles[kind]}`,
    unit: "bytes",
    clock: "-",
    formula: `bytes of kind ${kind} in the footprint ${when}; the eight kinds sum to the footprint`,
    source: MODEL,
    of: (result) => lookOf(result, label)?.kinds[kind] ?? Number.NaN,
  }));
}

/** 64 KiB in pages of 4 KiB: the Linux indices are for a request of this order. */
const LINUX_ORDER = 4;

/** The indices of Linux as shares. The second has no meaning where such a request can be served. */
function linuxMetrics(label: "peak" | "end"): Metric[] {
  const when = label === "peak" ? "when live is largest" : "at the end";
  const suffix = label === "peak" ? "AtPeak" : "AtEnd";
  const of = (index: (blocks: readonly number[], order: number) => number) => (result: SessionResult) => {
    const look = lookOf(result, label);
    const value = look === undefined ? Number.NaN : index(look.freeBlocks, LINUX_ORDER) / 1000;
    return value < 0 ? Number.NaN : value;
  };
  const of64K = `for 64 KiB ${when}`;
  return [
    {
      ...share(
        `unusable${suffix}`,
        `Unusable free space ${of64K}`,
        "1 - free pages in aligned runs of 16 / free pages",
        of(unusableFreeIndex),
      ),
      source: "Linux, mm/vmstat.c: unusable_free_index",
    },
    {
      ...share(
        `fragmentationIndex${suffix}`,
        `Linux's fragmentation index ${of64K}`,
        "1 - (1 + free pages / 16) / free blocks; 0 lack of memory, 1 fragmentation; undefined where 64 KiB are free",
        of(fragmentationIndex),
      ),
      source: "Linux, mm/vmstat.c: __fragmentation_index",
    },
  ];
}

/** All metrics, in the order of the columns of table.csv. */
export const metrics: readonly Metric[] = [
  bytes("peakLive", "Largest live bytes", "max L(t)", (r) => r.fragmentation.peakLive),
  {
    ...bytes(
      "peakLiveEvent",
      "Event of the largest live bytes",
      "first t with L(t) = max L",
      (r) => r.fragmentation.peakLiveEvent,
    ),
    unit: "event",
  },
  bytes("endLive", "Live bytes at the end", "L(end)", (r) => r.fragmentation.endLive),
  bytes(
    "bytesAllocated",
    "Bytes allocated",
    "sizes of all allocations, and by how much reallocations grew blocks",
    (r) => r.fragmentation.bytesAllocated,
  ),
  bytes("peakFootprint", "Largest footprint", "max F(t), F = resident + meta", (r) => r.fragmentation.peakFootprint),
  {
    ...bytes(
      "peakFootprintEvent",
      "Event of the largest footprint",
      "first t with F(t) = max F",
      (r) => r.fragmentation.peakFootprintEvent,
    ),
    unit: "event",
  },
  bytes("endFootprint", "Footprint at the end", "F(end)", (r) => r.fragmentation.endFootprint),
  bytes(
    "peakMapped",
    "Largest mapped bytes",
    "max bytes obtained from the system and not returned",
    (r) => r.peakMapped,
  ),
  bytes("endMapped", "Mapped bytes at the end", "bytes obtained from the system and not returned", (r) => r.endMapped),
  bytes(
    "extent",
    "Extent, where it was asked for",
    "from the lowest start to the highest end that any block ever had",
    (r) => r.extent ?? Number.NaN,
  ),
  bytes("peakResident", "Largest resident heap", "max bytes of touched heap pages", (r) => r.peakResident),
  bytes(
    "peakMeta",
    "Bookkeeping when live is largest",
    "bytes mapped for meta and table",
    (r) => lookOf(r, "peak")?.meta ?? Number.NaN,
  ),
  bytes(
    "endMeta",
    "Bookkeeping at the end",
    "bytes mapped for meta and table",
    (r) => lookOf(r, "end")?.meta ?? Number.NaN,
  ),
  {
    ...bytes(
      "meanFootprint",
      "Mean footprint",
      "mean of F(t) over events (byte-time integral / events)",
      (r) => r.fragmentation.meanFootprint,
    ),
    clock: "events",
  },
  {
    ...bytes("meanLive", "Mean live bytes", "mean of L(t) over events", (r) => r.fragmentation.meanLive),
    clock: "events",
  },
  ratio(
    "jw1Events",
    "#1 Mean waste over time",
    "events",
    "mean of F(t)/L(t) - 1 over events with L(t) > 0",
    `${J_W}, #1`,
    (r) => r.fragmentation.jw1Events,
  ),
  ratio(
    "jw1Bytes",
    "#1 Mean waste over time",
    "bytes allocated",
    "mean of F(t)/L(t) - 1, each state weighted by the bytes of the next allocation",
    `${J_W}, #1`,
    (r) => r.fragmentation.jw1Bytes,
  ),
  ratio(
    "jw2",
    "#2 Waste when live is largest",
    "-",
    "F(t*)/L(t*) - 1, t* = first time of max L",
    `${J_W}, #2`,
    (r) => r.fragmentation.jw2,
  ),
  ratio(
    "jw3",
    "#3 Waste when the footprint is first largest",
    "-",
    "F(t')/L(t') - 1, t' = first time of max F",
    `${J_W}, #3`,
    (r) => r.fragmentation.jw3,
  ),
  ratio(
    "jw4",
    "#4 Peak to peak",
    "-",
    "max F / max L - 1",
    `${J_W}, #4; Hoard 2000 prints it + 1`,
    (r) => r.fragmentation.jw4,
  ),
  ratio(
    "spaceTimeEvents",
    "Ratio of integrals",
    "events",
    "integral of F / integral of L - 1",
    "Shore 1975: time-memory product",
    (r) => r.fragmentation.spaceTimeEvents,
  ),
  ratio(
    "spaceTimeBytes",
    "Ratio of integrals",
    "bytes allocated",
    "integral of F / integral of L - 1",
    "Shore 1975: time-memory product",
    (r) => r.fragmentation.spaceTimeBytes,
  ),
  share(
    "externalAtPeak",
    "External fragmentation when live is largest",
    "1 - largest free run / free bytes, over mapped memory",
    (r) => lookOf(r, "peak")?.external ?? Number.NaN,
  ),
  share(
    "externalAtEnd",
    "External fragmentation at the end",
    "1 - largest free run / free bytes, over mapped memory",
    (r) => lookOf(r, "end")?.external ?? Number.NaN,
  ),
  share("externalMean", "External fragmentation, mean", "mean of the evenly spaced looks with L > 0", (r) =>
    meanOfLooks(r, (s) => s.external),
  ),
  share(
    "internalAtPeak",
    "Internal fragmentation when live is largest",
    "1 - L / bytes in blocks handed out",
    (r) => lookOf(r, "peak")?.internal ?? Number.NaN,
  ),
  share(
    "internalAtEnd",
    "Internal fragmentation at the end",
    "1 - L / bytes in blocks handed out",
    (r) => lookOf(r, "end")?.internal ?? Number.NaN,
  ),
  share("internalMean", "Internal fragmentation, mean", "mean of the evenly spaced looks with L > 0", (r) =>
    meanOfLooks(r, (s) => s.internal),
  ),
  ...linuxMetrics("peak"),
  ...linuxMetrics("end"),
  ...placementMetrics,
  ...kindMetrics("peak"),
  ...kindMetrics("end"),
  ...costMetrics,
];

/** All metrics of a run by name. */
export function measure(result: SessionResult): Record<string, number> {
  return Object.fromEntries(metrics.map((metric) => [metric.name, metric.of(result)]));
}
