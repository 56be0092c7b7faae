/** The life of every block of a trace, for tests of generators. */
import { OP_MASK, Op, type Trace } from "./trace.js";

export interface Block {
  readonly size: number;
  /** Event of the allocation, and how many blocks were allocated before. */
  readonly event: number;
  readonly birth: number;
  readonly thread: number;
  /** Event of the free, births until then, and the thread that frees; Infinity and -1 where it is never freed. */
  readonly freedEvent: number;
  readonly death: number;
  readonly freedBy: number;
}

/** All blocks in the order of birth. Reallocations leave the size as it was. */
export function blocksOf(trace: Trace): Block[] {
  const blocks: { -readonly [Key in keyof Block]: Block[Key] }[] = [];
  const inSlot = new Map<number, number>();
  const { at, id } = trace.threads;
  let thread = 0;
  let next = 0;
  for (let event = 0; event < trace.length; event++) {
    while (next < at.length && (at[next] ?? 0) <= event) thread = id[next++] ?? 0;
    const code = trace.op[event] & OP_MASK;
    const slot = trace.slot[event];
    if (code === Op.allocate) {
      inSlot.set(slot, blocks.length);
      const birth = blocks.length;
      const never = Number.POSITIVE_INFINITY;
      blocks.push({ size: trace.size[event], event, birth, thread, freedEvent: never, death: never, freedBy: -1 });
    } else if (code === Op.free) {
      const block = blocks[inSlot.get(slot) as number] as (typeof blocks)[number];
      block.freedEvent = event;
      block.death = blocks.length;
      block.freedBy = thread;
    }
  }
  return blocks;
}

/** The event of the first mark with a label. */
export function markOf(trace: Trace, label: string): number {
  const index = trace.labels.indexOf(label);
  return trace.op.findIndex((op, i) => (op & OP_MASK) === Op.phase && trace.slot[i] === index);
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The middle value. */
export const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
