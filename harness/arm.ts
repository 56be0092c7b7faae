/** Arms of an experiment: an allocator or a workload with all its options resolved, and the cell where two meet. */
import { type AnyAllocatorSpec, allocators } from "../allocators/registry.js";
import { InputError, unknownName } from "../memory/errors.js";
import { formatSelector, type OptionValue, parseSelector, resolveOptions } from "../memory/options.js";
import { modified, modifierOptions } from "../workloads/modifiers/modifier.js";
import {
  type AnyModifierSpec,
  type AnyProgramSpec,
  type AnyWorkloadSpec,
  modifiers,
  programs,
  workloads,
} from "../workloads/registry.js";
import type { Trace } from "../workloads/trace.js";

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

/** `base+modifier:options+modifier:options` in its parts. A `+` before a digit belongs to a number, as in 1e+6. */
function partsOf(selector: string): string[] {
  return selector.split(/\+(?!\d)/);
}

interface ModifierArm {
  readonly spec: AnyModifierSpec;
  readonly options: Options;
  readonly selector: string;
}

/** Throws an `InputError` for an unknown name or option, and for a modifier that is given twice. */
function modifierArms(selectors: readonly string[]): ModifierArm[] {
  const names = new Set<string>();
  return selectors.map((text) => {
    const { name, options: given } = parseSelector(text);
    const spec = Object.hasOwn(modifiers, name) ? modifiers[name] : undefined;
    if (spec === undefined) throw unknownName("modifier", name, Object.keys(modifiers));
    if (names.has(name))
      throw new InputError(`"${selectors.join("+")}": modifier ${name} is given twice; give it once`);
    names.add(name);
    const options = resolveOptions<Options>(name, spec.options, given);
    return { spec, options, selector: formatSelector(name, spec.options, options) };
  });
}

/** A workload arm whose traces pass through the modifiers. */
function withModifiers(arm: WorkloadArm, selectors: readonly string[]): WorkloadArm {
  return modifierArms(selectors).reduce(
    (base, { spec, options, selector }) => ({
      label: base.label,
      spec: modified(base.spec, spec),
      options: { ...base.options, ...modifierOptions(spec.name, options) },
      selector: `${base.selector}+${selector}`,
    }),
    arm,
  );
}

/** A trace after the modifiers of `modifier:options+modifier:options`. Throws an `InputError` for an unknown name or option. */
export function modifiedTrace(trace: Trace, seed: number, selector: string): Trace {
  return modifierArms(partsOf(selector)).reduce((now, { spec, options }) => spec.apply(now, seed, options), trace);
}

/**
 * The workload and options that `name:option=value` means, with any modifiers behind it, as `churn+aged:occupancy=0.3`.
 * Throws an `InputError` for an unknown name or option.
 */
export function workloadArm(selector: string, label = selector): WorkloadArm {
  const [base, ...rest] = partsOf(selector);
  return withModifiers(resolved(workloads, base, label), rest);
}

/** The program and options that `name:option=value` means. Throws an `InputError` for an unknown name or option. */
export function programArm(selector: string, label = selector): ProgramArm {
  return resolved(programs, selector, label);
}

/**
 * The workload, with any modifiers, or program that a selector means. Throws an `InputError` for an unknown name or option, and
 * for modifiers of a program, whose requests are not known beforehand.
 */
export function demandArm(selector: string, label = selector): DemandArm {
  const [base, ...rest] = partsOf(selector);
  const arm = resolved<AnyWorkloadSpec | AnyProgramSpec>({ ...workloads, ...programs }, base, label) as DemandArm;
  if (!isProgramArm(arm)) return withModifiers(arm, rest);
  if (rest.length === 0) return arm;
  throw new InputError(
    `"${selector}": ${arm.spec.name} is a program that reads addresses: only workloads take modifiers`,
  );
}
