/**
 * One block of a trace file, before deflate: the columns of up to `BLOCK_EVENTS` events, each column by itself because like bytes
 * side by side deflate best.
 *
 *   block  := column lengths, op, ref, size, count, label, thread [, site, name]      (numbers are varints)
 *   op     := the op bytes of the trace
 *   ref    := for each event that names a live block, which one (below)
 *   size   := sizes of allocate and reallocate;  count := counts of access
 *   label  := for each phase its index, and where the index is new (labels are numbered as they appear) bytes, text
 *   thread := for each switch the events since the one before, and the thread id
 *   site   := for each allocate and reallocate its site;  name := for each site named since the last block bytes, text
 *
 * An allocation has no slot in the file, since slots follow from the order of events. A ref is the birth number of the block (its
 * rank among all allocations) as the difference to the ref before, zigzag, plus one: programs free in the order in which
 * they allocate, or in the reverse. The last 2^20 births can be named so; 0 and the slot itself name an older block.
 */
import { InputError } from "../memory/errors.js";
import { staleFault } from "./file-errors.js";
import { SlotStack } from "./slot-stack.js";
import { OP_MASK, Op, type Trace } from "./trace.js";
import { VarintWriter } from "./varint.js";

/** Events in a block, the last one excepted. */
export const BLOCK_EVENTS = 131072;
/** Births that a ref can name. */
export const WINDOW = 1 << 20;
/** Columns of a block. */
export const COLUMNS = 6;
/** The last two exist only in traces with sites (version 2 of the file). */
export const COLUMNS_WITH_SITES = 8;

/** Encodes the blocks of one trace, in order. */
export class BlockEncoder {
  private readonly trace: Trace;
  private readonly births: Float64Array;
  private readonly stack: SlotStack;
  private readonly columns = [
    new VarintWriter(),
    new VarintWriter(),
    new VarintWriter(),
    new VarintWriter(),
    new VarintWriter(),
    new VarintWriter(),
    new VarintWriter(),
    new VarintWriter(),
  ] as const;
  private readonly lengths = new VarintWriter();
  private born = 0;
  private lastRef = 0;
  private labels = 0;
  private switches = 0;
  private lastSwitch = 0;

  constructor(trace: Trace) {
    this.trace = trace;
    this.births = new Float64Array(trace.slots);
    this.stack = new SlotStack(trace.slots);
  }

  /**
   * The block of events [start, end) in its parts, the column lengths and each column: valid until the next call. Throws
   * an `InputError` if it is no trace.
   */
  encode(start: number, end: number): readonly Uint8Array[] {
    for (const column of this.columns) column.clear();
    const [op, ref, size, count, label, thread, site, name] = this.columns;
    const sites = this.trace.sites.of;
    op.writeBytes(this.trace.op.subarray(start, end));
    for (let i = start; i < end; i++) {
      const code = this.trace.op[i] & OP_MASK;
      if (code === Op.phase) {
        this.writeLabel(label, this.trace.slot[i]);
        continue;
      }
      if (code === Op.stale) throw staleFault(this.trace, i);
      if (code === Op.allocate) this.allocate(i);
      else this.writeRef(ref, i, code === Op.free);
      if (code === Op.allocate || code === Op.reallocate) {
        size.write(this.trace.size[i]);
        if (sites.length > 0) site.write(sites[i]);
      } else if (code === Op.access) count.write(this.trace.size[i]);
    }
    this.writeSwitches(thread, end);
    if (start === 0) this.writeNames(name);
    const columns = this.trace.sites.names.length > 0 ? this.columns : this.columns.slice(0, COLUMNS);
    this.lengths.clear();
    for (const column of columns) this.lengths.write(column.written().length);
    return [this.lengths, ...columns].map((part) => part.written());
  }

  private allocate(event: number): void {
    const slot = this.stack.take();
    if (slot !== this.trace.slot[event])
      throw this.noTrace(`event ${event}: slot ${this.trace.slot[event]} instead of ${slot}`);
    this.births[slot] = this.born++;
  }

  private writeRef(ref: VarintWriter, event: number, last: boolean): void {
    const slot = this.trace.slot[event];
    if (!this.stack.isLive(slot)) throw this.noTrace(`event ${event}: slot ${slot} is not live`);
    const birth = this.births[slot];
    if (this.born - birth < WINDOW) {
      const delta = birth - this.lastRef;
      ref.write(1 + (delta < 0 ? -2 * delta - 1 : 2 * delta));
      this.lastRef = birth;
    } else {
      ref.write(0);
      ref.write(slot);
    }
    if (last) this.stack.give(slot);
  }

  private writeLabel(column: VarintWriter, index: number): void {
    if (index > this.labels) throw this.noTrace(`label ${index} comes before label ${this.labels}`);
    column.write(index);
    if (index < this.labels) return;
    writeText(column, this.trace.labels[index]);
    this.labels++;
  }

  private writeNames(column: VarintWriter): void {
    for (const name of this.trace.sites.names) writeText(column, name);
  }

  private noTrace(fault: string): InputError {
    return new InputError(`${this.trace.name}: ${fault}: expected the columns that a TraceBuilder makes`);
  }

  private writeSwitches(column: VarintWriter, end: number): void {
    const { at, id } = this.trace.threads;
    for (; this.switches < at.length && at[this.switches] < end; this.switches++) {
      column.write(at[this.switches] - this.lastSwitch);
      column.write(id[this.switches]);
      this.lastSwitch = at[this.switches];
    }
  }
}

function writeText(column: VarintWriter, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  column.write(bytes.length);
  column.writeBytes(bytes);
}
