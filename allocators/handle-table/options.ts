import { InputError } from "../../memory/errors.js";
import type { OptionTable } from "../../memory/options.js";
import { outerOption } from "../outer.js";
import type { MovementOptions } from "./compacting-handles.js";
import type { HandleOptions } from "./handles.js";
import type { PinOptions } from "./pin-model.js";
import type { VictimOrder } from "./victims.js";

export interface HandleTableOptions extends HandleOptions, MovementOptions, PinOptions {
  /** `own`, or the registry's allocator that places the blocks. */
  inner: string;
  /** How blocks move. */
  compact: "none" | "slide" | "twoFinger" | "bestFit" | "semispace" | "evacuate";
  /** Whether a slide goes on where the last pass ended. */
  resume: boolean;
  /** Whether a block loses its slack when it moves. */
  trimOnMove: boolean;
  /** Bytes of a region to empty over another allocator. */
  region: number;
  /** Which regions are emptied first: the sparsest, or from the end of a heap that is given back from there alone. */
  victims: VictimOrder;
  /** Whether a semispace counts payloads only against the budget of a pass. */
  payloadOnly: boolean;
  /** Whether a semispace copies at each reallocation. */
  copyAlways: boolean;
  /** Whether what is pinned for life lies in a heap of its own. */
  pinnedHigh: boolean;
}

const TIB = 1024 * 1024 * 1024 * 1024;
const GIB = 1024 * 1024 * 1024;
const ms = { kind: "number", min: 0, max: 1e9 } as const;
const never = { kind: "boolean", default: false } as const;
const whole = { kind: "integer", min: 1 } as const;

export const handleTableOptions: OptionTable<HandleTableOptions> = {
  place: { kind: "choice", values: ["segfit", "bump"], default: "segfit", help: "reuse free blocks, or only the top" },
  fit: {
    kind: "choice",
    values: ["headOnly", "firstInList"],
    default: "headOnly",
    help: "how far to search the list of the request's own size class",
  },
  compact: {
    kind: "choice",
    values: ["none", "slide", "twoFinger", "bestFit", "semispace", "evacuate"],
    default: "slide",
    help: "how blocks move; none is the control that pays for handles and never moves",
  },
  minSplit: { kind: "bytes", min: 32, max: 4096, default: 48, help: "least rest of a block that stays free" },
  growth: { kind: "bytes", min: 4096, max: GIB, default: 65536, help: "bytes obtained from the system at a time" },
  generations: { ...whole, max: 1 << 20, default: 1 << 20, help: "objects that an entry can serve and tell apart" },
  retireOnWrap: { kind: "boolean", default: true, help: "never reuse an entry whose generations are used up" },
  trimOnMove: { ...never, help: "cut slack off a block when it moves" },
  minHolePages: { ...whole, max: 1 << 20, default: 1, help: "least run of free pages to give back" },
  tailRelease: { ...whole, max: 1 << 20, default: 1, help: "least pages above the top to give back" },
  metric: {
    kind: "choice",
    values: ["F_ext", "F_res"],
    default: "F_ext",
    help: "fragmentation that the controller watches: extent / live blocks, or footprint / bytes asked for",
  },
  fUpper: { kind: "number", min: 1, max: 1e6, default: 1.4, help: "fragmentation above which compaction starts" },
  fLower: { kind: "number", min: 1, max: 1e6, default: 1.05, help: "fragmentation below which compaction ends" },
  poll: { ...ms, default: 2, help: "virtual ms between looks at the fragmentation (Anchorage: 500)" },
  firstPoll: { ...ms, default: 4, help: "virtual ms before the first look (Anchorage: 1000 after its own start)" },
  minSleep: { ...ms, default: 0.04, help: "least virtual ms between passes (Anchorage: 10)" },
  overhead: { kind: "number", min: 1e-6, max: 1, default: 0.05, help: "largest share of the time spent in passes" },
  alpha: { kind: "number", min: 0, max: 1, default: 0.1, help: "budget of a pass as a share of the live bytes" },
  passBytes: { kind: "bytes", min: 1, max: TIB, default: TIB, help: "most bytes of a pass" },
  inner: outerOption("own", "who places the blocks: own for the segregated or bump heap of the table, or an allocator"),
  region: {
    kind: "bytes",
    min: 0,
    max: GIB,
    default: 4096,
    help: "unit to empty over another allocator: pages of it, or 0 for its own arenas",
  },
  victims: {
    kind: "choice",
    values: ["sparsest", "highest"],
    default: "sparsest",
    help: "what to empty first over another allocator: highest for one that gives memory back at its end alone",
  },
  resume: { ...never, help: "a slide with a budget goes on where the last one ended" },
  payloadOnly: { ...never, help: "semispace: headers do not count against a budget (as in Anchorage)" },
  copyAlways: { ...never, help: "semispace: a reallocation never stays in place (as in Anchorage)" },
  trigger: {
    kind: "choice",
    values: ["hysteresis", "periodic", "onDemand"],
    default: "hysteresis",
    help: "passes while fragmentation is high, one at each poll, or only for a request that heapLimit refuses",
  },
  heapLimit: {
    kind: "bytes",
    min: 4096,
    max: TIB,
    default: TIB,
    help: "most bytes that the blocks of a heap may span; a second one, of semispace or pinnedHigh, has as many",
  },
  cPartial: { kind: "number", min: 0, max: 1e9, default: 0, help: "c: a pass moves at most 1/c of what was allocated" },
  creditCap: { kind: "bytes", min: 1, max: TIB, default: TIB, help: "cPartial: most bytes saved for later passes" },
  passTime: {
    kind: "choice",
    values: ["raw", "anchorage"],
    default: "raw",
    help: "coefficients by which a pass takes virtual time: a plain slide, or Anchorage as published",
  },
  entryBytes: { kind: "integer", min: 4, max: 16, default: 8, help: "bytes of a table entry: 4, 8 or 16" },
  freeOrder: {
    kind: "choice",
    values: ["lifo", "fifo", "lowest"],
    default: "lifo",
    help: "which free entry is used next",
  },
  releaseTablePages: { ...never, help: "give back a page of the table that has no live entry" },
  pins: {
    kind: "choice",
    values: ["events", "bernoulli", "sticky", "window"],
    default: "events",
    help: "who is pinned: as the trace says, some in each pass, some for life, or what was just used",
  },
  pinShare: { kind: "number", min: 0, max: 1, default: 0.01, help: "pin models: chance of an object to be pinned" },
  pinWindow: { kind: "integer", min: 0, max: 1e9, default: 1000, help: "window: operations that a pin lasts" },
  pinSeed: { kind: "integer", min: 0, max: 0x7fffffff, default: 1, help: "pin models: seed of the chances" },
  pinnedHigh: { ...never, help: "what is pinned for life has a heap of its own (as at Palm OS's high end)" },
};

