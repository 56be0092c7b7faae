import { curves } from "../charts/curves.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, tableOf } from "../harness/table.js";
import { cellValue, recordsOf } from "../harness/views.js";

const orders = { "last in, first out": "lifo", "first in, first out": "fifo", "lowest first": "lowest" } as const;
type Order = keyof typeof orders;
const orderNames = Object.keys(orders) as Order[];

const labelOf = (order: Order, goes: boolean): string => (goes ? `${order}, pages can go` : order);
const arms: Arms = Object.fromEntries(
  [false, true].flatMap((goes) =>
    orderNames.map((order) => [
      labelOf(order, goes),
      `handle-table:freeOrder=${orders[order]}${goes ? ",releaseTablePages=true" : ""}`,
    ]),
  ),
);

const LEFT = 0.05;
const WORKLOAD = "a peak, a drain to 5 %, twenty turnovers";
const workloadOf = (live: number): Arms => ({ [WORKLOAD]: `drain:live=${live},left=${LEFT},turnovers=20` });

const panels = { false: "pages of the table stay", true: "pages without a live entry can go" } as const;

/** A value of the looks over the run: a panel for tables that grow only and one for those that shrink. */
function course(tables: Tables, of: (look: Record<string, string | number>) => number): Table {
  const looks = recordsOf(tables.looks).filter(
    (look) => look["seed"] === 1 && look["label"] !== "peak" && Number(look["liveBlocks"]) > 0,
  );
  return tableOf(
    ([false, true] as const).flatMap((goes) =>
      orderNames.flatMap((order) =>
        looks
          .filter((look) => look["allocator"] === labelOf(order, goes) && Number.isFinite(of(look)))
          .map((look) => ({ workload: panels[`${goes}`], allocator: order, x: Number(look["event"]), y: of(look) })),
      ),
    ),
  );
}

function finding(tables: Tables): string {
  const at = (label: string, metric: string): number => cellValue(tables, WORKLOAD, label, metric);
  const stays = at(orderNames[0], "tablePerLiveAtEnd");
  const same = orderNames.every((order) => at(order, "tablePerLiveAtEnd") === stays);
  const each = (metric: string, digits: number): string =>
    orderNames.map((order) => `${at(labelOf(order, true), metric).toFixed(digits)} (${order})`).join(", ");
  const [first] = orderNames;
  const holes = at(first, "tableHolesAtEnd") / at(first, "tableSlotsAtEnd");
  return (
    `A table that only grows has ${stays.toFixed(0)} bytes for each live object after the drain, against ` +
    `${at(first, "tablePerLiveAtPeak").toFixed(1)} at the peak, ${same ? "in whatever order entries are reused" : "or so"}: ` +
    `${(100 * holes).toFixed(0)} % of its entries are empty. If a page without a live entry can go, the bytes at the end are ` +
    `${each("tablePerLiveAtEnd", 1)}. The floor is the entry itself, 8 bytes.`
  );
}

export default defineExperiment({
  name: "handle-table-ageing",
  title: "How a handle table ages",
  question: "After a peak, how much table does each object that is left pay for, and can the table shrink?",
  factors: {
    quick: { allocators: arms, workloads: workloadOf(100_000), seeds: 1 },
    paper: { allocators: arms, workloads: workloadOf(2_000_000), seeds: 1 },
  },
  metrics: ["tablePerLiveAtPeak", "tablePerLiveAtEnd", "tableSlotsAtEnd", "tableHolesAtEnd"],
  settings: () => ({ looks: 33 }),
  finding,
  charts: [
    {
      name: "bytes-per-live-object",
      caption: "Bytes of the pages of the handle table for each live object, over the run.",
      draw: (tables, theme) =>
        curves(
          course(tables, (look) => Number(look["tablePerLive"])),
          {
            theme: themeNamed(theme),
            order: orderNames,
            title: "Handle table, bytes for each live object",
            x: { title: "events", quantity: "count", scale: "linear" },
            y: { title: "bytes / live object", quantity: "count", scale: "linear" },
          },
        ),
    },
    {
      name: "holes",
      caption: "Share of the table's entries that have no object, over the run.",
      draw: (tables, theme) =>
        curves(
          course(tables, (look) => Number(look["tableHoles"]) / Number(look["tableSlots"])),
          {
            theme: themeNamed(theme),
            order: orderNames,
            title: "Empty entries of the handle table",
            x: { title: "events", quantity: "count", scale: "linear" },
            y: { title: "share of the entries", quantity: "share", scale: "linear" },
          },
        ),
    },
  ],
});
