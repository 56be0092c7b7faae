/** The measures of fragmentation on traces that are small enough for pencil and paper. */

import { FragmentationMeter } from "../harness/metrics/fragmentation.js";
import { fragmentationIndex, unusableFreeIndex } from "../harness/metrics/linux-index.js";
import { FootprintLog } from "../memory/footprint-log.js";
import { TraceBuilder } from "../workloads/trace-builder.js";
import { type Check, exactly, type Target, within } from "./verification.js";

/** Bytes asked for under an id, or the id that is freed; then the footprint after the event. */
const events: readonly (readonly [id: number, bytes: number | "free", footprint: number])[] = [
  [0, 100, 128],
  [1, 60, 192],
  [0, "free", 192],
  [2, 120, 320],
  [1, "free", 320],
  [2, "free", 320],
  [3, 10, 320],
  [4, 20, 384],
  [4, "free", 384],
];

function measured() {
  const builder = new TraceBuilder("by hand");
  const slots = new Map<number, number>();
  const log = new FootprintLog();
  for (const [id, bytes] of events) {
    if (bytes === "free") builder.free(slots.get(id) ?? -1);
    else slots.set(id, builder.allocate(bytes));
  }
  const meter = new FragmentationMeter(builder.build(), log, 16);
  events.forEach(([, , footprint], i) => {
    log.now = i;
    log.record(footprint);
    meter.take(i, i + 1);
  });
  return meter.result();
}

const J_W = "Johnstone & Wilson 1998, section 4; exact rational of a trace of nine events";
const LINUX = "Linux, mm/vmstat.c, by hand for free lists 40 12 3 1 0 ..., thousandths";

/** The rounding of a sum of a few ratios; every rational is exact to far more. */
const ULPS = 1e-14;

function checks(): Check[] {
  const f = measured();
  const zone = [40, 12, 3, 1, 0, 0, 0, 0, 0, 0, 0];
  return [
    within("#1, event clock", 10499 / 900 - 1, ULPS, f.jw1Events, J_W),
    within("#1, clock of bytes allocated", 688 / 125 - 1, ULPS, f.jw1Bytes, J_W),
    within("ratio of integrals, bytes allocated", 1008 / 335 - 1, ULPS, f.spaceTimeBytes, J_W),
    exactly("#2", 320 / 180 - 1, f.jw2, J_W),
    exactly("#3", 384 / 30 - 1, f.jw3, J_W),
    exactly("#4", 384 / 180 - 1, f.jw4, J_W),
    exactly("unusable free index, order 3", 904, unusableFreeIndex(zone, 3), LINUX),
    exactly("unusable free index, order 4", 1000, unusableFreeIndex(zone, 4), LINUX),
    exactly("fragmentation index, order 3", -1000, fragmentationIndex(zone, 3), LINUX),
    exactly("fragmentation index, order 4", 889, fragmentationIndex(zone, 4), LINUX),
    exactly("fragmentation index, order 9", 980, fragmentationIndex(zone, 9), LINUX),
  ];
}

export const metricsTarget: Target = {
  name: "metrics",
  title: "Johnstone & Wilson's four measures and the indices of Linux, worked out by hand",
  quick: true,
  run: checks,
};
