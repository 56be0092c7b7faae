import { ceilPowerOfTwo } from "../../memory/exact-math.js";
import { OP_MASK, Op, type Trace } from "../trace.js";
import { finishTrace, sharedSizes } from "../trace-columns.js";

/** What is blurred besides names. */
export interface Blur {
  /** Sizes are rounded up to classes, see `sizeClass`. */
  readonly sizes: boolean;
  /** No sites at all; else their frames get numbers, so that who calls whom can still be seen. */
  readonly dropSites: boolean;
}

/**
 * The class of a size: the next multiple of 8 up to 128, then eight classes for each doubling, which are less than 12.5 %
 * larger than the size. 0 stays 0.
 */
export function sizeClass(size: number): number {
  if (size === 0) return 0;
  const step = Math.max(8, ceilPowerOfTwo(size) / 16);
  return Math.min(Math.ceil(size / step) * step, Number.MAX_SAFE_INTEGER);
}

/** Names by the order in which they are met: `prefix 1`, `prefix 2`, ... */
function aliases(prefix: string): (name: string) => string {
  const known = new Map<string, string>();
  return (name) => {
    const alias = known.get(name) ?? `${prefix} ${known.size + 1}`;
    known.set(name, alias);
    return alias;
  };
}

function blurredSizes(trace: Trace): Trace["size"] {
  let largest = 0;
  for (let i = 0; i < trace.length; i++) largest = Math.max(largest, trace.size[i]);
  const blurred = sharedSizes(trace.length, sizeClass(largest));
  for (let i = 0; i < trace.length; i++) {
    const code = trace.op[i] & OP_MASK;
    const isSize = code === Op.allocate || code === Op.reallocate;
    blurred[i] = isSize ? sizeClass(trace.size[i]) : trace.size[i];
  }
  return blurred;
}

/**
 * The trace without what tells whose it is: its name becomes `name`, marks `mark 1`, frames of call sites `frame 1`, and so on.
 * Order, lifetimes, threads and, unless they are blurred, sizes stay: enough to recognise a program by, for one who has it.
 */
export function anonymise(trace: Trace, name: string, blur: Blur): Trace {
  const mark = aliases("mark");
  const frame = aliases("frame");
  const { slots, op, slot, sites, threads } = trace;
  const siteNames = blur.dropSites ? [] : sites.names.map((site) => site.split(";").map(frame).join(";"));
  return finishTrace(
    {
      name,
      slots,
      op,
      slot,
      size: blur.sizes ? blurredSizes(trace) : trace.size,
      site: blur.dropSites ? new Uint32Array(0) : sites.of,
    },
    { labels: trace.labels.map(mark), siteNames, switchAt: [...threads.at], switchId: [...threads.id] },
  );
}
