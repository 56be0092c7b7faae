/** Made-up but plausible tables for the tests of the charts. Nothing here is a result. */
import { type Table, type TableRecord, tableOf } from "../harness/table.js";

/** Four allocators and six workloads, with names as long as they come. */
export const allocators = ["pymalloc", "first-fit", "buddy", "handle-table (slide)"];
export const workloads = [
  "redis-insert-delete",
  "recorded/git-repack-mt",
  "recorded/python-ast-walk",
  "adversarial/robson (m=16384, n=256)",
  "sessions",
  "web-cache (zipf 0.99)",
];

/** A fraction from two integers, the same on every machine. */
const noise = (a: number, b: number): number =>
  ((Math.imul(a * 2654435 + 17, b * 40503 + 91) >>> 8) & 0xffff) / 0x10000;

/** Columns of the timeline and the fragmentation chart; `points` rows a line. */
export function lineTable(points = 100): Table {
  const records: TableRecord[] = [];
  workloads.forEach((workload, w) => {
    const total = [3e9, 8e8, 4.2e7, 9e6, 1.3e10, 2.1e8][w];
    const peak = [105e6, 620e6, 9.5e6, 4e6, 2.4e9, 31e6][w];
    allocators.forEach((allocator, a) => {
      for (let i = 0; i < points; i++) {
        const t = i / (points - 1);
        const load =
          w === 0 ? (t < 0.5 ? 2 * t : 0.45) : Math.min(1, 6 * t) * (0.7 + 0.3 * Math.abs(((7 * t) % 2) - 1));
        const live = Math.round(peak * load * (0.93 + 0.07 * noise(i, w)));
        const waste =
          [1.12, 1.3, 1.45, 1.04][a] + (w === 0 && t > 0.5 ? [0.9, 1.1, 1.2, 0.1][a] : 0) + 0.1 * noise(i, a);
        const footprint = Math.max(65536, Math.round((live * waste) / 4096) * 4096);
        records.push({
          workload,
          allocator,
          event: Math.round((t * total) / 900),
          bytes: Math.round(t * total),
          live,
          footprint,
        });
      }
    });
  });
  return tableOf(records);
}

/** Columns of the decomposition: each workload's live bytes are 64 MiB times its number. */
export function kindTable(): Table {
  const share = { live: 1, padding: 0.07, header: 0.03, tail: 0.015, free: 0.4, fresh: 0.06, meta: 0.02, table: 0 };
  const records: TableRecord[] = [];
  workloads.forEach((workload, w) => {
    allocators.forEach((allocator, a) => {
      for (const [kind, part] of Object.entries(share)) {
        const factor = kind === "live" ? 1 : kind === "table" ? (a === 3 ? 1 : 0) : 0.3 + noise(a + 1, w + 2) * 1.4;
        const bytes = Math.round(67108864 * (w + 1) * (kind === "table" ? 0.09 : part) * factor);
        records.push({ workload, allocator, kind, bytes });
      }
    });
  });
  return tableOf(records);
}

/** Columns of the bars, with an interval for every second workload. */
export function barTable(): Table {
  const records: TableRecord[] = [];
  [...workloads, "geometric mean"].forEach((workload, w) => {
    allocators.forEach((allocator, a) => {
      const value = [1.31, 1.62, 1.94, 1.07][a] * (0.85 + 0.5 * noise(w, a)) * (w === 3 && a === 2 ? 2.6 : 1);
      const half = w % 2 === 0 ? 0.06 : Number.NaN;
      records.push({ workload, allocator, value, lo: value * (1 - half), hi: value * (1 + half) });
    });
  });
  return tableOf(records);
}

/** Columns of the curve of survivors; the last point is that of an empty heap with an arena left. */
export function survivorTable(points = 40): Table {
  return tableOf(
    allocators.slice(0, 3).flatMap((allocator, a) =>
      Array.from({ length: points }, (_, i) => {
        const left = 1 - i / (points - 1);
        const live = Math.round(3e6 * left);
        const pools = Math.round(9e6 * Math.min(1, left * (1.2 + a / 2)));
        const arenas = Math.max(1, Math.ceil((10 + a) * Math.min(1, 2 * left))) * 1048576;
        return { workload: workloads[0], allocator, freed: i * 2000, live, pools, arenas };
      }),
    ),
  );
}