/** Options that say how the own heap lays blocks out: another allocator does that its way. */
const ownOnly = [
  "place",
  "fit",
  "minSplit",
  "growth",
  "trimOnMove",
  "minHolePages",
  "tailRelease",
  "resume",
  "payloadOnly",
  "copyAlways",
  "heapLimit",
  "pinnedHigh",
] as const satisfies readonly (keyof HandleTableOptions)[];

/** Throws an `InputError` that names `owner` and an option where options do not go together. */
export function checkOptions(owner: string, o: HandleTableOptions): void {
  const refuse = (option: keyof HandleTableOptions, why: string): never => {
    throw new InputError(`${owner}: option ${option}: ${why}`);
  };
  if (o.fLower >= o.fUpper) refuse("fLower", `${o.fLower} is not below fUpper ${o.fUpper}`);
  if (![4, 8, 16].includes(o.entryBytes)) refuse("entryBytes", `${o.entryBytes} is not 4, 8 or 16`);
  if (o.entryBytes === 4 && o.generations > 16)
    refuse("entryBytes", `4 bytes hold 4 bits of generation: set generations=16 or less`);
  if (o.alpha === 0) refuse("alpha", `0 leaves a pass nothing to move: use compact=none, or a share above 0`);
  if (o.cPartial === 0 && o.creditCap < TIB) refuse("creditCap", `is what cPartial may save: set cPartial`);
  if (o.pins === "events" && o.pinShare !== handleTableOptions.pinShare.default)
    refuse("pinShare", `is of a model of pins: set pins=bernoulli, sticky or window`);
  if (o.cPartial > 0 && o.cPartial < 1) refuse("cPartial", `${o.cPartial} is below 1: a pass moves 1/c; 0 is no bound`);
  if (o.resume && o.compact !== "slide") refuse("resume", `only a slide goes on where it ended, not ${o.compact}`);
  if (o.resume && o.place !== "segfit") refuse("resume", `dead blocks of place=bump are found only from the bottom`);
  if (o.compact !== "semispace") {
    if (o.payloadOnly) refuse("payloadOnly", `is of compact=semispace, not ${o.compact}`);
    if (o.copyAlways) refuse("copyAlways", `is of compact=semispace, not ${o.compact}`);
  }
  if (o.pinnedHigh) {
    if (o.pins !== "sticky")
      refuse("pinnedHigh", `that an object will be pinned is known when it is allocated only with pins=sticky`);
    if (o.compact === "semispace" || o.compact === "none")
      refuse("pinnedHigh", `there is no heap beside the pinned one with compact=${o.compact}`);
  }
  if (o.trigger === "onDemand" && o.heapLimit === TIB)
    refuse("trigger", `onDemand answers requests that heapLimit refuses: set heapLimit`);
  if (o.inner === "own") {
    if (o.region !== handleTableOptions.region.default)
      refuse("region", `is for another allocator; pages of the own heap are emptied as they are`);
    if (o.victims !== "sparsest") refuse("victims", `is for another allocator, as region is`);
    return;
  }
  if (o.compact !== "none" && o.compact !== "evacuate")
    refuse(
      "inner",
      `${o.compact} moves blocks within the table's own heap: over ${o.inner} use compact=evacuate or none`,
    );
  if (o.entryBytes === 4) refuse("entryBytes", `4 bytes hold no address of another allocator: use 8 or 16`);
  if (o.region % 4096 !== 0 || (o.region & (o.region - 1)) !== 0)
    refuse("region", `${o.region} is neither 0 nor a power of two of at least 4096`);
  for (const name of ownOnly) {
    if (o[name] !== handleTableOptions[name].default) refuse(name, `is of the table's own heap, not of ${o.inner}`);
  }
}
