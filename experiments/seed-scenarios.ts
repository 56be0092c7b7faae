import { resolveGeometry } from "../allocators/pymalloc/geometry.js";
import { decomposition } from "../charts/decomposition.js";
import { layout } from "../charts/layout.js";
import { letterOf } from "../charts/layout-pieces.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Factors, type Tables } from "../harness/experiment.js";
import { filter } from "../harness/table.js";
import { kindsAt, recordsOf } from "../harness/views.js";
import { parseSelector } from "../memory/options.js";

/** The first of each line of CPython versions that place alike. */
const versions: Arms = {
  "CPython 3.7": "pymalloc:variant=cpython-3.7",
  "CPython 3.8": "pymalloc:variant=cpython-3.8",
  "CPython 3.9": "pymalloc:variant=cpython-3.9",
  "CPython 3.10": "pymalloc:variant=cpython-3.10",
};
const NEWEST = "CPython 3.10";
const STILL = "handle-table, no compaction";
const MOVING = "handle-table";

/** Both scenes last less than a millisecond of virtual time, so the controller looks at the heap at each safepoint. */
const allocators: Arms = {
  "first-fit": "first-fit",
  buddy: "buddy",
  ...versions,
  [STILL]: "handle-table:compact=none",
  [MOVING]: "handle-table:compact=slide,firstPoll=0,poll=0",
};
const order = Object.keys(allocators);

const THREE = "three-objects";
const MANY = "one-byte-objects";
const BEFORE = "512 allocated";
const AFTER = "511 freed";

/** Heaps of the first scene that are drawn: without compaction, a handle table places as first fit does. */
const drawn = ["first-fit", "buddy", NEWEST, MOVING];

/** Looks and layouts that belong to the scene: the session adds the peak, the end and evenly spaced ones. */
const isMark = (label: unknown): boolean => label !== "" && label !== "peak" && label !== "end";

const kib = (bytes: number): string => `${bytes / 1024}`;
const list = (values: readonly (string | number)[]): string =>
  values.length < 2 ? values.join("") : `${values.slice(0, -1).join(", ")} and ${values[values.length - 1]}`;
/** The one value of all, or the list of them. */
const same = (values: readonly (string | number)[]): string =>
  new Set(values).size === 1 ? `${values[0]}` : list(values);
const kept = (before: number, after: number): string => `${Math.round((100 * after) / before)} %`;

interface Block {
  readonly letter: string;
  readonly start: number;
  readonly end: number;
}

/** The live blocks of a heap at a moment of the first scene. */
function blocksAt(tables: Tables, allocator: string, label: string): Block[] {
  return recordsOf(tables.layouts)
    .filter((row) => row["allocator"] === allocator && row["label"] === label && row["kind"] === "live")
    .map((row) => ({
      letter: letterOf(Number(row["block"])),
      start: Number(row["start"]),
      end: Number(row["start"]) + Number(row["bytes"]),
    }));
}

const startOf = (blocks: readonly Block[], letter: string): number =>
  blocks.find((block) => block.letter === letter)?.start ?? Number.NaN;
const endOf = (blocks: readonly Block[]): number => Math.max(...blocks.map(({ end }) => end));

/** The hole of the first scene: who takes it, and what closing it saves against the same heap that does not move. */
function threeObjects(tables: Tables): string {
  const moments = [...new Set(recordsOf(tables.layouts).map((row) => String(row["label"])))].filter(isMark);
  const [first, , later, withD, withE] = moments;
  const taken = [...drawn, STILL].filter(
    (name) => startOf(blocksAt(tables, name, withE), "E") === startOf(blocksAt(tables, name, first), "B"),
  );
  const names = taken.map((name) => (name === STILL ? "the handle table without compaction" : name));
  const slid = startOf(blocksAt(tables, MOVING, first), "C") - startOf(blocksAt(tables, MOVING, later), "C");
  const saved = (moment: string): number =>
    endOf(blocksAt(tables, STILL, moment)) - endOf(blocksAt(tables, MOVING, moment));
  return (
    `The hole of B is too small for D and stays until E, as large as B, takes it: so in ${list(names)}. With compaction C ` +
    `slides down ${slid} bytes at the first safepoint, which saves ${saved(withD)} bytes of heap while D is the newest ` +
    `block and ${saved(withE)} when E is.`
  );
}

