/** From cell results to tables, in the order of the plan. */
import { costNames } from "../memory/costs.js";
import { kindNames } from "../memory/heap-map.js";
import type { OptionValue } from "../memory/options.js";
import type { Cell } from "./arm.js";
import type { CellResult } from "./cell.js";
import type { Tables } from "./experiment.js";
import { metrics } from "./metrics/registry.js";
import type { Snapshot } from "./metrics/snapshot.js";
import { tableAgeOf } from "./metrics/table-ageing.js";
import { type TableRecord, tableOf } from "./table.js";

/** A cell that ran, or was skipped. */
export interface RunCell {
  readonly cell: Cell;
  readonly digest: string;
  readonly result: CellResult | undefined;
}

const factors = ({ cell }: RunCell): Record<string, string | number> => ({
  workload: cell.workload.label,
  allocator: cell.allocator.label,
  seed: cell.seed,
});

/** Every option with its value, defaults too: a selector leaves those out, and defaults change between versions. */
const resolved = (options: object): string =>
  Object.entries(options as Record<string, OptionValue>)
    .map(([name, value]) => `${name}=${value}`)
    .join(",");

function cellRow(run: RunCell): TableRecord {
  const { cell, result } = run;
  const value = (of: number | null | undefined): number => of ?? Number.NaN;
  return {
    ...factors(run),
    workloadSpec: cell.workload.selector,
    allocatorSpec: cell.allocator.selector,
    workloadOptions: resolved(cell.workload.options),
    allocatorOptions: resolved(cell.allocator.options),
    trace: run.digest,
    outcome: result?.state ?? "skipped",
    reason: cell.skipped ?? "",
    events: result?.events ?? 0,
    ...Object.fromEntries(metrics.map(({ name }) => [name, value(result?.metrics[name])])),
    ...Object.fromEntries(costNames.map((name) => [`cost.${name}`, value(result?.costs[name])])),
  };
}

/** Entries of the handle table, those without an object, and bytes for each live one; NaN without a table. */
function ageOf(look: Snapshot, options: Cell["allocator"]["options"]): TableRecord {
  const age = tableAgeOf(look, options);
  return {
    tableSlots: age?.slots ?? Number.NaN,
    tableHoles: age?.holes ?? Number.NaN,
    tablePerLive: age?.bytesPerLive ?? Number.NaN,
  };
}

/** The tables of an experiment. */
export function tabulate(runs: readonly RunCell[]): Tables {
  const ran = runs.filter((run): run is RunCell & { result: CellResult } => run.result !== undefined);
  return {
    cells: tableOf(runs.map(cellRow)),
    series: tableOf(
      ran.flatMap((run) => {
        const { event, allocated, live, footprint } = run.result.series;
        return event.map((_, i) => ({
          ...factors(run),
          event: event[i],
          allocated: allocated[i],
          live: live[i],
          footprint: footprint[i],
        }));
      }),
    ),
    looks: tableOf(
      ran.flatMap((run) =>
        run.result.snapshots.map((look) => ({
          ...factors(run),
          event: look.event,
          label: look.label,
          allocated: look.allocated,
          live: look.live,
          liveBlocks: look.liveBlocks,
          footprint: look.footprint,
          mapped: look.mapped,
          freeBytes: look.freeBytes,
          freeRuns: look.freeRuns,
          largestFree: look.largestFree,
          external: look.external,
          internal: look.internal,
          headers: look.headers,
          ...ageOf(look, run.cell.allocator.options),
          ...Object.fromEntries(kindNames.map((kind) => [`kind.${kind}`, look.kinds[kind]])),
        })),
      ),
    ),
    maps: tableOf(
      ran.flatMap((run) => {
        const map = run.result.occupancy;
        if (map === undefined) return [];
        return [
          {
            ...factors(run),
            width: map.width,
            height: map.height,
            events: map.events[map.events.length - 1] ?? 0,
            bytes: map.extent,
            cells: map.cells,
          },
        ];
      }),
    ),
    layouts: tableOf(
      ran.flatMap((run) =>
        (run.result.layouts ?? []).flatMap(({ label, pieces }) =>
          pieces.map((piece) => ({ ...factors(run), label, ...piece })),
        ),
      ),
    ),
  };
}
