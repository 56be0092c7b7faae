import { InputError } from "../../memory/errors.js";
import { defaultsOf, type OptionTable, resolveOptions } from "../../memory/options.js";
import type { AllocatorSpec } from "../allocator.js";
import { ClassHandles } from "./class-handles.js";
import { CompactingHandles, type MovementOptions } from "./compacting-handles.js";
import { heldOptions } from "./held-options.js";
import type { PinOptions } from "./pin-model.js";
import { Pins } from "./pins.js";
import { type SpanClass, type SpanClasses, spanClassesOf } from "./span-classes.js";
import type { TableOptions } from "./table-options.js";
import { ThinClasses } from "./thin-classes.js";

const PAGE = 4096;
/** What leads from a slot back to its table entry. */
const BACK = 8;

/** Options of `compact-fit`; `pageBytes` in bytes. */
export interface CompactFitOptions extends TableOptions, PinOptions {
  partial: number;
  pageBytes: number;
}

const compactFitOptions: OptionTable<CompactFitOptions> = {
  partial: { kind: "integer", min: 1, max: 1 << 20, default: 1, help: "not-full pages that a class may have" },
  pageBytes: { kind: "bytes", min: PAGE, max: 32768, default: 16384, help: "bytes of a page of a class" },
  entryBytes: { kind: "integer", min: 8, max: 16, default: 8, help: "bytes of an abstract address: 8 or 16" },
  ...heldOptions,
};

/** Classes of `compact-fit`: slots from 32 bytes, each an eighth larger than the last (rounded up to 8), up to a page. */
export function compactFitClasses(pageBytes: number): SpanClasses {
  const bytes = Math.ceil(pageBytes / PAGE) * PAGE;
  const classes: SpanClass[] = [];
  for (let slot = 32; slot < bytes; slot = Math.ceil((slot * 9) / 64) * 8) {
    classes.push({ slot, bytes, slots: Math.floor(bytes / slot), header: BACK });
  }
  classes.push({ slot: bytes, bytes, slots: 1, header: BACK });
  return spanClassesOf(classes);
}

/** No controller: passes are due as soon as the bound is broken. */
const unbounded: MovementOptions = {
  ...({ trigger: "onDemand", metric: "F_ext", fUpper: 2, fLower: 1, poll: 0, firstPoll: 0, minSleep: 0 } as const),
  ...({ overhead: 1, alpha: 1, passBytes: 1, cPartial: 0, creditCap: 1, passTime: "raw" } as const),
};

/**
 * Compact-fit with moving of objects (the paper's other implementation maps blocks instead): a class may have `partial`
 * pages that are not full. The paper moves one object in each free that breaks the bound; nothing moves here but at
 * safepoints, so the bound holds after each of them, and frees between two of them are answered together. Abstract
 * addresses are a handle table. The page size, the smallest slot, the growth of the classes by an eighth, 8 bytes of
 * each slot that lead back to its abstract address and 32 of descriptor for each page are assumed. Objects beyond a page, which
 * the paper leaves out, have pages of their own.
 */
export const compactFit: AllocatorSpec<CompactFitOptions> = {
  name: "compact-fit",
  title: "Compact-fit: few not-full pages in each class",
  source:
    "Craciunas, Kirsch, Payer, Sokolova, Stadler, Staudinger, A Compacting Real-Time Memory Management System, USENIX ATC 2008",
  indirect: true,
  alignment: 8,
  options: compactFitOptions,
  defaults: defaultsOf(compactFitOptions),
  variants: [
    { partial: 3, pageBytes: PAGE, freeOrder: "lowest", releaseTablePages: true },
    { pins: "sticky", pinShare: 0.1 },
  ],
  create(space, given) {
    const options = resolveOptions("compact-fit", compactFitOptions, given);
    if (options.entryBytes !== 8 && options.entryBytes !== 16) {
      throw new InputError(`compact-fit: option entryBytes: ${options.entryBytes} is not 8 or 16`);
    }
    const spans = { groups: 1, eager: false, descriptor: 32 };
    const handles = new ClassHandles(space, compactFitClasses(options.pageBytes), spans, options);
    const held = new Pins(handles.entries, options);
    const compactor = new ThinClasses(space.costs, handles, held, options.partial);
    const heap = new CompactingHandles<ClassHandles>(space, handles, compactor, held, unbounded);
    return Object.assign(heap, { compactionDue: () => (compactor.isDue ? Number.POSITIVE_INFINITY : 0) });
  },
};
