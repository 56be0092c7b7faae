/** A trace on a pymalloc heap up to an event, and what is alive then. */
import { none, type Ref } from "../allocators/allocator.js";
import { pymallocOptions } from "../allocators/pymalloc/options.js";
import type { Survivors } from "../allocators/pymalloc/pins.js";
import { isPymalloc, type PymallocAllocator } from "../allocators/pymalloc/pymalloc.js";
import { variantNamed } from "../allocators/pymalloc/python-version.js";
import { allocatorArm } from "../harness/arm.js";
import { fittedOptions } from "../harness/fit.js";
import { peakOf } from "../harness/metrics/demand.js";
import { createAddressSpace } from "../memory/address-space.js";
import { InputError } from "../memory/errors.js";
import { formatSelector, parseSelector, resolveOptions } from "../memory/options.js";
import { alignmentOf, OP_MASK, Op, type Trace } from "../workloads/trace.js";
import { type SourceOptions, sourceOf } from "./source.js";

/** Options of the commands that run a trace on pymalloc. */
export interface PymallocRunOptions extends SourceOptions {
  readonly variant?: string;
  /** Further options of the allocator, as `k=v,k=v`. */
  readonly options?: string;
  readonly at?: string;
}

/** A run: nothing has happened yet. */
export interface PymallocRun {
  readonly heap: PymallocAllocator;
  readonly trace: Trace;
  /** The allocator with its options, as everywhere on the command line. */
  readonly selector: string;
  /** Events to run. */
  readonly at: number;
  readonly refs: Float64Array;
}

/** How many events of a trace `--at` means: a number, `peak` (of live bytes), `end`, or the label of a mark. */
function eventsOf(trace: Trace, at: string): number {
  if (at === "end") return trace.length;
  if (at === "peak") return peakOf(trace).event + 1;
  if (/^\d+$/.test(at)) {
    const events = Number(at);
    if (events <= trace.length) return events;
    throw new InputError(`--at ${at}: the trace has ${trace.length} events: expected a number up to that, peak or end`);
  }
  const label = trace.labels.indexOf(at);
  for (let i = 0; i < trace.length; i++) {
    if ((trace.op[i] & OP_MASK) === Op.phase && trace.slot[i] === label) return i + 1;
  }
  const marks = trace.labels.length === 0 ? "" : `, or a mark (${trace.labels.slice(0, 6).join(", ")})`;
  throw new InputError(`--at ${at}: expected a number of events, peak, end${marks}`);
}

/** Reads the trace and makes the heap. Throws an `InputError` for impossible options. */
export async function preparePymalloc(options: PymallocRunOptions): Promise<PymallocRun> {
  const given = parseSelector(`pymalloc:${options.options ?? ""}`).options;
  const named = options.variant === undefined ? {} : { variant: variantNamed(options.variant) };
  const { variant: second } = given;
  if (options.variant !== undefined && second !== undefined)
    throw new InputError(`--variant ${options.variant} and variant=${second} in --options: give one of them`);
  // By the registry, since the outer heap is any of its allocators.
  const arm = allocatorArm(
    formatSelector("pymalloc", pymallocOptions, resolveOptions("pymalloc", pymallocOptions, { ...given, ...named })),
  );
  const { trace } = await sourceOf(options, arm);
  const heap = arm.spec.create(createAddressSpace(), fittedOptions(arm.spec, arm.options, trace));
  if (!isPymalloc(heap)) throw new TypeError(`${arm.selector} is no pymalloc heap`);
  const { selector } = arm;
  return { heap, trace, selector, at: eventsOf(trace, options.at ?? "end"), refs: new Float64Array(trace.slots) };
}

/** Runs events `from` to `to` (exclusive). Throws an `InputError` where memory runs out. */
export function runEvents({ heap, trace, refs }: PymallocRun, from: number, to: number): void {
  const { op, slot, size } = trace;
  for (let i = from; i < to; i++) {
    const code = op[i] & OP_MASK;
    if (code === Op.free) {
      heap.free(refs[slot[i]] as Ref);
      continue;
    }
    if (code !== Op.allocate && code !== Op.reallocate) continue;
    const old = refs[slot[i]] as Ref;
    const ref = code === Op.allocate ? heap.allocate(size[i], alignmentOf(op[i])) : heap.reallocate(old, size[i]);
    if (ref === none) throw new InputError(`${trace.name}: event ${i} finds no memory: give --at an event before it`);
    refs[slot[i]] = ref;
  }
}

/** Blocks in arenas when the first `at` events have run, oldest first, and the number and bytes of all others. */
export interface Alive {
  readonly survivors: Survivors;
  readonly outside: { readonly blocks: number; readonly bytes: number };
}

/** What is alive when the first `at` events have run. A reallocation keeps the birth of a block, and changes its site. */
export function aliveAt({ heap, trace, at, refs }: PymallocRun): Alive {
  const size = new Float64Array(trace.slots);
  const site = new Uint32Array(trace.slots);
  const hasSites = trace.sites.names.length > 0;
  // A map keeps the order of insertion, which is that of births.
  const births = new Map<number, number>();
  for (let i = 0; i < at; i++) {
    const code = trace.op[i] & OP_MASK;
    const slot = trace.slot[i];
    if (code === Op.free) births.delete(slot);
    if (code === Op.allocate) births.set(slot, i);
    if (code !== Op.allocate && code !== Op.reallocate) continue;
    size[slot] = trace.size[i];
    if (hasSites) site[slot] = trace.sites.of[i];
  }
  const slots = [...births.keys()];
  const inside = slots.filter((slot) => heap.placementOf(refs[slot] as Ref) !== undefined);
  const column = (of: (slot: number) => number): Float64Array => Float64Array.from(inside, of);
  const survivors = {
    length: inside.length,
    ref: column((slot) => refs[slot]),
    size: column((slot) => size[slot]),
    birth: column((slot) => births.get(slot) ?? 0),
    site: hasSites ? Uint32Array.from(inside, (slot) => site[slot]) : new Uint32Array(0),
  };
  const total = (of: readonly number[]): number => of.reduce((sum, slot) => sum + size[slot], 0);
  const bytes = total(slots) - total(inside);
  return { survivors, outside: { blocks: slots.length - inside.length, bytes } };
}
