/**
 * Metrics of where blocks lie, of snapshots: the two fragmentation ratios of Anchorage, and how much of the free memory can
 * serve a request. Not defined for an allocator without placement, except against what was asked for.
 */
import type { Metric } from "./metric.js";
import type { PlacementShape, Snapshot } from "./snapshot.js";

const EXTENT = "Wanninger et al., Alaska, ASPLOS 2024: Anchorage's trigger";
const RESIDENCE = "Powers et al., Mesh, PLDI 2019: resident over active bytes, as Redis looks at it";
const SHAPE = "docs/metrics.md, Placement";

const over = (a: number, b: number): number => (b > 0 ? a / b : Number.NaN);

type Moment = "peak" | "end";

function atMoment(label: Moment, of: (look: Snapshot) => number): Metric["of"] {
  return (result) => {
    const look = result.snapshots.findLast((snapshot) => snapshot.label === label);
    return look === undefined ? Number.NaN : of(look);
  };
}

const placed =
  (of: (placement: PlacementShape, look: Snapshot) => number) =>
  (look: Snapshot): number =>
    look.placement === undefined ? Number.NaN : of(look.placement, look);

function metricsAt(label: Moment): Metric[] {
  const when = label === "peak" ? "when live is largest" : "at the end";
  const suffix = label === "peak" ? "AtPeak" : "AtEnd";
  const available = (name: string, size: string, formula: string, of: (p: PlacementShape) => number): Metric => ({
    name: `${name}${suffix}`,
    title: `Availability for ${size} ${when}`,
    unit: "share",
    clock: "-",
    formula,
    source: SHAPE,
    of: atMoment(
      label,
      placed((placement, look) => over(of(placement), look.freeBytes)),
    ),
  });
  return [
    {
      name: `fExt${suffix}`,
      title: `F_ext of Anchorage ${when}: extent`,
      unit: "x",
      clock: "-",
      formula: "bytes from the bottom of the heap to the end of its highest block / bytes in blocks, headers included",
      source: EXTENT,
      of: atMoment(
        label,
        placed(({ extent, blockBytes }) => over(extent, blockBytes)),
      ),
    },
    {
      name: `fRes${suffix}`,
      title: `F_res of Anchorage ${when}: residence`,
      unit: "x",
      clock: "-",
      formula: "F / L",
      source: RESIDENCE,
      of: atMoment(label, ({ footprint, live }) => over(footprint, live)),
    },
    available(
      "available4K",
      "4 KiB",
      "free bytes in runs of at least 4 KiB / free bytes",
      ({ availableFor4K }) => availableFor4K,
    ),
    available(
      "availableMean",
      "the mean size",
      "free bytes in runs of at least m / free bytes, m = bytes allocated / objects allocated so far",
      ({ availableForMean }) => availableForMean,
    ),
  ];
}

/** In the order of the columns of table.csv. */
export const placementMetrics: readonly Metric[] = [...metricsAt("peak"), ...metricsAt("end")];
