import { log2Floor } from "../memory/exact-math.js";
import { OP_MASK, Op, type Trace } from "./trace.js";

/** A cumulated distribution: the shares of all blocks, and of all their bytes, that have at most so much. */
export interface Cumulated {
  readonly value: readonly number[];
  readonly blocks: readonly number[];
  readonly bytes: readonly number[];
}

/** What a picture of a trace shows, thinned to what the eye can see. */
export interface TracePortrait {
  /** Sizes of allocations in bytes. */
  readonly sizes: Cumulated;
  /** Bytes allocated from birth to free, its own included. What is never freed has no end: then the shares end below 1. */
  readonly lifetimes: Cumulated;
  /** The most bytes live within each stretch of the trace, and the event at which it begins. */
  readonly live: { readonly event: readonly number[]; readonly bytes: readonly number[] };
}

/** Steps of a distribution that are kept apart for each power of two: a sixteenth is less than a pixel. */
const STEPS = 16;
const STRETCHES = 400;

/** The step that a whole number below 2^53 falls into: up to 15 one for each, then 16 for each power of two. */
function stepOf(value: number): number {
  if (value < STEPS) return value;
  const power = log2Floor(value);
  return (power - 3) * STEPS + Math.floor((value / lowest[power] - 1) * STEPS);
}

/** Powers of two, by exponent. */
const lowest = new Float64Array(54);
for (let power = 0, value = 1; power < lowest.length; power++, value *= 2) lowest[power] = value;

/** The largest whole number of a step. */
function endOf(step: number): number {
  if (step < STEPS) return step;
  const power = Math.floor(step / STEPS) + 3;
  return lowest[power] * (1 + ((step % STEPS) + 1) / STEPS) - 1;
}

/** Blocks and bytes by step. */
class Steps {
  private readonly blocks = new Float64Array(54 * STEPS);
  private readonly bytes = new Float64Array(54 * STEPS);

  add(value: number, bytes: number): void {
    const step = stepOf(value);
    this.blocks[step]++;
    this.bytes[step] += bytes;
  }

  /** Shares of so many blocks and bytes. */
  cumulated(allBlocks: number, allBytes: number): Cumulated {
    const value: number[] = [];
    const blocks: number[] = [];
    const bytes: number[] = [];
    let blocksSoFar = 0;
    let bytesSoFar = 0;
    this.blocks.forEach((count, step) => {
      if (count === 0) return;
      blocksSoFar += count;
      bytesSoFar += this.bytes[step];
      value.push(endOf(step));
      blocks.push(blocksSoFar / allBlocks);
      bytes.push(allBytes === 0 ? 0 : bytesSoFar / allBytes);
    });
    return { value, blocks, bytes };
  }
}

/** Walks a trace once. The sizes are those of allocations, the bytes of a lifetime those that the block had at its end. */
export function portraitOf(trace: Trace): TracePortrait {
  const sizes = new Steps();
  const lifetimes = new Steps();
  const size = new Float64Array(trace.slots);
  const birth = new Float64Array(trace.slots);
  const stretch = Math.max(1, Math.ceil(trace.length / STRETCHES));
  const event: number[] = [];
  const bytes: number[] = [];
  let blocks = 0;
  let asked = 0;
  let allocated = 0;
  let ended = 0;
  let live = 0;
  let most = 0;
  for (let i = 0; i < trace.length; i++) {
    if (i % stretch === 0) {
      if (i > 0) bytes.push(most);
      event.push(i);
      most = live;
    }
    const code = trace.op[i] & OP_MASK;
    const slot = trace.slot[i];
    if (code === Op.allocate) {
      blocks++;
      asked += trace.size[i];
      sizes.add(trace.size[i], trace.size[i]);
      birth[slot] = allocated;
      size[slot] = trace.size[i];
      live += size[slot];
      allocated += size[slot];
    } else if (code === Op.reallocate) {
      const grown = trace.size[i] - size[slot];
      live += grown;
      allocated += Math.max(0, grown);
      size[slot] = trace.size[i];
    } else if (code === Op.free) {
      ended += size[slot];
      lifetimes.add(allocated - birth[slot], size[slot]);
      live -= size[slot];
    }
    if (live > most) most = live;
  }
  if (trace.length > 0) bytes.push(most);
  return {
    sizes: sizes.cumulated(blocks, asked),
    lifetimes: lifetimes.cumulated(blocks, ended + live),
    live: { event, bytes },
  };
}
