import type { OptionTable } from "../memory/options.js";
import type { Trace } from "./trace.js";

/** What every entry of the registry says of itself. */
export interface Described<Options> {
  /** Registry name, kebab-case. */
  readonly name: string;
  /** One line for tables and legends. */
  readonly title: string;
  /** Where the pattern comes from: paper and section, or program. */
  readonly source: string;
  readonly options: OptionTable<Options>;
  /** The default of every option. */
  readonly defaults: Options;
}

/** A family of traces: what the registry holds. */
export interface WorkloadSpec<Options = Record<string, never>> extends Described<Options> {
  /** Whether the trace depends on the seed; a recorded program has one trace only. */
  readonly seeded: boolean;
  /** Option sets, besides the defaults, that the tests run. */
  readonly variants: readonly Partial<Options>[];
  /**
   * The trace of a seed (a whole number below 2^53) and a full, resolved set of options: the same events on every
   * machine. Throws an `InputError` that names workload and option where options do not go together.
   */
  generate(seed: number, options: Options): Trace | Promise<Trace>;
}
