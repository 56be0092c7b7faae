import { defaultsOf, type OptionTable } from "../memory/options.js";
import type { Trace } from "./trace.js";
import { TraceBuilder } from "./trace-builder.js";
import type { WorkloadSpec } from "./workload.js";

/** Reads between the free and the next request: as long as a segment of the replay, so one safepoint lies among them. */
const READS = 512;

/**
 * Three neighbours, the middle one freed, then a larger block, then one that fits: does the hole stay, and who takes it?
 * Sizes are multiples of 64, so that no allocator is favoured by its rounding. In between the program only reads, so that
 * a heap that moves its blocks gets a safepoint; to the others that is no event.
 */
function threeObjects(builder: TraceBuilder): void {
  const first = builder.allocate(64);
  const middle = builder.allocate(64);
  const last = builder.allocate(64);
  builder.phase("A, B, C allocated");
  builder.free(middle);
  builder.phase("B freed");
  for (let i = 0; i < READS; i++) builder.access(i % 2 === 0 ? first : last);
  builder.phase(`${READS} reads later`);
  builder.allocate(128);
  builder.phase("larger D allocated");
  builder.allocate(64);
  builder.phase("E, as large as B");
}

/** 512 objects of one byte, of which all but the last are freed in order of birth. */
function oneByteObjects(builder: TraceBuilder): void {
  const slots = Array.from({ length: 512 }, () => builder.allocate(1));
  builder.phase("512 allocated");
  for (const slot of slots.slice(0, 511)) builder.free(slot);
  builder.phase("511 freed");
}

const scenes = { "three-objects": threeObjects, "one-byte-objects": oneByteObjects } as const;

export interface ScenarioOptions {
  scene: keyof typeof scenes;
}

const options: OptionTable<ScenarioOptions> = {
  scene: { kind: "choice", values: Object.keys(scenes), default: "three-objects", help: "which of the scenes" },
};

function generate(_seed: number, { scene }: ScenarioOptions): Trace {
  const builder = new TraceBuilder(scene);
  scenes[scene](builder);
  return builder.build();
}

/** The scenes of the question that this workbench was built for, small enough to be drawn byte by byte. */
export const scenario: WorkloadSpec<ScenarioOptions> = {
  name: "scenario",
  title: "The scenes of the original question",
  source: "the question: CPython's id() is an address, so objects never move; what becomes of fragmentation?",
  seeded: false,
  options,
  defaults: defaultsOf(options),
  variants: [{ scene: "one-byte-objects" }],
  generate,
};
