/**
 * A program that decides what to ask for next by where its blocks lie: an adversary. A trace cannot do that, so a program
 * drives an allocator itself (`harness/drive.ts`); what it asked for on that allocator is recorded as a trace.
 */
import type { Described } from "./workload.js";

/** What a program sees of the allocator that it runs on. Blocks are named by the slots of the recorded trace. */
export interface ProgramHeap {
  /** Blocks moved so far, under every name they had: a program that sees this change looks at its addresses again. */
  readonly moves: number;
  /** A new block. Where there is no memory the run ends here: nothing after the call is executed. */
  allocate(size: number): number;
  free(block: number): void;
  /** Where the block is now: until it is freed, or `moves` changes. */
  addressOf(block: number): number;
  /** Marks the point where a phase begins. */
  phase(label: string): void;
}

/** A family of programs: what the registry holds. No workload has the same name. */
export interface ProgramSpec<Options = Record<string, never>> extends Described<Options> {
  /** Whether what it does depends on the seed. */
  readonly seeded: boolean;
  /** Option sets, besides the defaults, that the tests run. */
  readonly variants: readonly Partial<Options>[];
  /**
   * Runs to the end on a new heap, with a full, resolved set of options. The same seed and the same addresses give the
   * same requests. Throws an `InputError` that names program and option where options do not go together.
   */
  run(heap: ProgramHeap, seed: number, options: Options): void;
}
