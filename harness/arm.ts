/** Arms of an experiment: an allocator or a workload with all its options resolved, and the cell where two meet. */
import { type AnyAllocatorSpec, allocators } from "../allocators/registry.js";
import { unknownName } from "../memory/errors.js";
import { formatSelector, type OptionValue, parseSelector, resolveOptions } from "../memory/options.js";
import { type AnyProgramSpec, type AnyWorkloadSpec, programs, workloads } from "../workloads/registry.js";

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

/** A program reads addresses: its trace depends on the allocator that it runs on (`drive.ts`). */
export interface ProgramArm {
  readonly label: string;
  readonly spec: AnyProgramSpec;
  readonly options: Options;
  readonly selector: string;
}

/** What asks for memory. */
export type DemandArm = WorkloadArm | ProgramArm;

export function isProgramArm(arm: DemandArm): arm is ProgramArm {
  return "run" in arm.spec;
}

/** One run of one allocator on one workload with one seed. */
export interface Cell {
  readonly index: number;
  readonly allocator: AllocatorArm;
  readonly workload: DemandArm;
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

function resolved<Spec extends AnyWorkloadSpec | AnyProgramSpec>(
  known: Readonly<Record<string, Spec>>,
  selector: string,
  label: string,
): { label: string; spec: Spec; options: Options; selector: string } {
  const { name, options: given } = parseSelector(selector);
  const spec = Object.hasOwn(known, name) ? known[name] : undefined;
  if (spec === undefined) throw unknownName("workload", name, Object.keys(known));
  const options = resolveOptions<Options>(name, spec.options, given);
  return { label, spec, options, selector: formatSelector(name, spec.options, options) };
}

/** The workload and options that `name:option=value` means. Throws an `InputError` for an unknown name or option. */
export function workloadArm(selector: string, label = selector): WorkloadArm {
  return resolved(workloads, selector, label);
}

/** The program and options that `name:option=value` means. Throws an `InputError` for an unknown name or option. */
export function programArm(selector: string, label = selector): ProgramArm {
  return resolved(programs, selector, label);
}

/** The workload or program that `name:option=value` means. Throws an `InputError` for an unknown name or option. */
export function demandArm(selector: string, label = selector): DemandArm {
  return resolved<AnyWorkloadSpec | AnyProgramSpec>({ ...workloads, ...programs }, selector, label) as DemandArm;
}