/** Columns of the size classes of two heaps. */
export function classTable(): Table {
  return tableOf(
    allocators.slice(0, 2).flatMap((allocator, a) =>
      Array.from({ length: 32 }, (_, c) => (c + 1) * 16).flatMap((size) =>
        Object.entries({ live: 0.8, header: 0.01, tail: 0.02, free: 0.17 }).map(([kind, share]) => {
          const bytes = Math.round(4e5 * share * (0.1 + noise(size, a)));
          return { workload: workloads[0], allocator, size, kind, bytes };
        }),
      ),
    ),
  );
}

/** Columns of the heap map, one row for each allocator on two workloads; row 0 of the cells is the lowest address. */
export function heapTable(width = 240, height = 120): Table {
  const records: TableRecord[] = [];
  for (const workload of workloads.slice(0, 2)) {
    allocators.forEach((allocator, a) => {
      const cells = new Uint8Array(width * height);
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          const mapped = height * Math.min(1, (2.2 * x) / width) * (a === 3 && x > width / 2 ? 0.6 : 1);
          const live = x < width / 2 ? 0.95 : 0.25 + 0.75 * noise(y, a) * (a === 3 ? 1.4 : 0.8);
          cells[y * width + x] =
            y < mapped ? 1 + Math.round(254 * Math.min(1, live * (0.9 + 0.1 * noise(x >> 3, y)))) : 0;
        }
      }
      const base = { workload, allocator, width, height, events: 3_400_000, bytes: 180e6 };
      records.push({ ...base, cells: Buffer.from(cells).toString("base64") });
    });
  }
  return tableOf(records);
}

/** Columns of the curves: a line for each allocator, and a point with an interval at every fourth place of it. */
export function curveTable(): Table {
  const records: TableRecord[] = [];
  for (const workload of workloads) {
    allocators.forEach((allocator, a) => {
      for (let i = 0, x = 1e-5; i < 20; i++, x *= 1.6) {
        const line = 1 - 1 / (1 + (a + 1) * 500 * x);
        const y = i % 4 === 0 ? line : Number.NaN;
        records.push({ workload, allocator, x, y, line, lo: 0.9 * y, hi: 1.1 * y });
      }
    });
  }
  return tableOf(records);
}

/** Columns of the matrix, with a cell that is missing. */
export function matrixTable(): Table {
  const sizes = ["64 KiB", "256 KiB", "1 MiB", "4 MiB"];
  return tableOf(
    workloads.flatMap((workload, w) =>
      ["4 KiB", "16 KiB", "64 KiB"].flatMap((row, r) =>
        sizes.flatMap((allocator, c) =>
          r === 2 && c === 0 ? [] : [{ workload, allocator, row, value: 5 + 10 * noise(w * 7 + r, c) }],
        ),
      ),
    ),
  );
}

const shares = [0, 0.1, 0.5, 1, 2, 5, 10, 20, 50];

/** Columns of the points of the chart of bounds: each falls from 4 to 1. */
export function pointTable(): Table {
  return tableOf(
    workloads.flatMap((workload, w) =>
      allocators.flatMap((allocator, a) =>
        shares.map((x, i) => ({
          workload,
          allocator,
          x,
          value: 1 + (3 - 0.2 * a) / (1 + x * (1 + w)) + 0.05 * noise(i, a),
        })),
      ),
    ),
  );
}

/** Columns of its lines. */
export function boundTable(): Table {
  return tableOf(
    workloads.flatMap((workload) =>
      shares.flatMap((x) => [
        { workload, bound: "lower", x, value: 1 },
        { workload, bound: "upper", x, value: 4.2 },
      ]),
    ),
  );
}