/** A number of one look at the second scene. */
function lookAt(tables: Tables, allocator: string, label: string, column: string): number {
  const look = recordsOf(tables.looks).find(
    (row) => row["workload"] === MANY && row["allocator"] === allocator && row["label"] === label,
  );
  return Number(look?.[column] ?? Number.NaN);
}

/** What the last of 512 objects holds: pools, arenas and bytes. */
function oneByteObjects(tables: Tables): string {
  const names = Object.keys(versions);
  const each = (label: string, column: string): number[] => names.map((name) => lookAt(tables, name, label, column));
  const geometry = names.map((name) => resolveGeometry(parseSelector(versions[name]).options));
  const meta = each(AFTER, "kind.meta");
  const arenas = each(AFTER, "mapped").map((mapped, i) => (mapped - meta[i]) / geometry[i].arena);
  const held = (name: string): string =>
    kept(lookAt(tables, name, BEFORE, "footprint"), lookAt(tables, name, AFTER, "footprint"));
  return (
    `512 objects of one byte take ${list(each(BEFORE, "headers"))} pools of ` +
    `${list(geometry.map(({ capacity }) => capacity[0]))} blocks in CPython ${list(names.map((name) => name.replace("CPython ", "")))}; the last of them holds ` +
    `${same(each(AFTER, "headers"))} pool and ${same(arenas)} arena, and ${same(names.map(held))} of the footprint of ` +
    `${list(each(BEFORE, "footprint").map(kib))} KiB. First fit keeps ${held("first-fit")} of its ` +
    `${kib(lookAt(tables, "first-fit", BEFORE, "footprint"))} KiB, the handle table ${held(STILL)} of its ` +
    `${kib(lookAt(tables, STILL, BEFORE, "footprint"))} KiB without compaction and ${held(MOVING)} with it.`
  );
}

/** Simulation without chance: the same in both profiles. */
const factors: Factors = {
  allocators,
  workloads: { [THREE]: "scenario", [MANY]: "scenario:scene=one-byte-objects" },
  seeds: 1,
};

export default defineExperiment({
  name: "seed-scenarios",
  title: "The scenes of the original question",
  question:
    "Objects whose address is their identity cannot move: does the hole between two of them stay, who takes it, and what does one survivor hold?",
  factors: { quick: factors, paper: factors },
  metrics: ["peakFootprint", "endFootprint"],
  skip({ allocator, workload }) {
    if (workload.label === THREE && allocator.label in versions && allocator.label !== NEWEST) {
      return `places the three objects as ${NEWEST} does, in smaller pools`;
    }
    if (workload.label === MANY && allocator.label === "buddy")
      return "the scene fills and empties pools, and a buddy system has none";
    return undefined;
  },
  settings: ({ workload }) => (workload.label === THREE ? { layouts: true } : {}),
  finding: (tables) => `${threeObjects(tables)} ${oneByteObjects(tables)}`,
  charts: [
    {
      name: "three-objects",
      caption:
        "Blocks A to E of 64, 64, 64, 128 and 64 bytes, byte by byte. Only the compacting heap closes the hole; its handle table, one page, lies elsewhere.",
      draw: (tables, theme) => {
        const { workload, allocator, label } = Object.fromEntries(tables.layouts.columns);
        const table = filter(
          tables.layouts,
          (row) => workload[row] === THREE && drawn.includes(String(allocator[row])) && isMark(label[row]),
        );
        return layout(table, {
          theme: themeNamed(theme),
          order: drawn,
          title: "Three objects, a hole, and who takes it",
        });
      },
    },
    {
      name: "one-byte-objects",
      caption:
        "Footprint of 512 objects of one byte, and of the last one when the other 511 have been freed. Meta is what finds the owner of an address: from CPython 3.10 on a radix tree.",
      draw: (tables, theme) => {
        const table = kindsAt(
          tables,
          ({ workload, label }) => workload === MANY && isMark(label),
          ({ label }) => label,
        );
        return decomposition(table, {
          theme: themeNamed(theme),
          order,
          measure: "bytes",
          title: "512 one-byte objects, and the one that stays",
        });
      },
    },
  ],
});
