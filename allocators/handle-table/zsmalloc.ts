import { InputError } from "../../memory/errors.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import { ClassHandles } from "./class-handles.js";
import { CompactingHandles, type MovementOptions } from "./compacting-handles.js";
import { heldOptions } from "./held-options.js";
import { handleTableOptions } from "./options.js";
import type { PinOptions } from "./pin-model.js";
import { Pins } from "./pins.js";
import { type SpanClass, type SpanClasses, spanClassesOf } from "./span-classes.js";
import type { TableOptions } from "./table-options.js";
import { ThinClasses } from "./thin-classes.js";

const PAGE = 4096;
/** The handle at the start of each object. */
const BACK = 8;
/** Bytes of a handle's cell. */
const CELL = 8;

const { trigger, metric, fUpper, fLower, poll, firstPoll, minSleep, overhead, alpha, passBytes } = handleTableOptions;
const { cPartial, creditCap, passTime } = handleTableOptions;

/** Options of `zsmalloc`. */
export interface ZsmallocOptions extends Omit<TableOptions, "entryBytes">, MovementOptions, PinOptions {
  /** Most pages of a zspage. */
  chain: number;
  /** Bytes from one class to the next. */
  step: "16" | "32" | "64" | "128";
}

const zsmallocOptions: OptionTable<ZsmallocOptions> = {
  chain: { kind: "integer", min: 1, max: 8, default: 4, help: "most pages of a zspage (CONFIG_ZSMALLOC_CHAIN_SIZE)" },
  step: { kind: "choice", values: ["16", "32", "64", "128"], default: "16", help: "bytes from one class to the next" },
  ...heldOptions,
  trigger: { ...trigger, kind: "choice", values: ["hysteresis", "periodic"], default: "hysteresis" },
  ...{ metric, fUpper, fLower, poll, firstPoll, minSleep, overhead, passBytes, cPartial, creditCap, passTime },
  alpha: { ...alpha, kind: "number", min: 0, max: 1, default: 1 },
};

/** Classes of request + 8 bytes; those with as many pages and objects as the next larger one are it (can_merge). */
export function zsmallocClasses(chain: number, step: number): SpanClasses {
  const classes: SpanClass[] = [];
  for (let slot = 32; slot <= PAGE; slot += step) {
    let pages = 1;
    let best = 0;
    for (let n = 1; n <= chain; n++) {
      const share = Math.floor(((n * PAGE - ((n * PAGE) % slot)) * 100) / (n * PAGE));
      if (share > best) [best, pages] = [share, n];
    }
    const slots = Math.floor((pages * PAGE) / slot);
    const last = classes[classes.length - 1];
    if (last !== undefined && last.bytes === pages * PAGE && last.slots === slots) classes.pop();
    classes.push({ slot, bytes: pages * PAGE, slots, header: slots === 1 ? 0 : BACK });
  }
  return spanClassesOf(classes);
}

/**
 * Linux's zsmalloc: objects of one class, which may straddle pages, in zspages of a few pages; a handle is the address of
 * a cell of 8 bytes, and the first 8 bytes of an object lead back to it, but not where a page holds one object alone.
 * Compaction empties zspages of a class as long as its free objects are a whole zspage, from the emptiest tenth into the
 * fullest. When the kernel compacts, memory pressure decides; here a controller does, at safepoints. Pins are mapped
 * objects. A descriptor of 56 bytes for each zspage is general knowledge. Requests above a page, which zsmalloc refuses, and
 * alignments above 8 have pages of their own.
 */
export const zsmalloc: AllocatorSpec<ZsmallocOptions> = {
  name: "zsmalloc",
  title: "zsmalloc: handles over zspages, emptied class by class",
  source: "Linux, mm/zsmalloc.c (5.8; fullness by tenths as in later kernels): zs_malloc, zs_compact, migrate_zspage",
  indirect: true,
  alignment: 8,
  options: zsmallocOptions,
  defaults: defaultsOf(zsmallocOptions),
  variants: [
    { chain: 8, step: "64", trigger: "periodic", passBytes: 10_000 },
    { chain: 1, pins: "bernoulli", pinShare: 0.2, cPartial: 3, freeOrder: "fifo" },
  ],
  create(space, given) {
    const options = resolveOptions("zsmalloc", zsmallocOptions, given);
    if (options.fLower >= options.fUpper) {
      throw new InputError(`zsmalloc: option fLower: ${options.fLower} is not below fUpper ${options.fUpper}`);
    }
    if (options.cPartial > 0 && options.cPartial < 1) {
      throw new InputError(
        `zsmalloc: option cPartial: ${options.cPartial} is below 1: a pass moves 1/c; 0 is no bound`,
      );
    }
    const spans = { groups: 10, eager: true, descriptor: 56 };
    const classes = zsmallocClasses(options.chain, Number(options.step));
    const handles = new ClassHandles(space, classes, spans, { ...options, entryBytes: CELL });
    const held = new Pins(handles.entries, options);
    const compactor = new ThinClasses(space.costs, handles, held, -1);
    return new CompactingHandles<ClassHandles>(space, handles, compactor, held, options);
  },
};
