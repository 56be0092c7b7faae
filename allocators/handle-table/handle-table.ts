import { defaultsOf, resolveOptions } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import type { Families } from "../outer.js";
import { buildHandles } from "./build.js";
import { checkOptions, type HandleTableOptions, handleTableOptions } from "./options.js";

export type { HandleTableOptions } from "./options.js";

const NAME = "handle-table";

/**
 * A handle table over a heap of its own or any direct allocator of `families`, with six ways to move blocks. Published
 * times of Anchorage are for programs that run minutes; virtual time is events / 4e6 s, so a trace of a million events
 * lasts 250 ms and would hardly be looked at. The defaults here are the published times divided by 250.
 */
export const handleTableOver = (families: Families): AllocatorSpec<HandleTableOptions> => ({
  name: NAME,
  title: "Handle table with compaction",
  source:
    "Wanninger et al., Getting a Handle on Unmanaged Memory (Alaska, Anchorage), ASPLOS 2024; tag asplos-24-revision",
  indirect: true,
  alignment: 8,
  options: handleTableOptions,
  defaults: defaultsOf(handleTableOptions),
  variants: [
    { compact: "none" },
    { compact: "twoFinger", fit: "firstInList", trimOnMove: true },
    { place: "bump", generations: 4, growth: 4096 },
    { metric: "F_res", fUpper: 1.1, minHolePages: 10, tailRelease: 3 },
    { compact: "bestFit", entryBytes: 16, freeOrder: "lowest", releaseTablePages: true },
    { compact: "semispace", freeOrder: "fifo", pins: "bernoulli", pinShare: 0.1 },
    { compact: "semispace", place: "bump", payloadOnly: true, copyAlways: true },
    { compact: "evacuate", generations: 3, releaseTablePages: true },
    { resume: true, entryBytes: 4, generations: 16, cPartial: 4, pins: "window" },
    { compact: "twoFinger", pins: "sticky", pinShare: 0.1, pinnedHigh: true, trigger: "periodic" },
    { inner: "pymalloc", compact: "none" },
    { inner: "pymalloc", compact: "evacuate" },
    { inner: "first-fit/growth=65536", compact: "evacuate", freeOrder: "lowest", region: 16384 },
  ],
  create(space, given) {
    const resolved = resolveOptions(NAME, handleTableOptions, given);
    checkOptions(NAME, resolved);
    return buildHandles(NAME, space, resolved, families);
  },
});

/** With its own heap alone: the registry's entry knows the other allocators too. */
export const handleTable: AllocatorSpec<HandleTableOptions> = handleTableOver(() => ({}));
