import { InputError } from "../../memory/errors.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import { CompactingHandles, type CompactingOptions } from "./compacting-handles.js";
import { Handles } from "./handles.js";
import { UNIT } from "./heap-pages.js";

export type HandleTableOptions = CompactingOptions;

const NAME = "handle-table";

const TIB = 1024 * 1024 * 1024 * 1024;
const ms = { kind: "number", min: 0, max: 1e9 } as const;

const options: OptionTable<HandleTableOptions> = {
  place: { kind: "choice", values: ["segfit", "bump"], default: "segfit", help: "reuse free blocks, or only the top" },
  fit: {
    kind: "choice",
    values: ["headOnly", "firstInList"],
    default: "headOnly",
    help: "how far to search the list of the request's own size class",
  },
  compact: {
    kind: "choice",
    values: ["none", "slide", "twoFinger"],
    default: "slide",
    help: "how blocks move; none is the control that pays for handles and never moves",
  },
  minSplit: { kind: "bytes", min: 32, max: 4096, default: 48, help: "least rest of a block that stays free" },
  growth: { kind: "bytes", min: 4096, max: 1 << 30, default: 65536, help: "bytes obtained from the system at a time" },
  generations: {
    kind: "integer",
    min: 1,
    max: 1 << 20,
    default: 1 << 20,
    help: "objects that an entry can serve and tell apart",
  },
  retireOnWrap: { kind: "boolean", default: true, help: "never reuse an entry whose generations are used up" },
  trimOnMove: { kind: "boolean", default: false, help: "cut slack off a block when it moves" },
  minHolePages: { kind: "integer", min: 1, max: 1 << 20, default: 1, help: "least run of free pages to give back" },
  tailRelease: { kind: "integer", min: 1, max: 1 << 20, default: 1, help: "least pages above the top to give back" },
  metric: {
    kind: "choice",
    values: ["F_ext", "F_res"],
    default: "F_ext",
    help: "fragmentation that the controller watches: extent / live blocks, or footprint / bytes asked for",
  },
  fUpper: { kind: "number", min: 1, max: 1e6, default: 1.4, help: "fragmentation above which compaction starts" },
  fLower: { kind: "number", min: 1, max: 1e6, default: 1.05, help: "fragmentation below which compaction ends" },
  poll: { ...ms, default: 2, help: "virtual ms between looks at the fragmentation (Anchorage: 500)" },
  firstPoll: { ...ms, default: 4, help: "virtual ms before the first look (Anchorage: 1000)" },
  minSleep: { ...ms, default: 0.04, help: "least virtual ms between passes (Anchorage: 10)" },
  overhead: { kind: "number", min: 1e-6, max: 1, default: 0.05, help: "largest share of the time spent in passes" },
  alpha: { kind: "number", min: 0, max: 1, default: 0.1, help: "budget of a pass as a share of the live bytes" },
  passBytes: { kind: "bytes", min: 1, max: TIB, default: TIB, help: "most bytes of a pass" },
};

function resolve(given?: Partial<HandleTableOptions>): HandleTableOptions {
  const resolved = resolveOptions(NAME, options, given);
  if (resolved.fLower >= resolved.fUpper) {
    throw new InputError(`${NAME}: option fLower: ${resolved.fLower} is not below fUpper ${resolved.fUpper}`);
  }
  return resolved;
}

/**
 * A handle table over a segregated or bump heap, with sliding or two-finger compaction. Published times of Anchorage are
 * for programs that run minutes; virtual time is events / 4e6 s, so a trace of a million events lasts 250 ms and would
 * hardly be looked at. The defaults here are the published times divided by 250.
 */
export const handleTable: AllocatorSpec<HandleTableOptions> = {
  name: NAME,
  title: "Handle table with compaction",
  source:
    "Wanninger et al., Getting a Handle on Unmanaged Memory (Alaska, Anchorage), ASPLOS 2024; tag asplos-24-revision",
  indirect: true,
  alignment: UNIT,
  options,
  defaults: defaultsOf(options),
  variants: [
    { compact: "none" },
    { compact: "twoFinger" },
    { fit: "firstInList", trimOnMove: true },
    { place: "bump" },
    { place: "bump", compact: "twoFinger", trimOnMove: true },
    { generations: 4, growth: 4096 },
    { metric: "F_res", fUpper: 1.1, minHolePages: 10, tailRelease: 3 },
  ],
  create(space, given) {
    const resolved = resolve(given);
    return resolved.compact === "none" ? new Handles(space, resolved) : new CompactingHandles(space, resolved);
  },
};
