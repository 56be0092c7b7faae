/**
 * The operations on which the real glibc was recorded: the same from their names alone, so that only the answers need
 * to be kept (`scripts/make-glibc-golden.ts`).
 */
import { randomFor } from "../../memory/random.js";
import type { GlibcOptions } from "./options.js";

export const GoldenOp = { malloc: 0, free: 1, realloc: 2, memalign: 3 } as const;

/** Records of four numbers: operation, slot, size, alignment. */
export type Operations = Int32Array;

/** What was recorded for each operation: place, usable bytes, pages below the break (see golden/drive.c). */
export const ANSWERS = 3;
/** The place of an operation that leaves nothing, a free. */
export const NOWHERE = -1000;

export interface GoldenRun {
  readonly name: string;
  readonly options: Partial<GlibcOptions>;
  readonly operations: Operations;
}

/**
 * Answers of all runs as the golden file has them: column by column, each value as the difference from the one before,
 * which compresses best.
 */
export function packAnswers(runs: readonly Int32Array[]): Uint8Array {
  const packed = new Int32Array(runs.reduce((sum, { length }) => sum + length, 0));
  let to = 0;
  for (const answers of runs) {
    for (let column = 0; column < ANSWERS; column++) {
      let before = 0;
      for (let at = column; at < answers.length; at += ANSWERS) {
        packed[to++] = answers[at] - before;
        before = answers[at];
      }
    }
  }
  return new Uint8Array(packed.buffer);
}

/** The inverse of `packAnswers`, for the golden runs. */
export function unpackAnswers(bytes: Uint8Array): Int32Array[] {
  const packed = new Int32Array(bytes.slice().buffer);
  let from = 0;
  return goldenRuns.map(({ operations }) => {
    const answers = new Int32Array((operations.length / 4) * ANSWERS);
    for (let column = 0; column < ANSWERS; column++) {
      let value = 0;
      for (let at = column; at < answers.length; at += ANSWERS) {
        value += packed[from++];
        answers[at] = value;
      }
    }
    return answers;
  });
}

type Draw = (below: number) => number;

/** Sizes whose magnitude is drawn first: as many from 16 to 32 as from 1024 to 2048. */
const spread =
  (least: number, most: number) =>
  (draw: Draw): number => {
    const top = least << draw(32 - Math.clz32(most / least));
    return Math.min(most, top + draw(top));
  };

interface Churn {
  readonly length: number;
  readonly live: number;
  readonly size: (draw: Draw) => number;
  /** One operation in so many is a realloc, a memalign; 0: none. */
  readonly reallocs?: number;
  readonly aligned?: number;
}

/** Grows to `live` blocks and down to none twice, with random victims. */
function churn(name: string, { length, live, size, reallocs = 0, aligned = 0 }: Churn): Operations {
  const random = randomFor(`glibc-golden/${name}`, 1);
  const draw: Draw = (below) => random.below(below);
  const records = new Int32Array(4 * length);
  const held: number[] = [];
  const unused = Array.from({ length }, (_, i) => length - 1 - i);
  for (let i = 0; i < length; i++) {
    const phase = (i * 4) / length;
    const growing = phase % 2 < 1 ? draw(live) >= held.length : draw(8) === 0;
    const pick = draw(Math.max(1, held.length));
    let record: number[];
    if (growing || held.length === 0) {
      const slot = unused.pop() ?? 0;
      held.push(slot);
      // To a page at most: where a heap starts beyond that is up to the kernel.
      const align = aligned > 0 && draw(aligned) === 0 ? 32 << draw(8) : 0;
      record = [align > 0 ? GoldenOp.memalign : GoldenOp.malloc, slot, size(draw), align];
    } else if (reallocs > 0 && draw(reallocs) === 0) {
      record = [GoldenOp.realloc, held[pick], Math.max(1, size(draw)), 0];
    } else {
      const slot = held[pick];
      held[pick] = held[held.length - 1];
      held.pop();
      unused.push(slot);
      record = [GoldenOp.free, slot, 0, 0];
    }
    records.set(record, 4 * i);
  }
  return records;
}

/** 4000 blocks of 1000 bytes, freed from the top down: the chunks that the thread cache keeps hold the break. */
function fillAndFree(): Operations {
  const records = new Int32Array(4 * 8000);
  for (let i = 0; i < 4000; i++) {
    records.set([GoldenOp.malloc, i, 1000, 0], 4 * i);
    records.set([GoldenOp.free, i, 0, 0], 4 * (7999 - i));
  }
  return records;
}

const small = (draw: Draw): number => draw(600);
const mixed = spread(8, 65536);
const large = spread(65536, 4194304);

/** Every recorded run. */
export const goldenRuns: readonly GoldenRun[] = [
  { name: "small", options: {}, operations: churn("small", { length: 6000, live: 800, size: small }) },
  {
    name: "mixed",
    options: {},
    operations: churn("mixed", { length: 8000, live: 600, size: mixed, reallocs: 4 }),
  },
  {
    name: "large",
    options: {},
    operations: churn("large", { length: 3000, live: 40, size: large, reallocs: 4, aligned: 8 }),
  },
  {
    name: "aligned",
    options: {},
    operations: churn("aligned", { length: 5000, live: 400, size: spread(8, 4096), reallocs: 6, aligned: 3 }),
  },
  {
    name: "no-tcache",
    options: { tcacheCount: 0 },
    operations: churn("no-tcache", { length: 6000, live: 600, size: mixed, reallocs: 5 }),
  },
  {
    name: "no-caches",
    options: { tcacheCount: 0, mxfast: 0 },
    operations: churn("no-caches", { length: 5000, live: 500, size: small, reallocs: 5 }),
  },
  {
    name: "fast-bins",
    options: { tcacheCount: 2, mxfast: 160 },
    operations: churn("fast-bins", { length: 6000, live: 800, size: spread(8, 2048), aligned: 20 }),
  },
  {
    name: "fixed-thresholds",
    options: { dynamic: false, mmapThreshold: 32768, trimThreshold: 65536, topPad: 0 },
    operations: churn("fixed-thresholds", { length: 5000, live: 200, size: mixed, reallocs: 5 }),
  },
  { name: "top-down", options: {}, operations: fillAndFree() },
  { name: "top-down-no-tcache", options: { tcacheCount: 0 }, operations: fillAndFree() },
];
