/** How a handle table ages: it is as large as the most objects that ever lived together, unless its pages can go. */
import type { OptionValue } from "../../memory/options.js";
import type { Snapshot } from "./snapshot.js";

/** An address of 64 bits: what an entry takes at least where the allocator has no option for it. */
const ADDRESS_BYTES = 8;

export interface TableAge {
  /** Bytes of the pages that the table has. */
  readonly bytes: number;
  /** Entries that fit in those pages. */
  readonly slots: number;
  /** Entries without an object: free, worn out or never used. */
  readonly holes: number;
  /** `NaN` where nothing lives. */
  readonly bytesPerLive: number;
}

/** The table at a look; `undefined` for an allocator without one. */
export function tableAgeOf(look: Snapshot, options: Readonly<Record<string, OptionValue>>): TableAge | undefined {
  const bytes = look.kinds.table;
  if (bytes === 0) return undefined;
  const given = options["entryBytes"];
  const slots = bytes / (typeof given === "number" ? given : ADDRESS_BYTES);
  const { liveBlocks } = look;
  return { bytes, slots, holes: slots - liveBlocks, bytesPerLive: liveBlocks > 0 ? bytes / liveBlocks : Number.NaN };
}
