import { defaultsOf, type OptionTable, type OptionValue } from "../../memory/options.js";
import type { Trace } from "../trace.js";
import type { Described, WorkloadSpec } from "../workload.js";

/** What turns any trace into another: written `WORKLOAD+NAME:option=value`. */
export interface ModifierSpec<Options = Record<string, never>> extends Described<Options> {
  /**
   * The modified trace: the same events on every machine for the same trace, seed and full set of options. All events of
   * the original are there, in their order.
   */
  apply(trace: Trace, seed: number, options: Options): Trace;
}

type Values = Readonly<Record<string, OptionValue>>;

/** Names of a modifier's options among those of a modified workload. */
export function modifierOptions<Value>(
  modifier: string,
  options: Readonly<Record<string, Value>>,
): Record<string, Value> {
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [`${modifier}.${key}`, value]));
}

/** A workload whose every trace is modified. It has the options of both, those of the modifier as `NAME.option`. */
export function modified(
  // biome-ignore lint/suspicious/noExplicitAny: of workloads of the registry, whose option types are forgotten
  base: WorkloadSpec<any>,
  // biome-ignore lint/suspicious/noExplicitAny: as above
  modifier: ModifierSpec<any>,
): WorkloadSpec<Values> {
  const options = { ...base.options, ...modifierOptions(modifier.name, modifier.options) } as OptionTable<Values>;
  return {
    name: `${base.name}+${modifier.name}`,
    title: `${base.title}, ${modifier.title}`,
    source: `${base.source}; ${modifier.source}`,
    seeded: true,
    options,
    defaults: defaultsOf(options),
    variants: [],
    async generate(seed, given) {
      const own = Object.keys(modifier.options).map((key) => [key, given[`${modifier.name}.${key}`]]);
      return modifier.apply(await base.generate(seed, given), seed, Object.fromEntries(own));
    },
  };
}
