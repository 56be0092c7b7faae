import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import { buildHandles } from "./build.js";
import { checkOptions, type HandleTableOptions, handleTableOptions } from "./options.js";

type Options = Partial<HandleTableOptions>;

interface Preset {
  readonly name: string;
  readonly title: string;
  readonly source: string;
  /** What makes it this system; not an option of it. */
  readonly fixed: Options;
  /** Its own defaults. */
  readonly defaults: Options;
  readonly variants: readonly Options[];
}

/** A published system as a setting of the handle table: some options fixed, others with the system's defaults. */
function presetOf(preset: Preset): AllocatorSpec<Options> {
  const { name, title, source, fixed, variants } = preset;
  const table = Object.fromEntries(
    Object.entries(handleTableOptions)
      .filter(([option]) => !(option in fixed))
      .map(([option, spec]) => {
        const own = preset.defaults[option as keyof HandleTableOptions];
        return [option, own === undefined ? spec : { ...spec, default: own }];
      }),
  ) as OptionTable<Options>;
  return {
    name,
    title,
    source,
    indirect: true,
    alignment: 16,
    options: table,
    defaults: defaultsOf(table),
    variants,
    create(space, given) {
      const options = { ...fixed, ...resolveOptions(name, table, given) } as HandleTableOptions;
      checkOptions(name, options);
      return buildHandles(name, space, options, () => ({}));
    },
  };
}

const GIB = 1024 * 1024 * 1024;

/** What only a table over another allocator has. */
const OWN_HEAP: Options = { inner: "own", region: 4096, victims: "sparsest" };

/**
 * Two sub-heaps of which one is evacuated into the other, with the published times and limits. The first look is when the
 * published run of Redis makes its first step, at 2.02 s (Figure 9): the code looks a second after its own start, which the
 * program's clock does not show. The paper searches the head
 * of a list alone; the tagged code all of it (`fit=firstInList`), which takes O(holes) for each request. Requests of
 * 2^28 bytes and more, which Anchorage leaves to malloc, have handles here like others.
 */
export const anchorage = presetOf({
  name: "anchorage",
  title: "Anchorage: two sub-heaps and partial passes",
  source: "Wanninger et al., ASPLOS 2024; Alaska, tag asplos-24-revision, runtime/anchorage",
  fixed: { ...OWN_HEAP, compact: "semispace", resume: false, pinnedHigh: false },
  defaults: {
    payloadOnly: true,
    copyAlways: true,
    poll: 500,
    firstPoll: 2000,
    minSleep: 10,
    minHolePages: 10,
    tailRelease: 3,
    passTime: "anchorage",
  },
  variants: [{ firstPoll: 0, poll: 1, fUpper: 1.1 }],
});

/**
 * The heap zone of the classic Macintosh: master pointers of 4 bytes, block headers, relocatable blocks that slide down
 * when a request finds no room in the zone. Locks are the pins of the trace. What is not modelled: master pointers in
 * blocks of 64 inside the zone, purging, and non-relocatable blocks other than by `pins=sticky,pinnedHigh`.
 */
export const classicMac = presetOf({
  name: "classic-mac",
  title: "Classic Mac OS heap zone: slide on demand",
  source: "Apple, Inside Macintosh: Memory, chapters 1 and 2",
  fixed: { ...OWN_HEAP, compact: "slide", trigger: "onDemand", payloadOnly: false, copyAlways: false },
  defaults: { entryBytes: 4, generations: 1, retireOnWrap: false, heapLimit: GIB },
  variants: [{ heapLimit: 8 * 1024 * 1024 }],
});

/**
 * Palm OS: movable chunks from the low end of the heap, non-movable ones from the high end, where they are no
 * barriers; compaction on demand. Which chunks are non-movable is the sticky model's choice.
 */
export const palm = presetOf({
  name: "palm",
  title: "Palm OS: movable chunks low, fixed chunks high",
  source: "PalmSource, Palm OS Programmer's Companion, volume I, chapter Memory",
  fixed: { ...OWN_HEAP, compact: "slide", trigger: "onDemand", pins: "sticky", payloadOnly: false, copyAlways: false },
  defaults: { entryBytes: 4, generations: 1, retireOnWrap: false, heapLimit: GIB, pinnedHigh: true },
  variants: [{ heapLimit: 8 * 1024 * 1024, pinShare: 0.1 }],
});
