import { curves } from "../charts/curves.js";
import { themeNamed } from "../charts/theme.js";
import { type Arms, defineExperiment, type Tables } from "../harness/experiment.js";
import { type Table, tableOf } from "../harness/table.js";
import { cellValue } from "../harness/views.js";

const allocators: Arms = {
  "CPython 3.8: none kept, 256 KiB": "pymalloc:variant=cpython-3.8",
  "CPython 3.9: one kept, 256 KiB": "pymalloc:variant=cpython-3.9",
  "none kept, 1 MiB": "pymalloc:variant=cpython-3.10,keep=no",
  "CPython 3.10: one kept, 1 MiB": "pymalloc:variant=cpython-3.10",
};
const [NONE_256, ONE_256] = Object.keys(allocators);

const BLOCK = 64;
const kibibytes = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096];
/** The rate is that of the loops after the first few, in which memory is mapped that stays. */
const FEW = 3;
const MANY = 9;

/** Fills so many KiB with blocks of one size and frees them all, so many times. */
function loop(kib: number, times: number): string {
  const live = (kib * 1024) / BLOCK;
  return `sawtooth:live=${live},survivors=0,sizes=fixed,events=${times * (2 * live + 2)}`;
}
const labelOf = (kib: number, times: number): string => `${kib} KiB, ${times} times`;

const workloads = (many: number): Arms =>
  Object.fromEntries(
    kibibytes.flatMap((kib) => [FEW, many].map((times) => [labelOf(kib, times), loop(kib, times)] as const)),
  );

/** Calls that map and unmap, a loop, once memory is warm. */
export function callsPerLoop(tables: Tables, allocator: string, kib: number): number {
  const calls = (times: number): number => cellValue(tables, labelOf(kib, times), allocator, "cost.osCalls");
  const many = [MANY, 10 * MANY].find((times) => Number.isFinite(calls(times))) ?? Number.NaN;
  return (calls(many) - calls(FEW)) / (many - FEW);
}

function rates(tables: Tables): Table {
  return tableOf(
    kibibytes.flatMap((kib) =>
      Object.keys(allocators).map((allocator) => ({
        workload: "fill and free blocks of 64 bytes",
        allocator,
        x: kib * 1024,
        y: callsPerLoop(tables, allocator, kib),
      })),
    ),
  );
}

function finding(tables: Tables): string {
  const sizes = (of: (kib: number) => boolean): string => {
    const found = kibibytes.filter(of);
    return found.length === 0 ? "none" : `${found[0]} to ${found[found.length - 1]} KiB`;
  };
  const saved = kibibytes.map((kib) => callsPerLoop(tables, NONE_256, kib) - callsPerLoop(tables, ONE_256, kib));
  const each = [...new Set(saved)];
  const largest = kibibytes[kibibytes.length - 1];
  const at = Object.keys(allocators).map((allocator) => `${callsPerLoop(tables, allocator, largest)} (${allocator})`);
  return (
    `The kept arena saves ${each.join(" or ")} calls of the system a loop, whatever its size. Loops over ` +
    `${sizes((kib) => callsPerLoop(tables, ONE_256, kib) === 0)} make none in 3.9, loops over ` +
    `${sizes((kib) => callsPerLoop(tables, NONE_256, kib) > 0)} make some in 3.8. At ${largest / 1024} MiB a loop makes ` +
    `${at.join(", ")}.`
  );
}

export default defineExperiment({
  name: "arena-thrash",
  title: "Arenas mapped and unmapped in a loop",
  question:
    "How often does a loop that fills and frees memory go to the system, and what does one kept empty arena change?",
  factors: {
    quick: { allocators, workloads: workloads(MANY), seeds: 1 },
    paper: { allocators, workloads: workloads(10 * MANY), seeds: 1 },
  },
  metrics: ["peakMapped", "endMapped", "endFootprint"],
  settings: () => ({ looks: 1 }),
  finding,
  charts: [
    {
      name: "calls",
      caption: "Calls of the system that map or unmap memory in each loop, by the bytes that a loop fills and frees.",
      draw: (tables, theme) =>
        curves(rates(tables), {
          theme: themeNamed(theme),
          order: Object.keys(allocators),
          title: "Calls of the system in each loop",
          x: { title: "bytes that a loop fills and frees", quantity: "bytes", scale: "log" },
          y: { title: "calls / loop", quantity: "count", scale: "linear" },
        }),
    },
  ],
});
