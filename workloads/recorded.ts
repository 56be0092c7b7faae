import { join } from "node:path";
import { InputError } from "../memory/errors.js";
import { defaultsOf, type OptionTable } from "../memory/options.js";
import { recordedPath, recordedTraces } from "./recorded-library.js";
import { OP_MASK, Op, type Trace } from "./trace.js";
import { finishTrace, sharedSizes } from "./trace-columns.js";
import { readTraceFile } from "./trace-file.js";
import type { WorkloadSpec } from "./workload.js";

export interface RecordedOptions {
  trace: string;
  scale: number;
}

const options: OptionTable<RecordedOptions> = {
  trace: {
    kind: "choice",
    values: recordedTraces.map((trace) => trace.name),
    default: "py-web",
    help: "program run; workloads/recorded/manifest.json describes them",
  },
  scale: {
    kind: "integer",
    min: 1,
    max: 4096,
    default: 1,
    help: "every size times this: with 16 and no headers, rounding vanishes and placement policy is left",
  },
};

/**
 * The trace with every size multiplied (Johnstone & Wilson 1998, section 5: they take the footprint of such a run by 16, to
 * see policy apart from alignment and smallest blocks).
 */
function scaled(trace: Trace, factor: number): Trace {
  const sized = (i: number): boolean => {
    const op = trace.op[i] & OP_MASK;
    return op === Op.allocate || op === Op.reallocate;
  };
  let largest = 0;
  for (const size of trace.size) if (size > largest) largest = size;
  const size = sharedSizes(trace.length, largest * factor);
  for (let i = 0; i < trace.length; i++) size[i] = trace.size[i] * (sized(i) ? factor : 1);
  const { labels, threads, sites, slots, op, slot } = trace;
  const marks = {
    labels,
    siteNames: sites.names,
    switchAt: Array.from(threads.at),
    switchId: Array.from(threads.id),
  };
  return finishTrace({ name: `${trace.name} x ${factor}`, slots, op, slot, size, site: sites.of }, marks);
}

/** Throws an `InputError` where the file is not the one that the manifest describes. */
async function generate(_seed: number, given: RecordedOptions): Promise<Trace> {
  const path = join(recordedPath, `${given.trace}.fgt`);
  const trace = await readTraceFile(path);
  const known = recordedTraces.find((one) => one.name === given.trace);
  if (known?.digest === trace.digest) return given.scale === 1 ? trace : scaled(trace, given.scale);
  throw new InputError(`${path}: digest ${trace.digest}: expected ${known?.digest}; check the file out again`);
}

/** The allocations of real programs, recorded at the malloc interface. The seed changes nothing. */
export const recorded: WorkloadSpec<RecordedOptions> = {
  name: "recorded",
  title: "Recorded program",
  source: "own recordings of unmodified programs, see workloads/recorded/manifest.json",
  seeded: false,
  options,
  defaults: defaultsOf(options),
  variants: recordedTraces.map(({ name }) => ({ trace: name })),
  generate,
};
