/** The pictures of `fraglab pymalloc`. */
import { join } from "node:path";
import type { AfterOldest } from "../allocators/pymalloc/pins.js";
import type { PoolOccupancy } from "../allocators/pymalloc/pool-occupancy.js";
import { heapMap } from "../charts/heap-map.js";
import { renderPng, renderSvg } from "../charts/render.js";
import { sizeClasses } from "../charts/size-classes.js";
import { survivorCurve } from "../charts/survivors.js";
import { themes } from "../charts/theme.js";
import { countTicks } from "../charts/units.js";
import { canonicalJson, writeWhole } from "../harness/files.js";
import { type Table, tableOf } from "../harness/table.js";
import { version } from "../harness/version.js";

type TopLevelSpec = Parameters<typeof renderSvg>[0];

/** Writes a chart as `NAME.vl.json`, `NAME.svg` and `NAME.png`; the names of the files. */
async function writeChart(folder: string, name: string, spec: TopLevelSpec, provenance: object): Promise<string[]> {
  const svg = await renderSvg(spec, themes.screen, { fraglab: version, ...provenance });
  const base = join(folder, name);
  writeWhole(`${base}.vl.json`, `${canonicalJson(spec, 1)}\n`);
  writeWhole(`${base}.svg`, svg);
  writeWhole(`${base}.png`, await renderPng(svg));
  return ["vl.json", "svg", "png"].map((ending) => `${base}.${ending}`);
}

interface Pins {
  readonly allocator: string;
  readonly trace: string;
  readonly events: number;
  readonly occupancy: PoolOccupancy;
  readonly oldest: readonly AfterOldest[];
}

/** Draws pool occupancy by arena over time, and what returns when the oldest survivors go, into a folder. */
export async function drawPins(folder: string, pins: Pins): Promise<string[]> {
  const { allocator, trace, events, occupancy, oldest } = pins;
  const { width, height, slots, cells } = occupancy;
  const map = tableOf([
    {
      workload: trace,
      allocator,
      width,
      height,
      events: Math.max(1, events),
      bytes: slots,
      cells: Buffer.from(cells).toString("base64"),
    },
  ]);
  const curve = tableOf(
    oldest.map((row) => ({
      allocator,
      freed: row.freed,
      live: row.liveBytes,
      pools: row.poolBytes,
      arenas: row.arenaBytes,
    })),
  );
  const provenance = { allocator, trace, events };
  const occupancySpec = heapMap(map, {
    title: `Pools by arena: ${trace}`,
    subtitle: "one row a pool, from the first of the arena in each slot upwards",
    rows: { title: "arena slot", ticks: countTicks },
    shade: "share of the pool in use (white: no arena)",
  });
  const curveSpec = survivorCurve(curve, {
    title: "What the oldest survivors keep",
    subtitle: `${trace} after ${events} events`,
  });
  return [
    ...(await writeChart(folder, "occupancy", occupancySpec, provenance)),
    ...(await writeChart(folder, "pins", curveSpec, provenance)),
  ];
}

/** Draws the size classes of one or two heaps, one panel each, into a folder. */
export async function drawClasses(folder: string, table: Table, title: string, provenance: object): Promise<string[]> {
  const subtitle = "bytes in the pools of each class; live blocks count at the size of their class";
  return writeChart(folder, "classes", sizeClasses(table, { title, subtitle }), provenance);
}
