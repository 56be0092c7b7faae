/** Arms of an experiment: an allocator or a workload with all its options resolved, and the cell where two meet. */
import { type AnyAllocatorSpec, allocators } from "../allocators/registry.js";
import { unknownName } from "../memory/errors.js";
import { formatSelector, type OptionValue, parseSelector, resolveOptions } from "../memory/options.js";
import { type AnyWorkloadSpec, workloads } from "../workloads/registry.js";

type Options = Readonly<Record<string, OptionValue>>;

export interface AllocatorArm {
  readonly label: string;
  readonly spec: AnyAllocatorSpec;
  /** The full resolved set. */
  readonly options: Options;
  /** Canonical selector: only the options that differ from the defaults. */
  readonly selector: string;
}

export interface WorkloadArm {
  readonly label: string;
  readonly spec: AnyWorkloadSpec;
  readonly options: Options;
  readonly selector: string;
}

/** One run of one allocator on one workload with one seed. */
export interface Cell {
  readonly index: number;
  readonly allocator: AllocatorArm;
  readonly workload: WorkloadArm;
  readonly seed: number;
  /** Why the cell is not run. */
  readonly skipped?: string;
}

/** The allocator and options that `name:option=value` means. Throws an `InputError` for an unknown name or option. */
export function allocatorArm(selector: string, label = selector): AllocatorArm {
  const { name, options: given } = parseSelector(selector);
  const spec = Object.hasOwn(allocators, name) ? allocators[name] : undefined;
  if (spec === undefined) throw unknownName("allocator", name, Object.keys(allocators));
  const options = resolveOptions<Options>(name, spec.options, given);
  return { label, spec, options, selector: formatSelector(name, spec.options, options) };
}

/** The workload and options that `name:option=value` means. Throws an `InputError` for an unknown name or option. */
export function workloadArm(selector: string, label = selector): WorkloadArm {
  const { name, options: given } = parseSelector(selector);
  const spec = Object.hasOwn(workloads, name) ? workloads[name] : undefined;
  if (spec === undefined) throw unknownName("workload", name, Object.keys(workloads));
  const options = resolveOptions<Options>(name, spec.options, given);
  return { label, spec, options, selector: formatSelector(name, spec.options, options) };
}
